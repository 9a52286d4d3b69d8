/** What became of an export that was written: the records that are in the database, and those that are not. */
import type { Header, Line } from "../../../src/cli/transfer/Dump.ts"
import { literal } from "../../../src/sql/transfer/Literal.ts"
import type { Ask } from "../doctor/Database.ts"
import { keys } from "./insert.ts"

export interface Written {
  /** How many records of each kind are in the database. */
  readonly counts: Readonly<Record<string, number>>
  /** The records of the file that are not. */
  readonly dropped: ReadonlyArray<string>
}

// How many keys an answer of wrangler holds.
const PageSize = 5000

/** Counts the records of each kind that the file has, and looks for each where there are fewer than that. */
export const written = async (
  ask: Ask,
  { scope }: Header,
  counts: Readonly<Record<string, number>>,
  lines: () => AsyncIterable<Line>
): Promise<Written> => {
  const within = scope === null ? "1" : `scope = ${literal(scope)}`
  const kinds = Object.keys(counts)
  if (kinds.length === 0) return { counts: {}, dropped: [] }
  const answers = await ask(kinds.map((kind) => `SELECT count(*) AS n FROM ${kind} WHERE ${within}`))
  const there = Object.fromEntries(kinds.map((kind, i) => [kind, Number(answers[i]?.[0]?.["n"])]))
  const missing = new Map<string, Set<string>>()
  for (const kind of kinds.filter((kind) => there[kind]! < counts[kind]!)) {
    const found = new Set<string>()
    const columns = keys[kind]!
    for (let read = PageSize; read === PageSize;) {
      const [rows = []] = await ask([
        `SELECT ${columns.join(", ")} FROM ${kind} WHERE ${within} ORDER BY ${columns.join(", ")}
          LIMIT ${PageSize} OFFSET ${found.size}`
      ])
      for (const row of rows) found.add(JSON.stringify(columns.map((column) => row[column])))
      read = rows.length
    }
    missing.set(kind, found)
  }
  const dropped: Array<string> = []
  if (missing.size > 0) {
    for await (const { kind, record } of lines()) {
      const found = missing.get(kind)
      const key = keys[kind]!.map((column) => record[column])
      if (found !== undefined && !found.has(JSON.stringify(key))) dropped.push(`${kind} ${key.join(" ")}`)
    }
  }
  return { counts: there, dropped }
}
