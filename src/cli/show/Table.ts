/** Tables and lists of fields that fit the terminal. */
import { cut, line, type Style, styled, widthOf, wrapped } from "./Text.ts"

export interface Column<Row> {
  readonly head: string
  readonly of: (row: Row) => string | number | null | undefined
  readonly style?: (row: Row) => Style | undefined
  /** Whether numbers stand below each other. */
  readonly right?: boolean
  /** Whether it is never cut, because people copy it: an id, a time. Numbers never are. */
  readonly whole?: boolean
  /** Whether it is free text: it gets the room that the other columns leave, or a line of its own below the row. */
  readonly prose?: boolean
}

const Gap = 2
/** Free text that would get less than this stands below its row. */
const LeastProse = 20
/** Other columns are cut to this first, and to the least if the ids leave less. */
const Short = 24
const Least = 6

const sumOf = (widths: ReadonlyArray<number>) => widths.reduce((sum, n) => sum + n, 0)

/**
 * Narrows the widest of the columns that `may` be cut, down to `least`, until the sum of the widths is at most `room`.
 */
const shrunk = (
  widths: ReadonlyArray<number>,
  may: ReadonlyArray<boolean>,
  least: number,
  room: number
): ReadonlyArray<number> => {
  const result = [...widths]
  for (let over = sumOf(result) - room; over > 0;) {
    const candidates = result.map((n, i) => may[i] === true && n > least ? n : 0)
    const widest = Math.max(...candidates)
    if (widest === 0) break
    const second = Math.max(least, ...candidates.filter((n) => n < widest))
    const less = Math.min(over, Math.max(1, widest - second))
    result[candidates.indexOf(widest)] = widest - less
    over -= less
  }
  return result
}

const padded = (text: string, width: number, right: boolean | undefined) => {
  const space = " ".repeat(Math.max(0, width - widthOf(text)))
  return right ? space + text : text + space
}

interface Used<Row> {
  readonly column: Column<Row>
  readonly cells: ReadonlyArray<string>
  /** The width of its widest cell. */
  readonly wanted: number
}

/** The columns that stand side by side with their widths, and the free text that stands below each row. */
const arranged = <Row>(used: ReadonlyArray<Used<Row>>, width: number) => {
  const mayBeCut = ({ column: { prose, right, whole } }: Used<Row>) => !prose && !right && !whole
  for (let beside = used, below: ReadonlyArray<Used<Row>> = [];;) {
    const room = width - Gap * (beside.length - 1)
    const prose = beside.map(({ column }) => column.prose === true)
    const shorter = shrunk(
      shrunk(beside.map(({ wanted }) => wanted), prose, LeastProse, room),
      beside.map(mayBeCut),
      Short,
      room
    )
    const last = prose.lastIndexOf(true)
    if (sumOf(shorter) <= room || last < 0) {
      return { beside, below, widths: shrunk(shorter, beside.map(mayBeCut), Least, room) }
    }
    below = [beside[last]!, ...below]
    beside = beside.filter((_, i) => i !== last)
  }
}

/** The rows below their heads. Columns without any text are left out. An id that has no room makes the table wider. */
export const table = <Row>(rows: ReadonlyArray<Row>, columns: ReadonlyArray<Column<Row>>, width: number): string => {
  const used = columns.flatMap((column): ReadonlyArray<Used<Row>> => {
    const cells = rows.map((row) => line(String(column.of(row) ?? "")))
    const wanted = Math.max(widthOf(column.head), ...cells.map(widthOf))
    return cells.some((cell) => cell !== "") ? [{ column, cells, wanted }] : []
  })
  const { below, beside, widths } = arranged(used, width)
  const head = beside.map(({ column }, i) => padded(cut(column.head, widths[i]!), widths[i]!, column.right)).join("  ")
  const body = rows.flatMap((row, at) => [
    beside.map(({ cells, column }, i) => {
      const text = cut(cells[at]!, widths[i]!)
      return padded(styled(column.style?.(row), text), widths[i]!, column.right)
    }).join("  ").trimEnd(),
    ...below.filter(({ cells }) => cells[at] !== "").map(({ cells, column }) =>
      `  ${styled(column.style?.(row) ?? "dim", cut(cells[at]!, width - 2))}`
    )
  ])
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
