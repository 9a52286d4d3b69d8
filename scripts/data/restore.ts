/**
 * Writes what `octopoid-server export` wrote into an empty database: `npm run restore -- --file backup.jsonl [--remote]`. It writes
 * everything or nothing. See docs/operating.md.
 */
import * as Flags from "../flags.ts"
import { options } from "./doctor/where.ts"
import { load } from "./dump/load.ts"

const { refuse, values } = Flags.read({
  run: "npm run restore",
  does:
    `Writes the records of a file that octopoid-server export wrote into a database that has no such records: all of them, or none.
docs/operating.md says how to restore a server and a scope.`,
  options: {
    file: { type: "string", value: "file", says: "the file" },
    ...options,
    "renumber-drafts": { type: "boolean", default: false, says: "where two scopes have drafts of the same numbers" }
  }
})
if (values.file === undefined) refuse("Say which file: --file backup.jsonl.")
// Unlike the doctor it does not look for the database: the file is read first, and what wrangler says of the database is shown.
const option = (name: "env" | "persist-to") => values[name] === undefined ? [] : [`--${name}`, values[name]]
const where = [values.remote ? "--remote" : "--local", ...option("persist-to"), ...option("env")]

try {
  const { counts, draftsMoved, dropped, scope } = await load({
    file: values.file!,
    database: values.database,
    where,
    renumberDrafts: values["renumber-drafts"]
  })
  const what = Object.entries(counts).map(([kind, n]) => `${n} ${kind}`).join(", ") || "nothing"
  console.log(`${scope === null ? "The server" : `The scope ${scope}`}: wrote ${what}.`)
  if (dropped.length > 0) {
    console.log(
      `Not there afterwards, because another record of the file took its place or what it belongs to had gone: ${
        dropped.slice(0, 20).join(", ")
      }${dropped.length > 20 ? ` and ${dropped.length - 20} more` : ""}.`
    )
  }
  const moved = [...draftsMoved].filter(([, by]) => by > 0)
  if (scope !== null && moved.length > 0) {
    console.log(`The drafts have other numbers: the old ones and ${moved[0]![1]}.`)
  } else if (moved.length > 0) {
    const each = moved.map(([scope, by]) => `${by} in ${scope}`).join(", ")
    console.log(`The drafts have other numbers, which are greater by ${each}.`)
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
