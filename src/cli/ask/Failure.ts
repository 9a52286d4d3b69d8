/** The errors of the command line, and the exit code of each. */
import * as Data from "effect/Data"
import { excerpt } from "../../domain/Excerpt.ts"

/** The exit codes: the documentation lists them. */
export const ExitCode = {
  /** The server refused, or a check failed. */
  refused: 1,
  /** The command line, the configuration or a value is wrong. */
  usage: 2,
  /** The server gave no usable answer. */
  unreachable: 3,
  /** There is nothing to do. */
  nothing: 4,
  /** The user ended the command. */
  interrupted: 130
} as const

/** The command cannot go on. */
export class Failure extends Data.TaggedError("Failure")<{
  readonly message: string
  readonly code: number
  /** The document for `--json`; the message unless given. */
  readonly document?: object | undefined
}> {}

export const usage = (message: string) => new Failure({ message, code: ExitCode.usage })
export const refused = (message: string, document?: object) =>
  new Failure({ message, code: ExitCode.refused, document })
export const unreachable = (message: string) => new Failure({ message, code: ExitCode.unreachable })
export const nothing = (message: string) => new Failure({ message, code: ExitCode.nothing })

/** The command has said everything already, and ends with this code. */
export class Ended extends Data.TaggedError("Ended")<{ readonly code: number }> {}

/** How much of a wrong value a message shows, in characters. */
const MaxGot = 60

/** The message about wrong values, each of them cut: a value may be a file. */
const shortened = (message: string): string =>
  message.replace(
    /^(Expected .*?, got )(.*)$/gm,
    (_, expected: string, got: string) => `${expected}${excerpt(got, MaxGot)}`
  )

const whyFile: Readonly<Record<string, string>> = {
  EACCES: "you have no right to",
  EISDIR: "it is a folder",
  ENOTDIR: "a file is in its path",
  EPERM: "you have no right to"
}

/** A file that a flag names, and that Node cannot read or write. Other errors are passed on. */
export const fileFailure = (error: unknown, file: string, doing: "read" | "written"): unknown => {
  const code = error instanceof Error && "code" in error ? String(error.code) : ""
  const why = code === "ENOENT" ? `there is no such ${doing === "read" ? "file" : "folder"}` : whyFile[code]
  return why === undefined ? error : usage(`${file} cannot be ${doing}: ${why}.`)
}

interface Known {
  readonly _tag?: unknown
  readonly error?: unknown
  readonly message?: unknown
  readonly issue?: unknown
}

const KeyHint =
  "The command sends the key in OCTOPOID_API_KEY, or that of octopoid-server login. The server that octopoid-server serve runs has its administrator's key in admin.key in its folder."

/**
 * What to print for any error: errors of the server with the sentence of the server, an answer that did not come with
 * the address of the server.
 */
export const failureOf = (error: unknown, address: string | undefined): Failure => {
  if (error instanceof Failure) return error
  const { _tag, error: sentence, issue, message } = (typeof error === "object" && error !== null ? error : {}) as Known
  if (_tag === "NoUsableAnswer") {
    const said = String(sentence)
    return new Failure({
      message: `${address ?? "The server"} gives no usable answer. ${said}`,
      code: ExitCode.unreachable,
      document: { ...(error as object), address }
    })
  }
  if (_tag === "Unauthorized") {
    return new Failure({
      message: `${String(sentence).replace(/\.?$/, ".")} ${KeyHint}`,
      code: ExitCode.refused,
      document: error as object
    })
  }
  if (typeof sentence === "string") {
    return new Failure({ message: sentence, code: ExitCode.refused, document: error as object })
  }
  // The client checks a request before it sends it.
  if (_tag === "SchemaError" && issue !== undefined) return usage(shortened(String(message)))
  return refused(typeof message === "string" && message !== "" ? message : String(error))
}
