/**
 * Pages that a Worker can hold: a page ends at about 4 MB of rows, however many rows it was asked for.
 *
 * A running sum in SQL could say where it ends, but D1 bills each row of that three times. So a page is first read without the
 * long texts of rows that have more than their share of it. Mostly no row has, and the page is complete. Otherwise it is read
 * again, as far as it fits.
 *
 * SQL knows how many bytes a text has without reading it. In JSON it may have six times as many, so the rows are measured here
 * as well, and the page ends where they are more than it holds.
 */
import * as Effect from "effect/Effect"
import { type Bounds, MaxLimit, MaxPageBytes } from "../domain/Page.ts"
import { bytesOf } from "../domain/Size.ts"
import type { Row } from "./Batch.ts"
import { Database } from "./Database.ts"
import { type Bound, type Statement, statement, type Values } from "./Statement.ts"

// How many bytes a column adds to a row in an answer besides its text: for the name, the quotes, a number.
const BytesOfColumn = 20

// A list without a limit is read again if it has more rows than the longest page, and then has this many at most.
const MostRows = 10_000

/** The columns of rows, and which of them may hold long text. */
export interface Shape {
  readonly columns: ReadonlyArray<string>
  readonly long: ReadonlyArray<string>
  /** How many bytes the long texts of a row have, where the rows say so themselves: an expression over their columns. */
  readonly bytes?: string
}

/** The statements that read a page of a list, made once: whole rows as far as they fit, or without the long texts of heavy rows. */
export interface Pages {
  readonly light: Statement
  readonly fitting: Statement
}

/** Makes them of the query for the rows, in order, which has `:take` for how many there may be. */
export const pagesOf = ({ bytes, columns, long }: Shape, rows: string): Pages => {
  const length = `${columns.length * BytesOfColumn} + ${
    bytes ?? long.map((name) => `coalesce(octet_length(${name}), 0)`).join(" + ")
  }`
  const lightened = columns.map((name) => long.includes(name) ? `iif(heavy, NULL, ${name}) AS ${name}` : name)
  return {
    light: statement(
      `SELECT ${lightened.join(", ")}, heavy FROM (SELECT *, ${length} > :share AS heavy FROM (${rows}))`
    ),
    // A row that does not fit is there if it is the first one, and so is the row after it, which `Page.end` leaves out.
    fitting: statement(`
      SELECT * FROM (
        SELECT *, sum(row_bytes) OVER so_far AS page_bytes, row_number() OVER so_far AS place
        FROM (SELECT *, ${length} AS row_bytes FROM (${rows})) WINDOW so_far AS (ROWS UNBOUNDED PRECEDING))
      WHERE page_bytes - row_bytes <= ${MaxPageBytes} OR place = 2 ORDER BY place`)
  }
}

export interface Listing {
  readonly page: Bounds
  readonly pages: Pages
  /** The pages of a whole list that is in another order than cursors can go on in: for where it does not fit on one. */
  readonly inPages?: Pages
  /** The values that the query for the rows names, without `:take`, and `:most`, which is `:take` and `:skip` together. */
  readonly values: Values
  /** Answers how many rows there are as `total`: for a list that need not be counted while it is whole, and turns out not to be. */
  readonly count?: Bound
}

/** A page as it was read. */
export interface Found<A> {
  /** The rows that fit, and perhaps one more, for `Page.end`. */
  readonly found: ReadonlyArray<Row>
  /** The answers to all steps that were sent, by name. */
  readonly answers: A
  /** How many rows there are, if they were counted because the list is not whole. */
  readonly total: number | undefined
}

/** The rows with their length so far as JSON, if they are longer than a page; as they are otherwise. */
const measured = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const units = rows.reduce(
    (sum, row) =>
      Object.values(row).reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 20), sum),
    0
  )
  // No unit of a text has more than six bytes in JSON, and mostly that is enough to know.
  if (units * 6 <= MaxPageBytes) return rows
  let bytes = 0
  const all = rows.map((row) => {
    bytes += bytesOf(JSON.stringify(row))
    return { ...row, page_bytes: Math.max(bytes, Number(row.page_bytes ?? 0)) }
  })
  return bytes <= MaxPageBytes ? rows : all
}

/**
 * Makes what reads a page. `run` sends the statement that it is given as the step `rows`, and others with it; a page that does not
 * fit is then read again by itself.
 */
export const reader = Effect.gen(function*() {
  const { batch } = yield* Database

  return Effect.fnUntraced(function*<A extends { readonly rows: ReadonlyArray<Row> }, E>(
    { count, inPages, page, pages, values }: Listing,
    run: (rows: Bound) => Effect.Effect<A, E>
  ) {
    const { take } = page
    const whole = take < 0
    const usual = whole ? MaxLimit + 1 : take
    const taking = (take: number): Values => ({ ...values, take, most: take + Number(values.skip ?? 0) })
    const answers = yield* run(pages.light({ ...taking(usual), share: Math.floor(MaxPageBytes / usual) }))
    const found = measured(answers.rows)
    const early = found.some(({ heavy }) => heavy === 1) ||
      (whole && (found.length === usual || found !== answers.rows))
    const first: Found<A> = { found, answers, total: undefined }
    if (!early) return first
    const read = Effect.fnUntraced(function*({ fitting }: Pages, most: number, count?: Bound) {
      const { counted, rows } = yield* batch({
        rows: fitting(taking(most + 1)),
        counted: count
      })
      return {
        // One more row than there may be does not fit either.
        found: measured(rows).map((row, place) => place === most ? { ...row, page_bytes: Infinity } : row),
        total: counted[0] === undefined ? undefined : Number(counted[0].total)
      }
    })
    const again = yield* read(pages, whole ? MostRows : take - 1, whole ? count : undefined)
    const cut = again.found.some(({ page_bytes }, place) => place > 0 && Number(page_bytes) > MaxPageBytes)
    const second: Found<A> = cut && whole && inPages !== undefined
      ? { found: (yield* read(inPages, MostRows)).found, answers, total: again.total }
      : { ...again, answers }
    return second
  })
})
