/** The import of a kind whose records are written as they come. */
import type * as Result from "effect/Result"
import type { Columns } from "../../../domain/task/TaskPatch.ts"
import type { ImportKind } from "../../../domain/transfer/Import.ts"
import type { Answers } from "../../../sql/Database.ts"
import * as Revision from "../../../sql/task/Revision.ts"
import { outcomeOf, type Planner, readAll } from "./plan.ts"

export interface Table<A> {
  /** The kind, which is also the name of its table. */
  readonly kind: ImportKind
  /** The columns that say which record of its scope it is. The first is what it is called by. */
  readonly identity: readonly [string, ...ReadonlyArray<string>]
  /** Where no two records have the same name. */
  readonly unique: "scope" | "server"
  /** Reads a record, or says why it cannot be one of this server. */
  readonly read: (record: unknown) => Result.Result<A, string>
  /** The row of a record, the same columns for each. */
  readonly row: (record: A, now: number) => Columns
  /** What has a number that the lists go by which tell these records, if it has one. */
  readonly told?: Revision.Kind
  /** Why a record was not written that the scope has not got. */
  readonly taken: (name: string) => string
}

/** What an insert would answer, and what would be found after it: the first record of each free name is written. */
const rehearse = ([verdicts = []]: Answers): Answers => {
  const identities = new Map<unknown, unknown>()
  const written = verdicts.filter(({ identity, name, taken }) => {
    const free = taken === 0 && !identities.has(name)
    if (free) identities.set(name, identity)
    return free
  })
  return [
    written,
    verdicts.map((row) => row.identity === identities.get(row.name) ? { ...row, here: 1 } : row)
  ]
}

/**
 * Writes the records whose keys are free, in the order they come in. They travel as one parameter: D1 takes at most 100
 * of those, and so the number of statements does not depend on the number of records.
 */
export const planTable = <A>(table: Table<A>): Planner => (sql, { dryRun, now, scope }, records) => {
  const { identity, kind, read, row, taken, told, unique } = table
  const { conflicts, fitting } = readAll(kind, read, records)
  const rows = fitting.map((record) => row(record, now))
  const columns = Object.keys(rows[0] ?? {})
  if (columns.length === 0) return { statements: [], columns: [], outcome: () => outcomeOf(kind, [], [], conflicts) }
  const keys = rows.map((row) => Object.fromEntries(identity.map((column) => [column, row[column]])))
  // The names of columns are ours, never a caller's.
  const field = (column: string) => sql.literal(`given.value ->> '${column}'`)
  const same = sql.and(identity.map((column) => sql`known.${sql(column)} = ${field(column)}`))
  const insert = sql`
    INSERT INTO ${sql(kind)} (scope, ${sql.csv(columns.map((column) => sql`${sql(column)}`))})
    SELECT ${scope}, ${sql.csv(columns.map(field))} FROM json_each(${JSON.stringify(rows)}) AS given
    WHERE 1 ORDER BY given.key ON CONFLICT DO NOTHING RETURNING ${sql(identity[0])} AS name`
  const inScope = sql`known.scope = ${scope}`
  const named = sql`known.${sql(identity[0])} = ${field(identity[0])}`
  const inTheWay = unique === "scope" ? sql.and([inScope, named]) : named
  const verdicts = sql`
    SELECT ${field(identity[0])} AS name, given.value AS identity,
      EXISTS (SELECT 1 FROM ${sql(kind)} AS known WHERE ${inScope} AND ${same}) AS here,
      EXISTS (SELECT 1 FROM ${sql(kind)} AS known WHERE ${inTheWay}) AS taken
    FROM json_each(${JSON.stringify(keys)}) AS given ORDER BY given.key`
  // A query between leaves `changes()` as it was.
  const raised = told === undefined ? [] : [Revision.make(sql).raiseIn(told, scope, { added: sql`changes()` })]
  return {
    statements: dryRun ? [verdicts] : [insert, verdicts, ...raised],
    columns: ["name", "identity", "here", "taken"],
    outcome: (answers) => {
      const [written = [], verdicts = []] = dryRun ? rehearse(answers) : answers
      return outcomeOf(
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
