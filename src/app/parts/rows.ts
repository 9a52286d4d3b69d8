/** Rows to go through with `j` and `k`. Other keys act on the row that has the focus. */
import { useKeys } from "./keys.ts"

const rowsIn = (list: HTMLElement | undefined) => [...list?.querySelectorAll<HTMLElement>("[data-row]") ?? []]

/** The id of the row that has the focus. */
export const rowInFocus = (list: HTMLElement | undefined): string | undefined =>
  rowsIn(list).find((row) => row.contains(document.activeElement))?.dataset["row"]

/** Puts the focus on the first link or button of the row. */
export const focusRow = (list: HTMLElement | undefined, id: string | undefined) => {
  const row = rowsIn(list).find((one) => one.dataset["row"] === id)
  row?.querySelector<HTMLElement>("a, button")?.focus()
  row?.scrollIntoView({ block: "nearest" })
}

export const useRows = (list: () => HTMLElement | undefined) => {
  const move = (by: 1 | -1) => {
    const rows = rowsIn(list())
    const at = rows.findIndex((row) => row.contains(document.activeElement))
    const next = at < 0 ? (by > 0 ? rows[0] : rows.at(-1)) : rows[at + by]
    focusRow(list(), next?.dataset["row"])
  }
  useKeys([
    { key: "j", does: "Goes to the next row", run: () => move(1) },
    { key: "k", does: "Goes to the row before", run: () => move(-1) }
  ])
}
