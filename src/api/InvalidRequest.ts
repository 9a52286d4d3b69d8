/** The answer to a request that does not fit its endpoint. */
import * as Context from "effect/Context"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../domain/Encoding.ts"
import { TooLarge } from "../domain/Size.ts"
import { TaggedError } from "../domain/TaggedError.ts"
import { HostNotAllowed, OriginNotAllowed } from "./access/Origin.ts"

export { ScopeRequired } from "../domain/TaggedError.ts"

export class InvalidRequest extends TaggedError<InvalidRequest>()(
  "InvalidRequest",
  {
    error: ErrorText,
    issues: Schema.Array(Schema.Struct({
      path: Schema.Array(Schema.Union([Schema.String, Schema.Int])).pipe(
        describe("Where the field is: `body`, `query`, `path` or `headers`, and the keys down to it.")
      ),
      message: Schema.String.pipe(describe("What was expected there."))
    })).pipe(describe("Every field that does not fit, and what is wrong with it."))
  },
  { httpApiStatus: 400, description: "The request does not fit the endpoint. The answer names each wrong field." }
) {}

export class BodyTooLarge extends TaggedError<BodyTooLarge>()(
  "BodyTooLarge",
  { error: ErrorText },
  { httpApiStatus: 413, description: "The body is larger than 1 MiB." }
) {}

export class EncodingNotSupported extends TaggedError<EncodingNotSupported>()(
  "EncodingNotSupported",
  { error: ErrorText },
  { httpApiStatus: 415, description: "The body is compressed." }
) {}

export class InternalError extends TaggedError<InternalError>()(
  "InternalError",
  { error: ErrorText },
  { httpApiStatus: 500, description: "The server made a mistake, and has logged it under the request's id." }
) {}

export class RequestErrors extends HttpApiMiddleware.Service<RequestErrors>()("octopoid-server/api/RequestErrors", {
  error: [InvalidRequest, TooLarge, BodyTooLarge, EncodingNotSupported, HostNotAllowed, OriginNotAllowed, InternalError]
}) {}

/** The answer to a request that does not fit names everything that is wrong with it. */
export const parsing = Context.make(HttpApi.PayloadParseOptions, { errors: "all", reportInput: true }).pipe(
  Context.add(HttpApi.QueryParseOptions, { errors: "all", reportInput: true })
)

/** Fields of a body that must be present and not empty, with the sentence that clients expect if they are not. */
export const Required = Context.Reference<
  ReadonlyArray<{ readonly fields: ReadonlyArray<string>; readonly error: string }>
>("octopoid-server/api/Required", { defaultValue: () => [] })
