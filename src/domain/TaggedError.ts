/** What every error of the API is made with, so that its sentence is also what a stack trace and a log call it. */
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
 * `Schema.TaggedError` whose `message` is its `error`. It is read off the class, so that it is no field and does not
 * travel. An error that has a field of this name keeps it. What it repeats of a request or a record is cut.
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
  /** A record is named by its name alone, and that is not enough. */
  static readonly several = (kind: string, name: string) =>
    new ScopeRequired({
      error: `Missing required query parameter: scope. Several scopes have a ${kind} named ${name}: say which is meant.`
    })
}
