/** The SQL of cursors: a page begins after a row, by the values of the columns that order the list. */
import type { Page } from "../../domain/Page.ts"
import type { Values } from "../Statement.ts"

/** Whether a row comes after the cursor, in a list that these columns order in one direction. */
export const afterCursor = (columns: ReadonlyArray<string>, direction: "ascending" | "descending"): string =>
  `(${columns.join(", ")}) ${direction === "ascending" ? ">" : "<"} (${
    columns.map((name) => `:after_${name}`).join(", ")
  })`

/** The parameters of that condition. The first page has none. */
export const cursorValues = ({ after, columns }: Pick<Page, "after" | "columns">): Values =>
  Object.fromEntries((after ?? []).map((value, place) => [`after_${columns[place]}`, value]))
