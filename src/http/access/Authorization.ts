/** Finds out who sends a request, before anything else of it is read. */
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { Authorization, KeyMissing, rankNeeded } from "../../api/access/Authorization.ts"
import { type Actor, Caller, callerName, CurrentActor } from "../../domain/access/Caller.ts"
import { DefaultRank, RankTooLow, reaches } from "../../domain/access/Rank.ts"
import { Access } from "../../services/access/Access.ts"
import { addressOf } from "../request/Address.ts"
import * as Conditional from "../request/Conditional.ts"
import * as Idempotency from "../request/Idempotency.ts"
import { ShowsRows } from "../request/Timing.ts"

const withHeader = (name: string, value: string) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, name, value))
  )

/** The header that asks for a key. */
const challenge = withHeader("www-authenticate", "Bearer")

/** The caller of the request. */
export const identify = Effect.fnUntraced(function*(
  access: Access["Service"],
  keyMissing: Context.Service.Shape<typeof KeyMissing>
) {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const { authorization } = headers
  const showsRows = yield* ShowsRows
  return yield* access.authenticate({ authorization, address: addressOf(headers) }).pipe(
    Effect.tap(({ kind }) =>
      Effect.sync(() => {
        showsRows.value = kind !== "key"
      })
    ),
    Effect.catchTags({
      Unauthorized: (error) => Effect.andThen(challenge, Effect.fail(authorization ? error : keyMissing())),
      TooManyFailures: (error) =>
        Effect.andThen(withHeader("retry-after", String(error.retry_after_seconds)), Effect.fail(error))
    })
  )
})

const actorOf = (caller: Caller["Service"]): Actor =>
  caller.kind === "key"
    ? { name: caller.name, scope: caller.scope, rank: caller.rank }
    : { name: caller.kind === "administrator" ? "administrator" : null, scope: undefined, rank: DefaultRank }

/** The refusal of a caller whose key has too low a rank for the endpoint, or undefined. */
const refusal = (caller: Caller["Service"], endpoint: HttpApiEndpoint.Top): RankTooLow | undefined => {
  const needed = rankNeeded(endpoint)
  return caller.kind !== "key" || reaches(caller.rank, needed)
    ? undefined
    : RankTooLow.of(caller.id, caller.rank, `${endpoint.method} ${endpoint.path}`, needed)
}

export const AuthorizationLayer = Layer.effect(
  Authorization,
  Effect.gen(function*() {
    const access = yield* Access
    const underKey = yield* Idempotency.make
    const conditionally = yield* Conditional.make
    return {
      bearer: Effect.fnUntraced(function*(httpEffect, { endpoint }) {
        const caller = yield* identify(access, Context.get(endpoint.annotations, KeyMissing))
        const refused = refusal(caller, endpoint)
        if (refused !== undefined) return yield* refused
        return yield* access.refuseEnded(conditionally(underKey(httpEffect, caller), endpoint)).pipe(
          Effect.catchTag("Unauthorized", (error) => Effect.andThen(challenge, Effect.fail(error))),
          Effect.provideService(Caller, caller),
          Effect.provideService(CurrentActor, actorOf(caller)),
          Effect.annotateLogs({ caller: callerName(caller) })
        )
      })
    }
  })
).pipe(Layer.provide(Digest.layerWebCrypto))
