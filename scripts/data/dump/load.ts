/** Writing the file of an export into a database, through wrangler: as SQL, which is made line by line. */
import { createReadStream } from "node:fs"
import { read } from "../../../src/cli/transfer/check.ts"
import { DumpUnreadable, type Header, type Line } from "../../../src/cli/transfer/Dump.ts"
import { lines } from "../../../src/cli/transfer/lines.ts"
import { occupied } from "../../../src/sql/transfer/Settle.ts"
import * as Database from "../doctor/Database.ts"
import { execute, type Target } from "../execute.ts"
import { type Written, written } from "./dropped.ts"
import { merge, type Merged } from "./scopes.ts"
import { statements } from "./statements.ts"

export interface Order extends Target {
  readonly file: string
  /** Whether the drafts get other numbers, which no draft of the database has had. */
  readonly renumberDrafts: boolean
}

export interface Loaded extends Written {
  readonly scope: string | null
  /** How much greater the numbers of the drafts of each scope are. */
  readonly draftsMoved: Merged["draftsMoved"]
}

const parts = (file: string) => read(lines(createReadStream(file)))

const recordsOf = async function*(file: string): AsyncGenerator<Line> {
  for await (const { line } of parts(file)) if (line !== undefined) yield line
}

/** Reads the whole file first: nothing is written if it is incomplete or has a wrong line. */
const check = async (file: string) => {
  let header: Header | undefined
  let counts: Loaded["counts"] = {}
  for await (const part of parts(file)) {
    header ??= part.header
    counts = part.counts ?? counts
  }
  if (header === undefined) throw new DumpUnreadable("The file is empty.")
  return { header, counts }
}

/**
 * Finds the greatest number that a draft ever had in the database. Fails if nothing may be written there. It asks all at
 * once, because wrangler takes seconds for each call.
 */
const lastDraft = async ({ database, where }: Target, { scope }: Header): Promise<number> => {
  const ask = Database.make(database, where)
  const [rows = [], drafts = []] = await ask([
    occupied(scope).replace(/;$/, ""),
    "SELECT coalesce(max(seq), 0) AS last FROM sqlite_sequence WHERE name = 'drafts'",
    "SELECT token FROM fencing_floor"
  ]).catch(async (cause) => {
    const [tables = []] = await ask([
      "SELECT count(*) AS n FROM sqlite_master WHERE type = 'table' AND name IN ('tasks', 'fencing_floor')"
    ])
    if (Number(tables[0]?.["n"]) === 2) throw cause
    const apply = `npx wrangler d1 migrations apply ${database} ${where.join(" ")}`
    throw new Error(`The database lacks tables: ${apply}`, { cause })
  })
  const full = String(rows[0]?.["occupied"]).trim()
  if (full === "") return Number(drafts[0]?.["last"])
  const what = scope === null ? "The database" : `The scope ${scope}`
  throw new Error(
    `${what} has records already, in ${
      full.split(" ").join(", ")
    }. An export goes where there are none, such as a new database (wrangler d1 create; locally --persist-to DIR).`
  )
}

/** What another scope has is in the way. Then the database takes nothing. */
const explain = (cause: unknown): never => {
  const message = cause instanceof Error ? cause.message : String(cause)
  // What a task was in another scope is looked for when all is written (`statements.ts`).
  const table = /CHECK constraint failed: id = 1/.test(message)
    ? "tasks"
    : /UNIQUE constraint failed: (\w+)\./.exec(message)?.[1]
  if (table === undefined) throw cause
  throw new Error(
    table === "drafts"
      ? "Nothing was written: another scope has drafts of the same numbers. With --renumber-drafts these get others."
      : `Nothing was written: another scope has, or had, ${table} of the same ids, which are unique on a server.`,
    { cause }
  )
}

const moved = ({ kind, record }: Line, by: Merged["draftsMoved"]): Line => ({
  kind,
  record: { ...record, id: Number(record["id"]) + (by.get(String(record["scope"])) ?? 0) }
})

export const load = async (target: Order): Promise<Loaded> => {
  const { counts, header } = await check(target.file)
  const last = await lastDraft(target, header)
  const merged = await merge(recordsOf(target.file), target.renumberDrafts ? last : undefined)
  await execute(target, statements(header, () => recordsOf(target.file), Date.now(), merged)).catch(explain)
  const known = async function*() {
    for await (const line of recordsOf(target.file)) {
      yield line.kind === "drafts" ? moved(line, merged.draftsMoved) : line
    }
  }
  const result = await written(Database.make(target.database, target.where), header, counts, known)
  return { scope: header.scope, draftsMoved: merged.draftsMoved, ...result }
}
