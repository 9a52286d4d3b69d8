/**
 * What the server does for every request: it always answers, gives an id, counts the costs in D1, and writes one log
 * line.
 */
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import { D1Costs } from "../../services/feed/D1Costs.ts"
import { Deliveries } from "../../services/feed/Deliveries.ts"
import { ChangedScopes, CurrentCost, Guards, noCost, Riders } from "../../sql/Database.ts"
import * as Span from "../../sql/Span.ts"
import * as Origin from "../access/Origin.ts"
import { answerDefect, encoded, refuse, unanswered, unroutable } from "../Errors.ts"
import { AfterAnswer } from "./AfterAnswer.ts"
import { checked, garbledQuery } from "./Body.ts"
import { normalize } from "./Target.ts"
import { ShowsRows, timing } from "./Timing.ts"

/** The largest body that the server reads. */
const MaxBody = ByteSize.mebibytes(1)

export const RequestsLayer = Layer.unwrap(Effect.gen(function*() {
  const random = yield* SecureRandom.SecureRandom
  const fallback = yield* unanswered
  const deliveries = yield* Deliveries
  const costs = yield* D1Costs
  const { cors, refusal } = yield* Origin.make
  return HttpRouter.middleware(
    (httpEffect) =>
      Effect.gen(function*() {
        const request = yield* HttpServerRequest.HttpServerRequest
        const started = yield* Clock.currentTimeMillis
        const request_id = request.headers["cf-ray"] ?? (yield* random.uuidV4())
        const { path, url } = normalize(request.url)
        const cost = noCost()
        const showsRows = { value: false }
        const changed = new Set<string>()
        yield* Span.annotate(() => ({ "octopoid.request_id": request_id }))
        const refused = refusal(request)
        const unmatched = unroutable(request.method, path)
          ?? encoded(request.method, request.headers["content-encoding"])
        const garbled = garbledQuery(request.url.split("?").slice(1).join("?"))
        const answered = refused !== undefined
          ? Effect.succeed(refuse(refused))
          : cors(
            unmatched !== undefined
              ? Effect.succeed(unmatched)
              : garbled !== undefined
              ? Effect.die(garbled)
              // The router ignores a slash at the end. Such a path belongs to no endpoint, but people type it.
              : path.length > 1 && path.endsWith("/") && path !== "/docs/"
              ? fallback
              : httpEffect
          )
        const response = yield* answered.pipe(
          Effect.catchDefect(answerDefect),
          // A JSON body is read as JSON, with any content type.
          Effect.provideService(
            HttpServerRequest.HttpServerRequest,
            checked(request.modify({
              headers: Headers.set(request.headers, "content-type", "application/json"),
              url
            }))
          ),
          Effect.provideService(HttpIncomingMessage.MaxBodySize, MaxBody),
          Effect.provideService(CurrentCost, cost),
          Effect.provideService(ShowsRows, showsRows),
          Effect.provideService(Riders, []),
          Effect.provideService(ChangedScopes, changed),
          Effect.provideService(Guards, []),
          Effect.annotateLogs({ request_id })
        )
        yield* Effect.logInfo("request").pipe(Effect.annotateLogs({
          request_id,
          method: request.method,
          path,
          status: response.status,
          millis: (yield* Clock.currentTimeMillis) - started,
          d1_trips: cost.trips,
          rows_read: cost.read,
          rows_written: cost.written
        }))
        const afterAnswer = cost.trips === 0 ? undefined : yield* AfterAnswer
        const work = afterAnswer === undefined ? [] : [
          ...(changed.size === 0 ? [] : [deliveries.afterCommit(changed, cost)]),
          ...((yield* costs.isDue) ? [costs.store] : [])
        ]
        if (afterAnswer !== undefined && work.length > 0) {
          const context = yield* Effect.context<never>()
          const all = Effect.annotateLogs(Effect.all(work, { discard: true }), { request_id })
          // What goes on after the answer must not begin before it.
          afterAnswer(Promise.resolve().then(() => Effect.runPromiseWith(context)(all)))
        }
        const identified = HttpServerResponse.setHeader(response, "x-request-id", request_id)
        return path.startsWith("/api/v1/")
          ? HttpServerResponse.setHeader(identified, "server-timing", timing(cost, showsRows.value))
          : identified
      }),
    { global: true }
  )
})).pipe(Layer.provide(SecureRandom.layerWebCrypto))
