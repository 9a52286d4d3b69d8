/**
 * Pages of lists, and the cursors that lead from one to the next.
 *
 * A cursor holds the values that order the list, of the last row of a page (keyset pagination). So every page costs the
 * same, and records that are created or deleted meanwhile neither repeat nor hide others. Clients do not look into
 * cursors.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { describe, ErrorText, FlagParameter, integerParameter } from "./Encoding.ts"
import { fingerprint } from "./Fingerprint.ts"
import { bytesOf } from "./Size.ts"
import { TaggedError } from "./TaggedError.ts"

/** The values of a row in the columns that order its list. */
export type Key = ReadonlyArray<string | number>

/** The types of the columns that order a list. */
export type KeyTypes = Readonly<Record<string, "number" | "string">>

export interface Cursor {
  /** The fingerprint of the list and its filters. */
  readonly list: string
  /** How many rows matched when the first page was read. */
  readonly total: number
  /** How many rows come before the page. */
  readonly offset: number
  /** The page begins after this row. */
  readonly key: Key
}

const CursorVersion = 1

const CursorText = Schema.StringFromBase64Url.pipe(Schema.decodeTo(Schema.fromJsonString(Schema.Tuple([
  Schema.Literal(CursorVersion),
  Schema.String,
  Schema.Int,
  Schema.Int,
  Schema.Array(Schema.Union([Schema.String, Schema.Int]))
]))))
const decodeText = Schema.decodeUnknownResult(CursorText)
const encodeText = Schema.encodeSync(CursorText)

export const encodeCursor = ({ key, list, offset, total }: Cursor): string =>
  encodeText([CursorVersion, list, total, offset, key])

export class InvalidCursor extends TaggedError<InvalidCursor>()(
  "InvalidCursor",
  { error: ErrorText, cursor: Schema.String.pipe(describe("The cursor as it was sent.")) },
  { httpApiStatus: 400, description: "The cursor does not belong to this list, or comes with an offset." }
) {
  private static readonly because = (cursor: string, error: string) => new InvalidCursor({ error, cursor })
  static readonly unreadable = (cursor: string) =>
    this.because(cursor, "This server did not issue the cursor. Send next_cursor of the page before, or none.")
  static readonly foreign = (cursor: string) =>
    this.because(
      cursor,
      "The cursor is of another list. Repeat the scope, the filters and the sort order of the page that gave it."
    )
  static readonly searchWithOffset = () =>
    this.because("", "A search goes on by its cursor: leave out offset, and send next_cursor of the page before.")
  static readonly withOffset = (cursor: string) =>
    this.because(cursor, "A cursor says where the page begins: leave out offset.")
}

/** Decodes a cursor of `list` whose key has these types. */
export const decodeCursor = (text: string, list: string, types: KeyTypes): Result.Result<Cursor, InvalidCursor> => {
  const content = decodeText(text)
  if (Result.isFailure(content)) return Result.fail(InvalidCursor.unreadable(text))
  const [, of, total, offset, key] = content.success
  if (of !== list) return Result.fail(InvalidCursor.foreign(text))
  const expected = Object.values(types)
  return key.length === expected.length && expected.every((type, i) => typeof key[i] === type)
    ? Result.succeed({ list, total, offset, key })
    : Result.fail(InvalidCursor.unreadable(text))
}

/** The longest page. A request with a greater `limit` gets this many rows; `limit` in the answer says so. */
export const MaxLimit = 500

/**
 * About how many bytes of rows a page holds, with any `limit`: a Worker has 128 MB for everything. A page holds at
 * least one row, so that its cursor leads on.
 */
export const MaxPageBytes = 4_000_000

/** The cursor of the first page, for lists that are complete unless the request has a cursor. */
export const FirstPage = "first"

const Natural = integerParameter({ minimum: 0 })

const Limit = Natural.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({ decode: (n) => Math.min(n, MaxLimit), encode: (n) => n })
  )
)

const cursor = Schema.optionalKey(Schema.String.check(Schema.isMaxLength(4096))).pipe(
  describe(
    "The `next_cursor` of the page before; `first`, or none, for the first page. Repeat the other parameters unchanged."
  )
)

/** The first items whose JSON fits into `most` bytes: for lists without a second page. */
export const asFit = <Item>(items: ReadonlyArray<Item>, most = MaxPageBytes): ReadonlyArray<Item> => {
  let bytes = 0
  const end = items.findIndex((item) => (bytes += bytesOf(JSON.stringify(item))) > most)
  return end === -1 ? items : items.slice(0, end)
}

/** The query parameters of every list. */
export const pageParameters = {
  limit: Schema.optionalKey(
    Limit.pipe(describe(
      `How many rows at most: 50 unless given or stated otherwise, never more than ${MaxLimit}. A page of long rows ends earlier, at about 4 MB.`
    ))
  ),
  offset: Schema.optionalKey(Natural.pipe(describe("How many rows to skip. Not together with `cursor`."))),
  cursor
}

/** The query parameters of a list that is complete unless the request asks for a page. */
export const wholeParameters = {
  limit: Schema.optionalKey(Limit.pipe(describe(
    `How many rows at most: all unless given, otherwise up to ${MaxLimit}. A list with more than about 4 MB of rows ends there, and \`next_cursor\` leads to the rest.`
  ))),
  cursor
}

/** Whether a read returns the long texts too. */
export const contentParameter = (without: string) => ({
  content: Schema.optionalKey(FlagParameter.pipe(describe(`\`false\` leaves out long texts: ${without}.`)))
})

interface Query {
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  readonly cursor?: string | undefined
}

/** The page that a request asks for, of a list that is otherwise complete. */
export type WholeQuery = Omit<Query, "offset">

/** Whether the request asks for the long texts. */
export interface ContentChoice {
  readonly content?: boolean | undefined
}

interface List {
  /** The list and its filters. A cursor of another list is refused. */
  readonly name: string
  readonly of: Readonly<Record<string, unknown>>
  /** The columns that order the list and identify its rows. */
  readonly key: KeyTypes
  /** Whether a request without a limit gets the longest page (`true`) or every row (`"all"`). */
  readonly whole?: boolean | "all"
}

/** The fields of an answer that describe its page. */
export interface Envelope {
  readonly total: number
  readonly offset: number
  readonly limit: number
  readonly next_cursor: string | null
}

export interface Page {
  /** How many rows the page holds at most; -1 means all rows. */
  readonly limit: number
  /** How many rows come before the page. */
  readonly offset: number
  /** How many rows to read: one more than the page holds, which shows whether there is another page. -1 means all. */
  readonly take: number
  /** How many rows to skip. It is 0 if a cursor says where the page begins. */
  readonly skip: number
  /** The columns that order the list, and their values in the row before the page. */
  readonly columns: ReadonlyArray<string>
  readonly after: Key | undefined
  /** How many rows matched when the first page was read, if this is a later page: rows are not counted again. */
  readonly total: number | undefined
  /** Makes the page and its envelope from the rows that were read. */
  readonly end: <Row extends object>(rows: ReadonlyArray<Row>, counted?: number) => {
    readonly rows: ReadonlyArray<Row>
    readonly envelope: Envelope
  }
}

const ofPage: ReadonlySet<string> = new Set(["content", "cursor", "limit", "offset"])

const parts = (asked: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(asked).filter(([name]) => !ofPage.has(name)))

// Rows that `sql/page/PageBytes.ts` limited carry the size of the page up to and including them.
const fits = (row: object, place: number) =>
  place === 0 || !("page_bytes" in row) || Number(row.page_bytes) <= MaxPageBytes

/** The page that a query asks for. */
export const pageOf = (
  query: Query,
  { key, name, of, whole = false }: List
): Result.Result<Page, InvalidCursor> => {
  const list = fingerprint(name, parts(of))
  const columns = Object.keys(key)
  const limit = query.limit ?? (whole === "all" ? -1 : whole ? MaxLimit : 50)
  const page = (at: Cursor | undefined): Page => {
    const offset = at?.offset ?? query.offset ?? 0
    return {
      limit,
      offset,
      take: limit < 0 ? limit : limit + 1,
      skip: at === undefined ? offset : 0,
      columns,
      after: at?.key,
      total: at?.total,
      end: (found, counted) => {
        const fitting = found.filter(fits)
        const rows = limit < 0 ? fitting : fitting.slice(0, limit)
        const total = at?.total ?? counted ?? rows.length
        const last = rows.length < found.length ? rows.at(-1) : undefined
        const next_cursor = last === undefined ? null : encodeCursor({
          list,
          total,
          offset: offset + rows.length,
          key: columns.map((column) => last[column as keyof typeof last] as string | number)
        })
        return { rows, envelope: { total, offset, limit, next_cursor } }
      }
    }
  }
  if (query.cursor === undefined || query.cursor === "" || query.cursor === FirstPage) {
    return Result.succeed(page(undefined))
  }
  if (query.offset !== undefined) return Result.fail(InvalidCursor.withOffset(query.cursor))
  return Result.map(decodeCursor(query.cursor, list, key), page)
}

/** What the SQL of a list needs to know about the page. */
export type Bounds = Pick<Page, "after" | "columns" | "limit" | "take">

/** The list from its beginning, as many rows as fit on one page. */
export const wholeList: Page = {
  limit: -1,
  offset: 0,
  take: -1,
  skip: 0,
  columns: [],
  after: undefined,
  total: undefined,
  end: (rows) => ({
    rows: rows.filter(fits),
    envelope: { total: rows.length, offset: 0, limit: -1, next_cursor: null }
  })
}

/** The rows of a page, and the cursor of the next one. */
export interface Part<Row> {
  readonly rows: ReadonlyArray<Row>
  readonly next_cursor: string | null
}

/** The cursor of the next page, in the envelope of every list. */
export const nextCursor = {
  next_cursor: Schema.NullOr(Schema.String).pipe(
    describe(
      "The `cursor` of the next request; null if this is the last page, or if `limit` is 0. A page ends at its `limit`, or at about 4 MB of rows."
    )
  )
}

/** The envelope of every list. */
export const pageEnvelope = {
  total: Schema.Int.pipe(
    describe("How many rows match, on all pages. With a cursor: how many matched when the first page was read.")
  ),
  offset: Schema.Int.pipe(describe("How many rows come before this page.")),
  limit: Schema.Int.pipe(describe("How many rows this page holds at most.")),
  ...nextCursor
}
