/** Rows as JSON, made in SQL. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

// D1 lets a function have 32 arguments, and a row has more columns than half of that.
const MaxPairs = 16

/** The fields of a row's schema, each as the column of that name. */
export const columnsOf = (
  sql: D1Client.D1Client,
  { fields }: { readonly fields: Record<string, unknown> }
): Record<string, Fragment> => Object.fromEntries(Object.keys(fields).map((name) => [name, sql`${sql(name)}`]))

const object = (sql: D1Client.D1Client, columns: Record<string, Fragment>): Fragment => {
  const entries = Object.entries(columns)
  const parts = Array.from({ length: Math.ceil(entries.length / MaxPairs) }, (_, part) => {
    // The names of columns are ours, never a caller's.
    const pairs = entries.slice(part * MaxPairs, (part + 1) * MaxPairs).map(([name, value]) =>
      sql`${sql.literal(`'${name}'`)}, ${value}`
    )
    return sql`json_object(${sql.csv(pairs)})`
  })
  // No column is a JSON value of its own, so each part ends with the one brace that closes it.
  return parts.reduce((whole, part) => sql`rtrim(${whole}, '}') || ',' || substr(${part}, 2)`)
}

/** All rows of a query as one JSON list: an aggregate. */
export const listOf = (sql: D1Client.D1Client, columns: Record<string, Fragment>): Fragment =>
  sql`'[' || group_concat(${object(sql, columns)}, ',') || ']'`
