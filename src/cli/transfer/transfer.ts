/** `octopoid-server export` and `import`: everything of a scope or a server, out of one and into another. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import { createWriteStream } from "node:fs"
import { rename, rm } from "node:fs/promises"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { Ended, ExitCode, type Failure, failureOf, fileFailure, refused, unreachable, usage } from "../ask/Failure.ts"
import { variable } from "../ask/Profiles.ts"
import { address, chosen } from "../ask/Server.ts"
import { described, examples, given } from "../command.ts"
import { count } from "../show/Moment.ts"
import * as Progress from "../show/Progress.ts"
import * as Screen from "../show/Screen.ts"
import { block, line, styled } from "../show/Text.ts"

/**
 * Writes the lines to a file by this name once all of them are there. Nobody else may read it: it has the hashes of
 * keys.
 */
const toFile = async (lines: AsyncIterable<string>, file: string, signal: AbortSignal) => {
  const part = `${file}.part`
  await pipeline(Readable.from(lines), createWriteStream(part, { mode: 0o600 }), { signal }).catch(
    async (error: unknown) => {
      await rm(part, { force: true })
      throw error
    }
  )
  await rename(part, file)
}

const MaxNamed = 10

/** The scopes of an open server that have keys: the first of them. None if the server does not say it. */
const keyOwners = async (url: string): Promise<ReadonlyArray<string>> => {
  const answer = await fetch(`${url}/api/v1/keys`).catch(() => undefined)
  const { keys = [] } = answer?.status === 200
    ? await answer.json().catch(() => ({})) as { readonly keys?: ReadonlyArray<{ readonly scope: string }> }
    : {}
  const scopes = [...new Set(keys.map(({ scope }) => scope))].toSorted()
  return scopes.length > MaxNamed ? [...scopes.slice(0, MaxNamed), "…"] : scopes
}

export const exportAll = Command.make("export", {
  out: Flag.String("out").pipe(
    Flag.withAlias("o"),
    Flag.withMetavar("file"),
    Flag.withDescription("Writes to this file, which only you may read; otherwise to standard output"),
    Flag.optional
  ),
  all: Flag.Boolean("all-scopes").pipe(
    Flag.withoutNegation,
    Flag.withDescription(
      "The whole server, also if the profile names a scope. Needs the secret of a server that has one"
    ),
    Flag.withDefault(false)
  )
}, (flags) =>
  Effect.gen(function*() {
    const { key = "", scope, url } = yield* chosen
    const { pages } = yield* Effect.promise(() => import("./pages.ts"))
    const { write } = yield* Effect.promise(() => import("./Dump.ts"))
    const file = given(flags.out)
    const progress = file === undefined && process.stdout.isTTY ? Progress.silent : Progress.make("records exported")
    let records = 0
    // Only the server knows the scope of a key.
    let held: string | null = null
    const page = pages({ url, key, scope: flags.all ? undefined : scope })
    const checked: typeof page = async (cursor) => {
      const got = await page(cursor)
      if (flags.all && got.scope !== null) {
        throw refused(
          `This key opens the scope ${got.scope} only; --all-scopes needs the secret of the server (OCTOPOID_API_KEY).`
        )
      }
      held = got.scope
      return got
    }
    const lines = async function*() {
      for await (const text of write(new Date().toISOString(), checked)) {
        progress.at(records++)
        yield `${text}\n`
      }
    }
    yield* Effect.ensuring(
      Effect.tryPromise({
        try: (signal) =>
          file === undefined
            ? pipeline(Readable.from(lines()), process.stdout, { end: false, signal })
            : toFile(lines(), file, signal),
        catch: (error): Failure => failureOf(file === undefined ? error : fileFailure(error, file, "written"), url)
      }),
      Effect.sync(progress.end)
    )
    // The first line and the last are no records.
    if (file !== undefined) {
      yield* Screen.show({ file, records: records - 2, scope: held }, ({ scope }) =>
        `${styled("green", "✓")} Wrote ${count(records - 2, "record")} of ${
          scope === null ? "all scopes" : `the scope ${line(scope)}`
        } to ${line(file)}`)
    }
    // Only an open server answers for all scopes without a key. It gives hashes of keys to nobody.
    if (held === null && key === "") {
      const owners = yield* Effect.promise(() =>
        keyOwners(url)
      )
      if (owners.length > 0) {
        const whose = line(owners.join(", "))
        yield* Screen.err(styled(
          "yellow",
          `Keys of scopes (${whose}) are not in it: the server is open. Set API_SECRET_KEY on it first, and export again.`
        ))
      }
    }
  })).pipe(
    described(
      "Write everything of a scope, or of the server, as JSON Lines.",
      "{ file, records, scope } with --out; otherwise the export itself, which is JSON Lines.",
      "docs/operating.md says what an export holds, and how octopoid-server restore and npm run restore bring it back."
    ),
    examples(
      ["export --out backup.jsonl --all-scopes", "A backup of the server"],
      ["export --scope home > home.jsonl", "One scope"]
    )
  )

export const importScope = Command.make("import", {
  from: Flag.String("from").pipe(Flag.withMetavar("address"), Flag.withDescription("The server to copy from")),
  fromKey: Flag.String("from-key").pipe(
    Flag.withMetavar("key"),
    Flag.withDescription(
      "The key that it asks for. Better: OCTOPOID_FROM_KEY, since others on this machine can see arguments"
    ),
    Flag.optional
  ),
  unscoped: Flag.Boolean("unscoped").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Also copies the projects and drafts that belong to no scope"),
    Flag.withDefault(false)
  ),
  dryRun: Flag.Boolean("dry-run").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Writes nothing, and says what would be copied and what would not"),
    Flag.withDefault(false)
  )
}, (flags) =>
  Effect.gen(function*() {
    const from = yield* address(flags.from)
    const { key, scope, url } = yield* chosen
    if (scope === undefined) return yield* usage("Say which scope to copy: --scope name.")
    const { run } = yield* Effect.promise(() => import("./old/run.ts"))
    const progress = Progress.make("records copied")
    const options = {
      from,
      key: (given(flags.fromKey) || undefined) ?? (yield* variable("OCTOPOID_FROM_KEY")),
      to: url,
      toKey: key,
      scope,
      unscoped: flags.unscoped,
      dryRun: flags.dryRun,
      progress: progress.at
    }
    const { report, text } = yield* Effect.ensuring(run(options), Effect.sync(progress.end)).pipe(
      Effect.catchTag("ImportStopped", ({ message, why }) =>
        Effect.fail(why === "unreachable" ? unreachable(message) : refused(message)))
    )
    yield* Screen.show(report, () =>
      block(text, ""))
    if (report.problems.length > 0) return yield* new Ended({ code: ExitCode.refused })
  })).pipe(
    described(
      "Copy a scope from the old Octopoid server to the chosen one.",
      "{ kinds, problems, notes }: how many records of each kind were read, created, there already and not copied.",
      "It writes only records that are missing, so it may be repeated. The chosen server needs its secret, if it has one: OCTOPOID_API_KEY. Exits with 1 if something was not copied or a server refused, and with 3 if one of the two gives no usable answer. docs/migrating.md has the whole way."
    ),
    examples(["import --from https://old.example.com --scope home --dry-run", "See what would be copied"])
  )
