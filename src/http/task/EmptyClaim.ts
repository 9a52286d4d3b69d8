/** How a claim that got nothing is answered over HTTP: with when to ask again, and without content if that is preferred. */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type AtCapacity, NoTasksAvailable } from "../../domain/task/TaskErrors.ts"

export const answerEmpty = Effect.fnUntraced(function*<E extends AtCapacity | NoTasksAvailable>(empty: E) {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const later = { "retry-after": String(empty.retry_after_seconds) }
  // A client that takes an empty queue for no content, and not for an error, says so in the words of RFC 7240.
  if (empty instanceof NoTasksAvailable && /\breturn=minimal\b/i.test(headers.prefer ?? "")) {
    return HttpServerResponse.empty({
      status: 204,
      headers: { ...later, "preference-applied": "return=minimal", "x-reason": empty.reason }
    })
  }
  yield* HttpEffect.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setHeaders(response, later))
  )
  return yield* empty
})
