/** Changing fields of one row, without writing it when it already is as it should be. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"

/** Columns and the value each is to have: an expression over the columns of the row. */
export type Assignments = Record<string, Fragment>

/** Two statements: the change, which leaves `updated_at` alone when there is none, and the row as it is then. */
export const statements = (
  sql: D1Client.D1Client,
  table: string,
  where: Fragment,
  columns: Assignments,
  now: number
): Array<Statement<any>> => {
  const entries = Object.entries(columns)
  return [
    sql`
      UPDATE ${sql(table)} SET ${
      sql.csv(entries.map(([name, value]) => sql`${sql(name)} = ${value}`))
    }, updated_at = ${now}
      WHERE ${where} AND ${sql.or(entries.map(([name, value]) => sql`${sql(name)} IS NOT ${value}`))}`,
    sql`SELECT * FROM ${sql(table)} WHERE ${where}`
  ]
}
