/** Standard output and standard error: text with colours on a terminal, or JSON. */
import * as Effect from "effect/Effect"
import { Json } from "../settings.ts"
import { json, rendered } from "./Text.ts"

type Stream = NodeJS.WriteStream

const environment = () => process.env

/** Whether a stream gets colours: only a terminal does, and not if `NO_COLOR` is set. */
export const colourful = (stream: Stream): boolean =>
  stream.isTTY === true && (environment().NO_COLOR ?? "") === "" && environment().TERM !== "dumb"

const NarrowestUsed = 40

/** How wide tables are. */
export const width = (): number =>
  process.stdout.isTTY === true ? Math.max(NarrowestUsed, process.stdout.columns || 80) : 80

/** Whether a person sits before the terminal, and can be asked. */
export const interactive = (): boolean => process.stdin.isTTY === true && process.stdout.isTTY === true

const write = (stream: Stream, text: string) =>
  Effect.sync(() => void stream.write(`${rendered(text, colourful(stream))}\n`))

export const out = (text: string) => write(process.stdout, text)
export const err = (text: string) => write(process.stderr, text)

/** One document on standard output. */
export const document = (value: unknown) => Effect.sync(() => void process.stdout.write(`${json(value, 2)}\n`))

/** One document in one line, for streams of documents. */
export const documentLine = (value: unknown) => Effect.sync(() => void process.stdout.write(`${json(value)}\n`))

/** Prints a result: the document with `--json`, otherwise the text. */
export const show = <A>(value: A, text: (value: A) => string) =>
  Effect.gen(function*() {
    yield* (yield* Json) ? document(value) : out(text(value))
  })

/** Text on standard error, which `--json` leaves out. */
export const note = (text: string) =>
  Effect.gen(function*() {
    if (!(yield* Json)) yield* err(text)
  })

/** Whether the command prints JSON. */
export const wantsJson = Effect.gen(function*() {
  return yield* Json
})
