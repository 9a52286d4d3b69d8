/** Who may call: the bearer token, what it stands for, and how a request is refused. */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../domain/Encoding.ts"
import type { ScopeName } from "../domain/Identifier.ts"

/** Who sends the request, and how far it reaches. */
export class Caller extends Context.Service<
  Caller,
  /** Whoever calls an open server without a key. */
  | { readonly kind: "anonymous" }
  /** Whoever knows the server's secret: every scope, and the keys of all. */
  | { readonly kind: "administrator" }
  /** Whoever has a key of a scope, and reaches nothing outside it. */
  | { readonly kind: "key"; readonly scope: ScopeName; readonly id: string; readonly name: string }
>()("octopoid-server/api/Caller") {}

export class Unauthorized extends Schema.TaggedError<Unauthorized>()(
  "Unauthorized",
  { error: ErrorText },
  { httpApiStatus: 401, description: "The request carries no key, or one that is not valid." }
) {}

export class ScopeMismatch extends Schema.TaggedError<ScopeMismatch>()(
  "ScopeMismatch",
  {
    error: ErrorText,
    scope: Schema.String.pipe(describe("The scope of the key.")),
    requested: Schema.String.pipe(describe("The scope the request names."))
  },
  { httpApiStatus: 403, description: "The request names another scope than the one of its key." }
) {
  static readonly of = (scope: string, requested: string) =>
    new ScopeMismatch({
      error: `Scope mismatch: authenticated as "${scope}" but requested "${requested}"`,
      scope,
      requested
    })
}

export class AdministratorRequired extends Schema.TaggedError<AdministratorRequired>()(
  "AdministratorRequired",
  { error: ErrorText },
  { httpApiStatus: 403, description: "Only the administrator may do this: whoever knows the server's secret." }
) {
  static readonly of = (what: string) =>
    new AdministratorRequired({
      error: `Only the administrator may ${what}. Send the server's API_SECRET_KEY as the bearer token.`
    })
}

export class TooManyFailures extends Schema.TaggedError<TooManyFailures>()(
  "TooManyFailures",
  {
    error: ErrorText,
    retry_after_seconds: Schema.Int.pipe(describe("When to try again; also the `Retry-After` header."))
  },
  { httpApiStatus: 429, description: "Too many requests from this address carried a key that is not valid." }
) {}

const bearer = HttpApiSecurity.bearer.pipe(
  HttpApiSecurity.annotate(
    OpenApi.Description,
    "A key of a scope (`oct_` and 64 hexadecimal digits), or the server's secret for the administrator. A server without a secret also answers requests without a key."
  )
)

export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Caller }>()(
  "octopoid-server/api/Authorization",
  { security: { bearer }, error: [Unauthorized, ScopeMismatch, AdministratorRequired, TooManyFailures] }
) {}
