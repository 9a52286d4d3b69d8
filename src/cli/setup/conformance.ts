/**
 * `octopoid-server conformance`: checks any server from outside. It shares nothing with the client, and works with any
 * server.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { Ended, usage } from "../ask/Failure.ts"
import { interrupt } from "../ask/interrupt.ts"
import { variable } from "../ask/Profiles.ts"
import { address } from "../ask/Server.ts"
import { described, examples, given } from "../command.ts"
import * as Progress from "../show/Progress.ts"
import * as Screen from "../show/Screen.ts"
import { harmless, line } from "../show/Text.ts"

/** The exit code when the suite could not run, or was interrupted. */
const NotRun = 2

/** The texts in it are those of any server. */
const safe = <A>(value: A): A =>
  typeof value === "string"
    ? harmless(value) as A
    : Array.isArray(value)
    ? value.map(safe) as A
    : typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, safe(one)])) as A
    : value

export const conformance = Command.make("conformance", {
  address: Argument.String("address").pipe(Argument.withDescription("The server, such as http://localhost:8787")),
  key: Flag.String("key").pipe(
    Flag.withDescription(
      "Its API_SECRET_KEY, or the key of a scope that nobody uses. Better: OCTOPOID_API_KEY, since others on this machine can see arguments"
    ),
    Flag.optional
  ),
  only: Flag.String("only").pipe(
    Flag.withMetavar("groups"),
    Flag.withDescription("Only these groups of checks, such as races,leases"),
    Flag.optional
  )
}, (flags) =>
  Effect.gen(function*() {
    const url = yield* address(flags.address)
    const { CannotRun, conform, format, groupNames } = yield* Effect.promise(() =>
      import("../../conformance/Conformance.ts")
    )
    const only = given(flags.only)?.split(",")
    const unknown = only?.find((name) => !groupNames.includes(name))
    if (unknown !== undefined) return yield* usage(`There is no group ${unknown}, only ${groupNames.join(", ")}.`)
    const key = (given(flags.key) || undefined) ?? (yield* variable("OCTOPOID_API_KEY"))
    const asJson = yield* Screen.wantsJson
    if (process.stderr.isTTY) yield* Screen.note(`Checking ${line(url)} …`)
    const progress = Progress.make("checks done")
    const stop = new AbortController()
    interrupt.by = () => {
      if (stop.signal.aborted) process.exit(NotRun)
      progress.end()
      console.error("Interrupted: deleting what was made. Once more to leave it.")
      stop.abort()
    }
    const report = yield* Effect.callback<Awaited<ReturnType<typeof conform>>, Ended>((resume) => {
      conform({ url, key, only, signal: stop.signal, progress: progress.at }).finally(progress.end).then(
        (report) => resume(Effect.succeed(report)),
        (error: unknown) => {
          const why = error instanceof Error ? error.message : String(error)
          resume(Effect.andThen(
            Screen.err(line(error instanceof CannotRun ? `Cannot run: ${why}` : `The run broke off: ${why}`)),
            Effect.fail(new Ended({ code: NotRun }))
          ))
        }
      )
    })
    yield* asJson
      ? Screen.document(report)
      : Effect.sync(() => console.log(format(safe(report), Screen.colourful(process.stdout))))
    const code = report.interrupted ? NotRun : report.failed > 0 || !report.cleaned ? 1 : 0
    if (code > 0) return yield* new Ended({ code })
  })).pipe(
    described(
      "Check a running server from outside: lifecycle, leases, fencing, idempotency, races, usage, webhooks, isolation, contract.",
      "the report.",
      "It works in throw-away scopes and deletes what it makes. With the key of a scope it runs in that scope, if it holds no tasks, and skips what needs an administrator. Exits with 0 if every check passed, with 1 if one failed, and with 2 if the suite could not run or was interrupted."
    ),
    examples(["conformance http://localhost:8787", "Check a server"], [
      "conformance http://localhost:8787 --only races,leases",
      "Some of the checks"
    ])
  )
