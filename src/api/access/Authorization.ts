/** Authentication: the bearer token of a request, and the refusals. */
import * as Context from "effect/Context"
import * as HttpApiMiddleware from "effect/http-api/HttpApiMiddleware"
import * as HttpApiSecurity from "effect/http-api/HttpApiSecurity"
import * as OpenApi from "effect/http-api/OpenApi"
import {
  AdministratorRequired,
  type Caller,
  ScopeMismatch,
  TooManyFailures,
  Unauthorized
} from "../../domain/access/Caller.ts"
import { DatabaseUnavailable } from "../../domain/DatabaseUnavailable.ts"
import { IdempotencyKeyReused } from "../../domain/IdempotencyKey.ts"
import { InvalidRequest } from "../InvalidRequest.ts"

export {
  AdministratorRequired,
  Caller,
  ScopeMismatch,
  TooManyFailures,
  Unauthorized
} from "../../domain/access/Caller.ts"

const bearer = HttpApiSecurity.bearer.pipe(
  HttpApiSecurity.annotate(
    OpenApi.Description,
    "A key of a scope (`oct_` and 64 hexadecimal digits), or the server's secret for the administrator. A server without a secret also answers requests without a key."
  )
)

export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: Caller }>()(
  "octopoid-server/api/Authorization",
  {
    security: { bearer },
    // An idempotency key belongs to its caller, so it is checked together with the caller.
    error: [
      Unauthorized,
      ScopeMismatch,
      AdministratorRequired,
      TooManyFailures,
      IdempotencyKeyReused,
      InvalidRequest,
      DatabaseUnavailable
    ]
  }
) {}

/** The answer to a request without a key, where the endpoint needs one. */
export const KeyMissing = Context.Reference<() => Unauthorized>("octopoid-server/api/KeyMissing", {
  defaultValue: () => Unauthorized.missing
})
