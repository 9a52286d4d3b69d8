/** How values are written: as JSON on the wire, and as columns in a row. Both decode to the same type. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { excerpt, MaxRepeated } from "./Excerpt.ts"
import { expectedInstant, FirstInstant, LastInstant, millisOf } from "./Instant.ts"
import { flawsOf, halvesCharacters, mended } from "./WellFormed.ts"

/** Describes the encoded form of a value, for the OpenAPI document. */
export const describe = (description: string) => <S extends Schema.Top>(schema: S): S["Rebuild"] =>
  // A schema without encoding is described as it is: to flip it twice costs time at every start.
  schema.ast.encoding === undefined && schema.ast.checks === undefined
    ? schema.annotate({ description })
    : Schema.annotateEncoded<S>({ description })(schema)

/** Text that may be null. */
export const text = (description: string) => Schema.NullOr(Schema.String).pipe(describe(description))

/**
 * A field of a body that may be absent or null. Null comes first in the union: a schema of JSON behind it would take
 * null for a value.
 */
export const maybe = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.optionalKey(Schema.Union([Schema.Null, schema]).pipe(describe(description)))

/** Makes each of the fields optional: a value of the struct may leave it out. */
export const optionalKeys = <F extends Record<string, Schema.Top>>(fields: F) =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, Schema.optionalKey(field)])) as {
    readonly [K in keyof F]: Schema.optionalKey<F[K]>
  }

/** Instants: ISO 8601 with milliseconds and `Z` on the wire, integer milliseconds since 1970 in a row. */
export const Time = Schema.String.pipe(
  Schema.decodeTo(
    Schema.DateTimeUtc,
    SchemaTransformation.transformEffect({
      decode: (text, options) => {
        const millis = millisOf(text)
        return millis === undefined
          ? Effect.fail(new SchemaIssue.InvalidValue({ expected: expectedInstant }, text, options))
          : Effect.succeed(DateTime.makeUnsafe(millis))
      },
      // Earlier versions accepted years that do not have four digits.
      encode: (instant) =>
        Effect.succeed(
          new Date(Math.min(Math.max(DateTime.toEpochMillis(instant), FirstInstant), LastInstant)).toISOString()
        )
    })
  ),
  describe("An instant: ISO 8601 with milliseconds, in UTC.")
)
export const TimeColumn = Schema.DateTimeUtcFromMillis

/** A boolean spelled 0 or 1: in every row, and on the wire for the booleans of a task. */
export const Flag = Schema.Literals([0, 1]).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({ decode: (flag) => flag === 1, encode: (value): 0 | 1 => value ? 1 : 0 })
  )
)

/** A boolean in a request body: `true`, `false`, 1 or 0. */
export const FlagInput = Schema.Union([Schema.Boolean, Flag])

/** A boolean in a query string. Python's `requests` writes `True`, others `true` or `1`. */
export const FlagParameter = Schema.Literals(["true", "True", "TRUE", "1", "false", "False", "FALSE", "0"]).annotate({
  contentSchema: { type: "boolean" }
}).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({
      decode: (text) => text === "1" || text.toLowerCase() === "true",
      encode: (value) => value ? "true" as const : "false" as const
    })
  )
)

/** How deep a value may nest. Deeper JSON would exhaust the stack of the code that walks it. */
const MaxDepth = 100

const depth = (value: unknown): number => {
  let level: ReadonlyArray<unknown> = [value]
  let deep = 0
  while (level.length > 0 && deep <= MaxDepth) {
    level = level.flatMap((item) => typeof item === "object" && item !== null ? Object.values(item) : [])
    deep++
  }
  return deep
}

/** Any JSON value that nests at most `MaxDepth` deep. */
export const JsonValue = Schema.Json.check(
  Schema.makeFilter((value) => depth(value) <= MaxDepth, { expected: `no more than ${MaxDepth} levels of nesting` })
)

/** A structured value in a row: JSON text. */
export const jsonColumn = <S extends Schema.Top>(schema: S) =>
  Schema.String.pipe(
    Schema.decodeTo(Schema.String, SchemaTransformation.transform({ decode: mended, encode: (text) => text })),
    Schema.decodeTo(Schema.fromJsonString(schema))
  )
export const JsonColumn = jsonColumn(Schema.Json)

/** A value that a body carries as JSON text. The answer repeats the text as it was sent. */
export const fromJsonText = <S extends Schema.Top>(schema: S) =>
  Schema.String.check(
    Schema.makeFilter((text) => flawsOf(text).length === 0, {
      expected: "JSON of well-formed Unicode, and numbers that come back as they were sent"
    })
  ).pipe(Schema.decodeTo(Schema.fromJsonString(schema)))

/** Checks that JSON text holds no half of a surrogate pair. */
export const isWellFormedJson = Schema.makeFilter(
  (value: unknown) => typeof value !== "string" || !halvesCharacters(value),
  { expected: "JSON of well-formed Unicode" }
)

/**
 * JSON that is kept as text and travels as `text`. A body may also carry the value itself; it is then written as text.
 */
export const jsonTextOf = (text: typeof Schema.String) =>
  Schema.Union([text, JsonValue]).check(isWellFormedJson).pipe(
    Schema.decodeTo(
      Schema.String,
      SchemaTransformation.transform({
        decode: (value) => typeof value === "string" ? value : JSON.stringify(value),
        encode: (text): Schema.Json => text
      })
    )
  )

/** How many items a list in a request may have, unless it has a limit of its own. */
export const MaxItems = 50

/** A list in a request. The OpenAPI document states its limit, and so does the answer to a longer list. */
export const listOf = <S extends Schema.Top>(item: S, most: number = MaxItems) =>
  Schema.Array(item).check(Schema.isMaxLength(most, { message: `a list of at most ${most} items was expected` }))

const isShort = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text)
    return !Array.isArray(value) || value.length <= MaxItems
  } catch {
    return true
  }
}

/** Checks that JSON text holds no list that is too long. */
export const isShortList = Schema.makeFilter(isShort, {
  message: `a list of at most ${MaxItems} items was expected`
})

/** A whole number in a body. */
export const integer = Schema.Int.check(
  Schema.isBetween({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
)

/** The largest count. Counters that start here can still rise without leaving the safe integers. */
export const MaxCount = 1_000_000_000

/** A count. */
export const natural = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: MaxCount }))

/** A count of at least 1. */
export const positive = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MaxCount }))

/** The largest number of 15 digits. */
const MaxParameter = 999_999_999_999_999

const integerText = (minimum: number, maximum: number) =>
  // `contentSchema` is what the OpenAPI document says about the parameter. It comes before the checks, because a check
  // changes which annotations count.
  Schema.String.annotate({ contentSchema: { type: "integer", minimum, maximum } }).check(
    Schema.isPattern(/^-?\d{1,15}$/, { expected: "a whole number" })
  ).pipe(Schema.decodeTo(Schema.Int, SchemaTransformation.numberFromString))

/** A whole number in a path or a query string. Only digits: `1e3` is refused. */
export const IntegerParameter = integerText(-MaxParameter, MaxParameter)

/** A whole number in a path or a query string, of at least `minimum` and at most `maximum`. */
export const integerParameter = ({ maximum, minimum }: { readonly minimum: number; readonly maximum?: number }) =>
  integerText(minimum, maximum ?? MaxParameter).check(
    maximum === undefined ? Schema.isGreaterThanOrEqualTo(minimum) : Schema.isBetween({ minimum, maximum })
  )

/** `a,b` in a query string; an empty value means no filter. */
export const CommaList = Schema.String.pipe(
  Schema.decodeTo(
    listOf(Schema.String),
    SchemaTransformation.transform({
      decode: (text): ReadonlyArray<string> => text.split(",").filter((item) => item !== ""),
      encode: (items) => items.join(",")
    })
  )
)

// A TypeScript client of the old server takes every error that contains one of these words for "the server is
// unreachable" and goes on offline, with a task of its own. Error sentences contain ids and titles that callers chose,
// so the words are altered when the sentence is encoded. It stays readable.
const offlineWords: ReadonlyArray<readonly [RegExp, string]> = [
  [/network/gi, "net-work"],
  [/timeout/gi, "time-out"],
  [/fetch failed/gi, "fetch-failed"],
  [/econnrefused/gi, "econn-refused"],
  [/enotfound/gi, "enot-found"],
  [/etimedout/gi, "etimed-out"]
]

/** The `error` sentence of an answer: what is wrong, and what the caller can do. */
export const ErrorText = Schema.String.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({
      decode: (text) => text,
      encode: (text) =>
        offlineWords.reduce((result, [word, softer]) => result.replace(word, softer), excerpt(text, MaxRepeated))
    })
  ),
  describe("One plain sentence: what is true now, and what the caller can do next.")
)
