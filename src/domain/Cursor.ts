/**
 * Cursors: where the next page of a list begins, by the values that order it (keyset pagination), so that a page costs the
 * same wherever it is, and what is created or deleted meanwhile neither repeats nor hides anything else. Opaque to clients.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "./Encoding.ts"
import { TaggedError } from "./TaggedError.ts"

/** The values of one row in the columns that order its list. */
export type Key = ReadonlyArray<string | number>

/** What the columns hold that order a list. */
export type KeyTypes = Readonly<Record<string, "number" | "string">>

export interface Cursor {
  /** The list it is of, narrowed as it was: `fingerprint`. */
  readonly list: string
  /** How many rows matched when the first page was read. */
  readonly total: number
  /** How many rows come before the page. */
  readonly offset: number
  /** The row that it begins after. */
  readonly key: Key
}

const Version = 1

const Text = Schema.StringFromBase64Url.pipe(Schema.decodeTo(Schema.fromJsonString(Schema.Tuple([
  Schema.Literal(Version),
  Schema.String,
  Schema.Int,
  Schema.Int,
  Schema.Array(Schema.Union([Schema.String, Schema.Int]))
]))))
const decodeText = Schema.decodeUnknownResult(Text)
const encodeText = Schema.encodeSync(Text)

export const encode = ({ key, list, offset, total }: Cursor): string => encodeText([Version, list, total, offset, key])

export class InvalidCursor extends TaggedError<InvalidCursor>()(
  "InvalidCursor",
  { error: ErrorText, cursor: Schema.String.pipe(describe("The cursor as it was sent.")) },
  { httpApiStatus: 400, description: "The cursor is none of this list, or comes with an offset." }
) {
  private static readonly because = (cursor: string, error: string) => new InvalidCursor({ error, cursor })
  static readonly unreadable = (cursor: string) =>
    this.because(cursor, "The cursor is none of this server. Send next_cursor of the page before, or none.")
  static readonly foreign = (cursor: string) =>
    this.because(
      cursor,
      "The cursor is of another list. Repeat the scope, the filters and the sort order of the page that gave it."
    )
  static readonly withOffset = (cursor: string) =>
    this.because(cursor, "A cursor says where the page begins: leave out offset.")
}

/** The cursor of `list` whose rows have such keys. */
export const decode = (text: string, list: string, types: KeyTypes): Result.Result<Cursor, InvalidCursor> => {
  const content = decodeText(text)
  if (Result.isFailure(content)) return Result.fail(InvalidCursor.unreadable(text))
  const [, of, total, offset, key] = content.success
  if (of !== list) return Result.fail(InvalidCursor.foreign(text))
  const expected = Object.values(types)
  return key.length === expected.length && expected.every((type, i) => typeof key[i] === type)
    ? Result.succeed({ list, total, offset, key })
    : Result.fail(InvalidCursor.unreadable(text))
}
