/** Tables and lists of fields that fit the terminal. */
import { cut, line, type Style, styled, widthOf, wrapped } from "./Text.ts"

export interface Column<Row> {
  readonly head: string
  readonly of: (row: Row) => string | number | null | undefined
  readonly style?: (row: Row) => Style | undefined
  /** Whether numbers stand below each other. */
  readonly right?: boolean
  /** Whether it is cut only if nothing else is left to cut, because people copy it. */
  readonly firm?: boolean
}

const Gap = 2
const Least = 6
const LeastFirm = 12

/** The widths of the columns: the widest ones give way until the table fits. */
const fitted = (wanted: ReadonlyArray<number>, firm: ReadonlyArray<boolean>, width: number): ReadonlyArray<number> => {
  const widths = [...wanted]
  const room = width - Gap * (widths.length - 1)
  const shrink = (isFirm: boolean, least: number) => {
    for (let over = widths.reduce((sum, n) => sum + n, 0) - room; over > 0;) {
      const candidates = widths.map((n, i) => firm[i] === isFirm && n > least ? n : 0)
      const widest = Math.max(...candidates)
      if (widest === 0) return
      const second = Math.max(least, ...candidates.filter((n) => n < widest))
      const place = candidates.indexOf(widest)
      const less = Math.min(over, Math.max(1, widest - second))
      widths[place] = widest - less
      over -= less
    }
  }
  shrink(false, Least)
  shrink(true, LeastFirm)
  return widths
}

const padded = (text: string, width: number, right: boolean | undefined) => {
  const space = " ".repeat(Math.max(0, width - widthOf(text)))
  return right ? space + text : text + space
}

/** The rows below their heads. Columns without any text are left out. */
export const table = <Row>(rows: ReadonlyArray<Row>, columns: ReadonlyArray<Column<Row>>, width: number): string => {
  const texts = columns.map((column) => rows.map((row) => line(String(column.of(row) ?? ""))))
  const used = columns.map((column, i) => ({ column, cells: texts[i]! })).filter(({ cells }) =>
    cells.some((cell) => cell !== "")
  )
  const widths = fitted(
    used.map(({ cells, column }) => Math.max(widthOf(column.head), ...cells.map(widthOf))),
    used.map(({ column }) => column.firm === true),
    width
  )
  const head = used.map(({ column }, i) => padded(cut(column.head, widths[i]!), widths[i]!, column.right)).join("  ")
  const body = rows.map((row, at) =>
    used.map(({ cells, column }, i) => {
      const text = cut(cells[at]!, widths[i]!)
      return padded(styled(column.style?.(row), text), widths[i]!, column.right)
    }).join("  ").trimEnd()
  )
  return [styled("dim", head.trimEnd()), ...body].join("\n")
}

/** Names and values. Long values go on below their beginning; empty ones are left out. */
export const fields = (
  values: ReadonlyArray<readonly [name: string, value: string | number | null | undefined, style?: Style | undefined]>,
  width: number
): string => {
  const shown = values.filter(([, value]) => value !== null && value !== undefined && value !== "")
  const label = Math.max(0, ...shown.map(([name]) => name.length)) + Gap
  return shown.map(([name, value, style]) => {
    const lines = wrapped(line(String(value)), Math.max(20, width - label))
    return lines.map((text, i) =>
      `${i === 0 ? styled("dim", name.padEnd(label)) : " ".repeat(label)}${styled(style, text)}`
    ).join("\n")
  }).join("\n")
}
