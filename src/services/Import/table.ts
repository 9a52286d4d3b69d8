/** The import of a kind whose records are written as they come. */
import type * as Result from "effect/Result"
import type { ImportKind } from "../../domain/Import.ts"
import type { Columns } from "../../domain/TaskPlacement.ts"
import { outcomeOf, type Planner, readAll } from "./plan.ts"

export interface Table<A> {
  /** The kind, which is also the name of its table. */
  readonly kind: ImportKind
  /** The columns that say which record of its scope it is. The first is what it is called by. */
  readonly identity: readonly [string, ...ReadonlyArray<string>]
  /** Reads a record, or says why it cannot be one of this server. */
  readonly read: (record: unknown) => Result.Result<A, string>
  /** The row of a record, the same columns for each. */
  readonly row: (record: A, now: number) => Columns
  /** Why a record was not written that the scope has not got. */
  readonly taken: (name: string) => string
}

/**
 * Writes the records whose keys are free, in the order they come in. They travel as one parameter: D1 takes at most 100
 * of those, and so the number of statements does not depend on the number of records.
 */
export const planTable = <A>({ identity, kind, read, row, taken }: Table<A>): Planner => (sql, scope, records, now) => {
  const { conflicts, fitting } = readAll(kind, read, records)
  const rows = fitting.map((record) => row(record, now))
  const columns = Object.keys(rows[0] ?? {})
  if (columns.length === 0) return { statements: [], outcome: () => outcomeOf(kind, 0, [], conflicts) }
  const keys = rows.map((row) => Object.fromEntries(identity.map((column) => [column, row[column]])))
  // The names of columns are ours, never a caller's.
  const field = (column: string) => sql.literal(`given.value ->> '${column}'`)
  const same = sql.and(identity.map((column) => sql`known.${sql(column)} = ${field(column)}`))
  return {
    statements: [
      sql`
          INSERT INTO ${sql(kind)} (scope, ${sql.csv(columns.map((column) => sql`${sql(column)}`))})
          SELECT ${scope}, ${sql.csv(columns.map(field))} FROM json_each(${JSON.stringify(rows)}) AS given
          WHERE 1 ORDER BY given.key ON CONFLICT DO NOTHING RETURNING 1 AS written`,
      sql`
          SELECT ${field(identity[0])} AS name,
            EXISTS (SELECT 1 FROM ${sql(kind)} AS known WHERE known.scope = ${scope} AND ${same}) AS here
          FROM json_each(${JSON.stringify(keys)}) AS given ORDER BY given.key`
    ],
    outcome: ([written = [], verdicts = []]) =>
      outcomeOf(
        kind,
        written.length,
        verdicts.map(({ here, name }) => ({
          id: String(name),
          problem: here === 1 ? undefined : taken(String(name))
        })),
        conflicts
      )
  }
}
