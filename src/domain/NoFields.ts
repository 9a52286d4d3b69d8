/** A PATCH that names nothing to change. */
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "./Encoding.ts"
import { TaggedError } from "./TaggedError.ts"

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
