/** The scope of a request: in the query of any endpoint, or in the body. */
import * as Schema from "effect/Schema"
import { describe, maybe } from "../domain/Encoding.ts"
import { ScopeName } from "../domain/Identifier.ts"

const scope = Schema.optionalKey(ScopeName).pipe(
  describe(
    "The scope. A record of another one is not found. Without it a key's own scope counts; otherwise a new record is in `default`, and so is a list, except the lists of orchestrators, projects and drafts, which then show every scope."
  )
)

/** A query parameter of every endpoint. */
export const scopeParameter = { scope }

/** A body that may also name the scope. Some clients put it there. */
export const scoped = <Fields extends Schema.Struct.Fields>(schema: Schema.Struct<Fields>) =>
  Schema.Struct({
    ...schema.fields,
    scope: maybe(Schema.Union([ScopeName, Schema.Literal("")]), "The scope; in the query it counts as well.")
  })
