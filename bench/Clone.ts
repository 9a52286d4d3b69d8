/**
 * Many rows like a few that the server itself wrote: each row that names the prototype is copied, under another name. So
 * nothing here has to know what a row consists of.
 */
import type { DatabaseSync } from "node:sqlite"

export interface Clone {
  readonly table: string
  /** What the rows of the prototype name, and no others. */
  readonly prototype: string
  /** What the copies name instead: this, and their number. */
  readonly name: string
  readonly copies: number
  /** Columns that get another value, as SQL: `n` is the number of the copy, from 1 on, and `p` the row it is made from. */
  readonly set?: Record<string, string>
}

/** Instants lie a millisecond apart, the last of them before the prototype's. */
const instants = new Set(["created_at", "at"])

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`

export const clone = (db: DatabaseSync, { copies, name, prototype, set = {}, table }: Clone): void => {
  if (copies <= 0) return
  const columns = db.prepare(`SELECT name, type, pk FROM pragma_table_info(${quote(table)})`)
    .all() as unknown as ReadonlyArray<{ readonly name: string; readonly type: string; readonly pk: number }>
  // An integer that is the whole key is given by SQLite.
  const given = columns.filter(({ pk, type }) => pk > 0 && type === "INTEGER").length === 1
      && columns.filter(({ pk }) => pk > 0).length === 1
    ? columns.filter(({ pk }) => pk === 0)
    : columns
  const texts = given.filter(({ type }) => type === "TEXT").map((column) => column.name)
  const rows = texts.map((column) => `instr(coalesce(p.${column}, ''), ${quote(prototype)}) > 0`).join(" OR ")
  const prototypes = db.prepare(`SELECT * FROM ${table} AS p WHERE ${rows}`).all()
  if (prototypes.length === 0) throw new Error(`No row of ${table} names ${prototype}`)
  const renamed = new Set(texts.filter((column) => prototypes.some((row) => String(row[column]).includes(prototype))))
  const values = given.map(({ name: column }) =>
    set[column] ?? (renamed.has(column)
      ? `replace(p.${column}, ${quote(prototype)}, ${quote(name)} || n)`
      : instants.has(column)
      ? `p.${column} - ${copies} - 1 + n`
      : `p.${column}`)
  )
  db.prepare(`
    WITH RECURSIVE copies(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?),
      prototypes AS MATERIALIZED (SELECT * FROM ${table} AS p WHERE ${rows})
    INSERT INTO ${table} (${given.map((column) => column.name).join(", ")})
    SELECT ${values.join(", ")} FROM prototypes AS p CROSS JOIN copies
  `).run(copies)
}
