/**
 * How large texts may be, in bytes of UTF-8. D1 stores no row of more than 2,000,000 bytes. So each text has a limit,
 * and the limits of all texts of a row add up to less than that (test/http/Sizes.test.ts).
 */
import * as Schema from "effect/Schema"
import type * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { describe, ErrorText, isShortList, jsonTextOf, JsonValue } from "./Encoding.ts"
import { TaggedError } from "./TaggedError.ts"

/** The most bytes of a word: the name of an agent, a role, a type. */
export const MaxLabel = 1000
/** The most bytes of a line: a title, a path, a branch, an address. */
export const MaxLine = 4096
/** The most bytes of a reason: why a task was rejected, failed or moved. */
export const MaxReason = 32_768
/** The most bytes of JSON that is rarely used, and of lists of names. */
export const MaxShort = 32_768
/** The most bytes of long texts, and of JSON that callers keep. */
export const MaxLong = 131_072
/** The most bytes of the content of a task or message. */
export const MaxContent = 524_288

/**
 * The limit of all texts of a record together. An older version may have stored larger records
 * (`sql/dependency/Cascade.ts`).
 */
export const MaxRecord = 1_600_000

/** The size of the text in bytes of UTF-8. */
export const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** The text, or its beginning if all of it would be too large. */
export const cut = (text: string, most: number): string =>
  fits(text, most)
    ? text
    : `${new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, most - 3)).replace(/\ufffd+$/, "")}…`

// A UTF-16 code unit takes at most three bytes, so most texts need no count of their bytes.
const fits = (text: string, most: number): boolean =>
  text.length * 3 <= most || (text.length <= most && bytesOf(text) <= most)

/**
 * The annotation that holds the limit of a check. It distinguishes an excess from other mistakes (`http/Errors.ts`).
 */
export const LimitAnnotation = "octopoid-server/domain/Size"

const check = <A>(most: number, textOf: (value: A) => string) =>
  Schema.makeFilter((value: A) => fits(textOf(value), most), {
    expected: `at most ${most} bytes`,
    [LimitAnnotation]: most,
    toJsonSchema: ({ type }) => type === "string" ? [{ maxLength: most }, true] : [{}, true],
    arbitraryConstraint: { maxLength: most }
  })

/** Checks that a text is not larger than `most` bytes. */
export const atMost = (most: number) => check<string>(most, (text) => text)

export const Label = Schema.String.check(atMost(MaxLabel))
export const Line = Schema.String.check(atMost(MaxLine))
export const ReasonText = Schema.String.check(atMost(MaxReason))
export const ShortText = Schema.String.check(atMost(MaxShort))
export const LongText = Schema.String.check(atMost(MaxLong))
export const ContentText = Schema.String.check(atMost(MaxContent))

/** A text that must not be empty. */
export const filled = (most: number) => Schema.NonEmptyString.check(atMost(most))

/** Checks that the JSON text of a value is not larger than `most` bytes. */
export const atMostAsJson = (most: number) => check<unknown>(most, (value) => JSON.stringify(value))

/** Any JSON value whose text is not larger than `most` bytes. */
export const sizedJson = (most: number) => JsonValue.check(atMostAsJson(most))

/** JSON kept as text that is not larger than `most` bytes. */
export const sizedJsonText = (most: number) => jsonTextOf(Schema.String.check(atMost(most))).check(atMost(most))

/** The same, for JSON that is usually a list. */
export const sizedJsonList = (most: number) => sizedJsonText(most).check(isShortList)

/** An id in a body. Clients that refer to a draft also send its number. */
export const SizedId = Schema.Union([filled(MaxLabel), Schema.Int]).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: String, encode: (id): string | number => id })
  )
)

/** A text, or a whole record, is larger than allowed. */
export class TooLarge extends TaggedError<TooLarge>()(
  "TooLarge",
  {
    error: ErrorText,
    field: Schema.String.pipe(
      describe("The field that is too large, such as `content`; `record` if all fields together are.")
    ),
    limit: Schema.Int.pipe(describe("The limit, in bytes of UTF-8.")),
    size: Schema.NullOr(Schema.Int).pipe(describe("The size, in bytes of UTF-8; null if it is not known."))
  },
  { httpApiStatus: 413, description: "A field, or the whole record, is too large. Nothing was changed." }
) {
  static readonly of = (field: string, size: number, limit: number) =>
    new TooLarge({
      error:
        `${field}: it has ${size} bytes, and at most ${limit} are kept. Shorten it, or keep it elsewhere and name the place.`,
      field,
      limit,
      size
    })

  /** The hooks of the task would be too large with the evidence. */
  static readonly evidence = (size: number) =>
    new TooLarge({
      error:
        `evidence: the hooks of the task would have ${size} bytes with it, and at most ${MaxLong} are kept. Shorten it, or keep it elsewhere and name the place.`,
      field: "evidence",
      limit: MaxLong,
      size
    })

  /** The task is too large already, so it takes no checkpoint. */
  static readonly forCheckpoint = (task_id: string) =>
    new TooLarge({
      error:
        `Task ${task_id} is larger than ${MaxRecord} bytes, so it takes no checkpoint. Renew the lease without one, and shorten the task's longest field with a PATCH.`,
      field: "record",
      limit: MaxRecord,
      size: null
    })

  /** D1 does not store a row of this size. */
  static readonly record = () =>
    new TooLarge({
      error:
        `The record would be larger than the database stores, so nothing was changed. Shorten its longest field with a PATCH, or delete it.`,
      field: "record",
      limit: MaxRecord,
      size: null
    })
}

export interface Excess {
  readonly path: ReadonlyArray<PropertyKey>
  readonly limit: number
  readonly input: unknown
}

/** The texts that are too large, or undefined if something else is wrong as well. */
const excesses = (
  issue: SchemaIssue.Issue,
  path: ReadonlyArray<PropertyKey> = []
): ReadonlyArray<Excess> | undefined => {
  switch (issue._tag) {
    case "Filter": {
      const limit = issue.filter.annotations?.[LimitAnnotation]
      return typeof limit === "number" ? [{ path, limit, input: issue.input }] : undefined
    }
    case "Encoding":
      return excesses(issue.issue, path)
    case "Pointer":
      return excesses(issue.issue, [...path, ...issue.path])
    case "Composite": {
      const all = issue.issues.map((one) => excesses(one, path))
      return all.includes(undefined) ? undefined : all.flatMap((some) => some ?? [])
    }
    case "AnyOf": {
      // One member of the union would accept the value if it were smaller.
      const all = issue.issues.flatMap((one) => excesses(one, path) ?? [])
      return all.length === 0 ? undefined : all.slice(0, 1)
    }
    default:
      return undefined
  }
}

/** The texts that are too large, if nothing else is wrong with the input. */
export const excessesOf = (issue: SchemaIssue.Issue): ReadonlyArray<Excess> => excesses(issue) ?? []

/** The answer for the first text that is too large. */
export const excessOf = (issue: SchemaIssue.Issue): TooLarge | undefined => {
  const [first] = excessesOf(issue)
  if (first === undefined) return undefined
  const text = typeof first.input === "string" ? first.input : JSON.stringify(first.input)
  return TooLarge.of(first.path.map(String).join("."), bytesOf(text), first.limit)
}
