/** Where a page begins that a cursor asks for, in SQL: after a row, by the values of the columns that order its list. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { Page } from "../domain/Page.ts"

/** Conditions for `sql.and`: none on the first page. The list is ordered by the columns of `page`, all in one direction. */
export const beyond = (
  sql: D1Client.D1Client,
  { after, columns }: Pick<Page, "after" | "columns">,
  direction: "ascending" | "descending"
): ReadonlyArray<Fragment> =>
  after === undefined ? [] : [
    sql`(${sql.csv(columns.map((column) => sql`${sql(column)}`))}) ${
      sql.literal(direction === "ascending" ? ">" : "<")
    } (${sql.csv(after.map((value) => sql`${value}`))})`
  ]
