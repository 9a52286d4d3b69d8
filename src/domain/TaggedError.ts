/** What every error of the API is made with, so that its sentence is also what a stack trace and a log call it. */
import * as Schema from "effect/Schema"

const message = {
  configurable: true,
  get(this: { readonly error: string }): string {
    return this.error
  }
}

/**
 * `Schema.TaggedError` whose `message` is its `error`. It is read off the class, so that it is no field and does not
 * travel. An error that has a field of this name keeps it.
 */
export const TaggedError =
  <Self>() =>
  <Tag extends string, const Fields extends Schema.Struct.Fields & { readonly error: Schema.Top }>(
    tag: Tag,
    fields: Fields,
    annotations?: Schema.Annotations.Declaration<Self, readonly [Schema.TaggedStruct<Tag, Fields>]>
  ) => {
    const Tagged = Schema.TaggedError<Self>()(tag, fields, annotations)
    Object.defineProperty((Tagged as unknown as { readonly prototype: object }).prototype, "message", message)
    return Tagged
  }
