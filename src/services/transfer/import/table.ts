/** The import of a kind of records that are written as they come. */
import type * as Result from "effect/Result"
import type { Columns } from "../../../domain/task/Task.ts"
import type { ImportKind } from "../../../domain/transfer/Import.ts"
import * as Revisions from "../../../sql/Revisions.ts"
import { type Statement, statement, type Values, variants } from "../../../sql/Statement.ts"
import { type Answers, type Planner, readAll, reportOf } from "./plan.ts"

export interface Table<A> {
  /** The kind, which is also the name of its table. */
  readonly kind: ImportKind
  /** The columns that identify a record of the scope. The first one is its name. */
  readonly identity: readonly [string, ...ReadonlyArray<string>]
  /** Whether names are unique in a scope or on the server. */
  readonly unique: "scope" | "server"
  /** Reads a record, or says why it does not fit. */
  readonly read: (record: unknown) => Result.Result<A, string>
  /** The row of a record. All records have the same columns. */
  readonly row: (record: A, now: number) => Columns
  /** The revision that new records raise: that of their kind (with its total if it has one), or that of tasks. */
  readonly raises?: "messages" | "drafts" | "projects" | "machines" | "tasks"
  /** The steps that follow when the records are written. */
  readonly followed?: Statement
  /** The conflict of a record that was not written and that the scope does not have. */
  readonly taken: (name: string) => string
}

const field = (column: string) => `given.value ->> '${column}'`

/** What writing would answer: the first record of each free name is written. */
const rehearse = ({ verdicts = [] }: Answers): Answers => {
  const identities = new Map<unknown, unknown>()
  const written = verdicts.filter(({ identity, name, taken }) => {
    const free = taken === 0 && !identities.has(name)
    if (free) identities.set(name, identity)
    return free
  })
  return {
    written,
    verdicts: verdicts.map((row) => row.identity === identities.get(row.name) ? { ...row, here: 1 } : row)
  }
}

/**
 * Writes the records whose names are free, in their order. They travel as one parameter, `:<kind>`, because D1 takes at
 * most 100 parameters and the number of statements must not depend on the number of records. `:<kind>_keys` holds what
 * identifies them.
 */
export const planTable = <A>(table: Table<A>): Planner => {
  const { followed, identity, kind, read, row, taken, raises, unique } = table
  const keys = `json_each(:${kind}_keys) AS given`
  const [name] = identity
  const same = identity.map((column) => `known.${column} = ${field(column)}`).join(" AND ")
  const inTheWay = `EXISTS (SELECT 1 FROM ${kind} AS known WHERE known.${name} = ${field(name)}
    ${unique === "scope" ? "AND known.scope = :scope" : ""})`
  const verdicts = `
    SELECT ${field(name)} AS name, given.value AS identity,
      EXISTS (SELECT 1 FROM ${kind} AS known WHERE known.scope = :scope AND ${same}) AS here, ${inTheWay} AS taken
    FROM ${keys} ORDER BY given.key`
  const judged = statement(verdicts)
  const free = `FROM ${keys} WHERE NOT ${inTheWay}`
  const revision = raises === undefined ? "" : Revisions.columns[raises]
  // Before the records are written, because then no name is free.
  const counted = raises === undefined ? undefined : statement(`
    INSERT INTO queue_counts (scope, counts, ${revision}) SELECT :scope, '{}', 1 WHERE EXISTS (SELECT 1 ${free})
    ON CONFLICT (scope) DO UPDATE SET ${revision} = ${revision} + 1
      ${
    raises === "tasks" || raises === "machines"
      ? ""
      : `, ${raises}_total = ${raises}_total + (SELECT count(DISTINCT ${field(name)}) ${free})`
  }`)
  const insert = variants((columns: string) =>
    statement(`
      INSERT INTO ${kind} (scope, ${columns})
      SELECT :scope, ${columns.split(", ").map(field).join(", ")} FROM json_each(:${kind}) AS given
      WHERE 1 ORDER BY given.key ON CONFLICT DO NOTHING RETURNING ${name} AS name`)
  )
  return {
    verdicts,
    // `|| ''` makes this text, although it is JSON: otherwise it would be nested as JSON.
    columns: { name: "name", identity: "identity || ''", here: "here", taken: "taken" },
    none: { [`${kind}_keys`]: "[]" },
    plan: ({ dryRun, now, scope }, records) => {
      const { conflicts, fitting } = readAll(kind, read, records)
      const rows = fitting.map((record) => row(record, now))
      const columns = Object.keys(rows[0] ?? {}).join(", ")
      const own = rows.map((row) => Object.fromEntries(identity.map((column) => [column, row[column]])))
      const values: Values = { scope, [kind]: JSON.stringify(rows), [`${kind}_keys`]: JSON.stringify(own) }
      return {
        values,
        steps: columns === "" ? {} : dryRun ? { verdicts: judged(values) } : {
          counted: counted?.(values),
          written: insert(columns)(values),
          followed: followed?.(values),
          verdicts: judged(values)
        },
        report: (answers) => {
          const { verdicts = [], written = [] } = dryRun ? rehearse(answers) : answers
          return reportOf(
            kind,
            written.map(({ name }) => String(name)),
            verdicts.map(({ here, name }) => ({
              id: String(name),
              problem: here === 1 ? undefined : taken(String(name))
            })),
            conflicts
          )
        }
      }
    }
  }
}
