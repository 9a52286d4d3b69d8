/** How a request says who sends it: the bearer token, and what it is refused with. */
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
    // The key of a POST is one of its caller's, so it is looked at where the caller is. Who has a caller has a database.
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

/** What an endpoint answers a request without a key with, where a key is needed. */
export const KeyMissing = Context.Reference<() => Unauthorized>("octopoid-server/api/KeyMissing", {
  defaultValue: () => Unauthorized.missing
})
