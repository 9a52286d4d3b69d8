/** The answer to a claim that gets no task: when to ask again, and no content if the client prefers that. */
import * as Effect from "effect/Effect"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { type AtCapacity, NoTasksAvailable } from "../../domain/task/TaskErrors.ts"

export const answerEmpty = Effect.fnUntraced(function*<E extends AtCapacity | NoTasksAvailable>(empty: E) {
  const { headers } = yield* HttpServerRequest.HttpServerRequest
  const later = { "retry-after": String(empty.retry_after_seconds) }
  // A client that wants no content instead of an error for an empty queue sends this preference (RFC 7240).
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
