/**
 * Moves a scope from the old server to this one:
 * `npm run import -- --from https://old.example --scope my-scope [--to http://localhost:8787]`.
 * It writes only records that are missing, so it may be repeated. Exits with 1 when something could not be copied.
 *
 * Or writes what `npm run export` wrote into an empty database: `npm run import -- --file backup.jsonl [--remote]`.
 */
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { parseArgs } from "node:util"
import { load, type Order as LoadOrder } from "./dump/load.ts"
import { copy, format, type Options } from "./import/copy.ts"

const usage = `From the old server, over its API:
npm run import -- --from <url> --scope <scope> [options]

  --from <url>      the server to copy from
  --scope <scope>   the scope to copy
  --to <url>        the server to copy to (http://localhost:8787)
  --key <key>       the key the old server asks for, or OCTOPOID_FROM_KEY
  --to-key <key>    this server's API_SECRET_KEY, if it has one, or OCTOPOID_TO_KEY
  --unscoped        also copy the projects and drafts that belong to no scope
  --dry-run         write nothing, and say what would be copied and what would not

From a file that npm run export wrote, into a database that has no such records:
npm run import -- --file <file> [--remote] [--persist-to <directory>] [--database octopoid-db] [--env <name>]

  --renumber-drafts  where another scope has drafts of the same numbers`

/** What the command line asks for: a copy of the old server's records, or a file to be written into a database. */
type Order = { readonly copy: Options } | { readonly load: LoadOrder }

const parse = (): Order | string => {
  try {
    const { values } = parseArgs({
      options: {
        from: { type: "string" },
        scope: { type: "string" },
        to: { type: "string", default: process.env.OCTOPOID_URL ?? "http://localhost:8787" },
        key: { type: "string", default: process.env.OCTOPOID_FROM_KEY ?? "" },
        "to-key": { type: "string", default: process.env.OCTOPOID_TO_KEY ?? "" },
        unscoped: { type: "boolean", default: false },
        "dry-run": { type: "boolean", default: false },
        file: { type: "string" },
        "renumber-drafts": { type: "boolean", default: false },
        remote: { type: "boolean", default: false },
        "persist-to": { type: "string" },
        database: { type: "string", default: "octopoid-db" },
        env: { type: "string" },
        help: { type: "boolean", default: false }
      }
    })
    const { from, scope, to } = values
    if (!values.help && values.file !== undefined) {
      if (from !== undefined || scope !== undefined) return `--file takes neither --from nor --scope.\n\n${usage}`
      const option = (name: "persist-to" | "env") => values[name] === undefined ? [] : [`--${name}`, values[name]]
      const where = [values.remote ? "--remote" : "--local", ...option("persist-to"), ...option("env")]
      return {
        load: { file: values.file, database: values.database, where, renumberDrafts: values["renumber-drafts"] }
      }
    }
    if (values.help || !from || !scope) return usage
    for (const url of [from, to]) if (!/^https?:/.test(url) || !URL.canParse(url)) return `${url} is not an address.`
    return {
      copy: {
        from,
        scope,
        to,
        key: values.key || undefined,
        toKey: values["to-key"] || undefined,
        unscoped: values.unscoped,
        dryRun: values["dry-run"]
      }
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${usage}`
  }
}

const report = async (order: Order): Promise<{ readonly text: string; readonly whole: boolean }> => {
  if ("load" in order) {
    const { counts, draftsMoved, dropped, scope } = await load(order.load)
    const what = Object.entries(counts).map(([kind, n]) => `${n} ${kind}`).join(", ") || "nothing"
    const moved = draftsMoved === 0 ? "" : `\nThe drafts have other numbers: the old ones and ${draftsMoved}.`
    const gone = dropped.length === 0
      ? ""
      : `\nNot there afterwards, because another record of the file took its place or what it belongs to had gone: ${
        dropped.slice(0, 20).join(", ")
      }${dropped.length > 20 ? ` and ${dropped.length - 20} more` : ""}.`
    return {
      text: `${scope === null ? "The server" : `The scope ${scope}`}: wrote ${what}.${gone}${moved}`,
      whole: true
    }
  }
  const copied = await Effect.runPromise(copy(order.copy).pipe(Effect.provide(FetchHttpClient.layer)))
  return { text: format(copied, order.copy), whole: copied.problems.length === 0 }
}

const order = parse()
if (typeof order === "string") {
  console.error(order)
  process.exitCode = 2
} else {
  await report(order).then(
    ({ text, whole }) => {
      console.log(text)
      if (!whole) process.exitCode = 1
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : String(error))
      process.exitCode = 1
    }
  )
}
