/** The base of every error of the API. Its `error` sentence is also its message in stack traces and logs. */
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "./Encoding.ts"
import { excerpt, MaxRepeated } from "./Excerpt.ts"

const message = {
  configurable: true,
  get(this: { readonly error: string }): string {
    return this.error
  }
}

/** How many items of a list an error repeats. */
const MaxListed = 100

const shortened = (value: unknown): unknown =>
  typeof value === "string"
    ? excerpt(value, MaxRepeated)
    : Array.isArray(value)
    ? value.slice(0, MaxListed).map(shortened)
    : value

/**
 * `Schema.TaggedError` whose `message` is its `error`. `message` is a getter of the class, so it is no field and does
 * not travel; an error with a field of this name keeps that field. Texts and lists that an error repeats from a request
 * or record are shortened.
 */
export const TaggedError =
  <Self>() =>
  <Tag extends string, const Fields extends Schema.Struct.Fields & { readonly error: Schema.Top }>(
    tag: Tag,
    fields: Fields,
    annotations?: Schema.Annotations.Declaration<Self, readonly [Schema.TaggedStruct<Tag, Fields>]>
  ) => {
    const Tagged = Schema.TaggedError<Self>()(tag, fields, annotations)
    class Short extends (Tagged as unknown as new(...parameters: ReadonlyArray<unknown>) => object) {
      constructor(fields: object, ...rest: ReadonlyArray<unknown>) {
        super(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, shortened(value)])), ...rest)
      }
    }
    Object.defineProperty(Short.prototype, "message", message)
    return Short as unknown as typeof Tagged
  }

export class NoFields extends TaggedError<NoFields>()(
  "NoFields",
  {
    error: ErrorText,
    fields: Schema.Array(Schema.String).pipe(describe("The fields that can be updated."))
  },
  { httpApiStatus: 400, description: "The request names no field that can be updated." }
) {
  static readonly of = (schema: { readonly fields: object }) =>
    new NoFields({ error: "No fields to update", fields: Object.keys(schema.fields) })
}

export class ScopeRequired extends TaggedError<ScopeRequired>()(
  "ScopeRequired",
  { error: ErrorText },
  {
    httpApiStatus: 400,
    description:
      "The request names no scope: the server is configured to require one, or several scopes have what it asks for."
  }
) {
  /** Several scopes have a record of this name, so the request has to name its scope. */
  static readonly several = (kind: string, name: string) =>
    new ScopeRequired({
      error: `Missing required query parameter: scope. Several scopes have a ${kind} named ${name}: say which is meant.`
    })
}
