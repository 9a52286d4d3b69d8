/** Checks who sends a request before anything else of it is looked at. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { Authorization, KeyMissing } from "../api/Authorization.ts"
import { AdministratorRequired, Caller, callerName, ScopeMismatch } from "../domain/Caller.ts"
import type { ScopeName } from "../domain/Identifier.ts"
import { Access } from "../services/Access.ts"
import { addressOf } from "./Address.ts"

const withHeader = (name: string, value: string) =>
  HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, name, value))
  )

/** Who sends the request that is being served. */
export const identify = Effect.fnUntraced(function*(
  access: Access["Service"],
  keyMissing: Context.Service.Shape<typeof KeyMissing>
) {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const { authorization } = headers
  return yield* access.authenticate({ authorization, address: addressOf(headers) }).pipe(
    Effect.catchTags({
      Unauthorized: (error) =>
        Effect.andThen(withHeader("www-authenticate", "Bearer"), Effect.fail(authorization ? error : keyMissing())),
      TooManyFailures: (error) =>
        Effect.andThen(withHeader("retry-after", String(error.retry_after_seconds)), Effect.fail(error))
    })
  )
})

export const AuthorizationLayer = Layer.effect(
  Authorization,
  Effect.gen(function*() {
    const access = yield* Access
    return {
      bearer: Effect.fnUntraced(function*(httpEffect, { endpoint }) {
        const caller = yield* identify(access, Context.get(endpoint.annotations, KeyMissing))
        return yield* httpEffect.pipe(
          Effect.provideService(Caller, caller),
          Effect.annotateLogs({ caller: callerName(caller) })
        )
      })
    }
  })
)

/**
 * Passes whoever may do what only the administrator may, in the scope: on an open server also whoever carries no key, or
 * one of the scope. `what` is what it is about: "issue keys".
 */
export const administrator = Effect.fnUntraced(function*(what: string, scope?: ScopeName) {
  const caller = yield* Caller
  const { open } = yield* Access
  if (caller.kind === "key") {
    if (scope !== undefined && scope !== caller.scope) return yield* ScopeMismatch.of(caller.scope, scope)
    if (!open) return yield* AdministratorRequired.of(what)
  }
  return caller
})
