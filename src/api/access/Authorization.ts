/** Authentication: the bearer token of a request, the rank that an endpoint needs, and the refusals. */
import * as Context from "effect/Context"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
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
import { type Rank, RankTooLow } from "../../domain/access/Rank.ts"
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
    "A key of a scope (`oct_` and 64 hexadecimal digits), or the server's secret for the administrator. A server without a secret also answers requests without a key. `x-rank` of an operation is the lowest rank of a key that may call it: `fence`, `read`, `work` or `manage`, from the lowest to the highest."
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
      RankTooLow,
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

/** The rank of the keys that may call an endpoint, beside its definition, where it is not that of its method. */
export const NeededRank = Context.Reference<Rank | undefined>("octopoid-server/api/NeededRank", {
  defaultValue: () => undefined
})

/**
 * The lowest rank of the keys that may call the endpoint. Unless it says so, a GET needs `read`, any other `manage`.
 */
export const rankNeeded = ({ annotations, method }: Pick<HttpApiEndpoint.Top, "annotations" | "method">): Rank =>
  Context.get(annotations, NeededRank) ?? (method === "GET" ? "read" : "manage")
