/**
 * Records as other servers spell them: two formats of timestamps, booleans as 0 and 1 or as such, JSON as text or as it
 * is, and null or empty text for what is not there. Unknown fields are ignored.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { FlagInput } from "./Encoding.ts"
import { excerpt } from "./Excerpt.ts"

const instant = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?$/i

/** Milliseconds of `2026-03-02 10:00:00`, which is UTC, and of ISO 8601 with any number of digits and any offset. */
export const millisOf = (text: string): Option.Option<number> => {
  const [, date, time = "00:00", fraction = "", zone = "Z"] = instant.exec(text.trim()) ?? []
  return date === undefined
    ? Option.none()
    : Option.map(DateTime.make(`${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`), DateTime.toEpochMillis)
}

export const ImportedTime = Schema.String.check(
  Schema.makeFilter((text) => Option.isSome(millisOf(text)), {
    expected: "a time, as `2026-03-02 10:00:00` or in ISO 8601"
  })
).pipe(Schema.decodeTo(
  Schema.Int,
  SchemaTransformation.transform({
    decode: (text) => Option.getOrElse(millisOf(text), () => 0),
    encode: (millis) => DateTime.formatIso(DateTime.makeUnsafe(millis))
  })
))

export const ImportedFlag = FlagInput.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({ decode: (value) => Number(value), encode: (number) => number === 1 })
  )
)

/** What another server may not have, or not know. */
export const optional = Schema.optionalKey
const format = SchemaIssue.makeFormatterStandardSchemaV1()

const explain = (error: Schema.SchemaError): string =>
  format(error.issue).issues.slice(0, 5)
    .map(({ message, path = [] }) =>
      `${path.map((part) => String(Predicate.isObject(part) ? part.key : part)).join(".") || "record"}: ${
        excerpt(message, 300)
      }`
    ).join("; ")

/** Reads a record, or says which of its fields do not fit and why. */
export const reader = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all" })
  return (record: unknown): Result.Result<S["Type"], string> =>
    Predicate.isObject(record)
      ? Result.mapError(
        decode(Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== ""))),
        explain
      )
      : Result.fail("The record is not an object.")
}
