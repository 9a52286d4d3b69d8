/**
 * Pages that fit into a Worker: a page ends at about 4 MB of rows, however many the request asks for.
 *
 * A running sum in SQL could find the end, but D1 bills three reads for each row of it. So a page is first read without
 * the long texts of rows that exceed their share. Usually no row does, and the page is complete. Otherwise the page is
 * read again, as far as it fits.
 *
 * SQL knows the size of a text without reading it. As JSON the text may be six times as long, so the rows are also
 * measured here, and the page ends where they exceed its size.
 */
import * as Effect from "effect/Effect"
import { type Bounds, MaxLimit, MaxPageBytes } from "../../domain/Page.ts"
import { bytesOf } from "../../domain/Size.ts"
import type { Row } from "../Batch.ts"
import { Database } from "../Database.ts"
import { type Bound, type Statement, statement, type Values } from "../Statement.ts"

// How many bytes of an answer a column adds to the text of its value: for the name, the quotes, a number.
const BytesOfColumn = 20

// A list without a limit that has more rows than the longest page is read again, with at most this many rows.
const MostRows = 10_000

/** The columns of rows. `long` names those that may hold long text. */
export interface Shape {
  readonly columns: ReadonlyArray<string>
  readonly long: ReadonlyArray<string>
  /** The size of a row's long texts, as an expression, if the row has a column for that. */
  readonly bytes?: string
}

/**
 * The statements that read a page of a list: complete rows as far as they fit, or rows without the long texts of heavy
 * ones.
 */
export interface Pages {
  readonly light: Statement
  readonly fitting: Statement
}

/** Makes these statements from an ordered query with `:take`, the greatest number of rows. */
export const pagesOf = ({ bytes, columns, long }: Shape, rows: string): Pages => {
  const length = `${columns.length * BytesOfColumn} + ${
    bytes ?? long.map((name) => `coalesce(octet_length(${name}), 0)`).join(" + ")
  }`
  const lightened = columns.map((name) => long.includes(name) ? `iif(heavy, NULL, ${name}) AS ${name}` : name)
  return {
    light: statement(
      `SELECT ${lightened.join(", ")}, heavy FROM (SELECT *, ${length} > :share AS heavy FROM (${rows}))`
    ),
    // The first row is always in the result. So is the first row after the page: it shows that a next page exists, and
    // `Page.end` removes it.
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
  /** The pages of a list in an order that cursors cannot continue: used if the list does not fit on one page. */
  readonly inPages?: Pages
  /** The parameters of the query, without `:take` and `:most` (`:take` plus `:skip`). */
  readonly values: Values
  /** Answers the number of rows as `total`: for a list that is counted only if it does not fit on one page. */
  readonly count?: Bound
}

/** A page that was read. */
export interface Found<A> {
  /** The rows that fit, and possibly one more for `Page.end`. */
  readonly found: ReadonlyArray<Row>
  /** The answers to all steps, by name. */
  readonly answers: A
  /** The number of rows, if they were counted because the list did not fit. */
  readonly total: number | undefined
}

/** The rows, with their running size as JSON if they are larger than a page. */
const measured = (rows: ReadonlyArray<Row>): ReadonlyArray<Row> => {
  const units = rows.reduce(
    (sum, row) =>
      Object.values(row).reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 20), sum),
    0
  )
  // A code unit takes at most six bytes as JSON. Usually this proves that the rows fit.
  if (units * 6 <= MaxPageBytes) return rows
  let bytes = 0
  const all = rows.map((row) => {
    bytes += bytesOf(JSON.stringify(row))
    return { ...row, page_bytes: Math.max(bytes, Number(row.page_bytes ?? 0)) }
  })
  return bytes <= MaxPageBytes ? rows : all
}

/**
 * Makes the reader of pages. `run` sends the given statement as the step `rows`, together with other steps. A page that
 * does not fit is then read again, alone.
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
        // If there is one row more than the greatest number, it does not fit either.
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
