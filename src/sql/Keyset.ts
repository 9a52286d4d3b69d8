/** Where a page begins that a cursor asks for: after a row, by the values of the columns that order its list. */
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
