/**
 * Records as other servers spell them: two formats of timestamps, booleans as 0 and 1 or as such, JSON as text or as it
 * is, and null or empty text for what is not there. Unknown fields are ignored.
 */
import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { FlagInput, Time } from "../Encoding.ts"
import { excerpt } from "../Excerpt.ts"

export const ImportedTime = Time.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({ decode: DateTime.toEpochMillis, encode: (millis) => DateTime.makeUnsafe(millis) })
  )
)

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
