/** Where a page begins that a cursor asks for: after a row, by the values of the columns that order its list. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { Page } from "../domain/Page.ts"
import type { Values } from "./Statement.ts"

/** That a row comes after the cursor, in a list that is ordered by these columns, all in one direction. */
export const afterCursor = (columns: ReadonlyArray<string>, direction: "ascending" | "descending"): string =>
  `(${columns.join(", ")}) ${direction === "ascending" ? ">" : "<"} (${
    columns.map((name) => `:after_${name}`).join(", ")
  })`

/** The values of that condition. On the first page there are none. */
export const cursorValues = ({ after, columns }: Pick<Page, "after" | "columns">): Values =>
  Object.fromEntries((after ?? []).map((value, place) => [`after_${columns[place]}`, value]))

/** The condition as a template, for lists that are not converted yet. */
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
