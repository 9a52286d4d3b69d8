/** `ETag` and `If-None-Match` (RFC 9110) for what clients read repeatedly: the poll and the lists. */
import * as Context from "effect/Context"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Conditional } from "../../api/Conditional.ts"
import { Release } from "../../domain/Release.ts"
import { CurrentCondition, NotModified } from "../../sql/page/Conditional.ts"

/** The opaque parts of a list of entity tags. The comparison is weak: `W/"a"` equals `"a"`. `*` matches every tag. */
export const tagsOf = (header: string | undefined): ReadonlyArray<string> =>
  header?.trim() === "*" ? ["*"] : Array.from(header?.matchAll(/"([^"]*)"/g) ?? [], ([, tag]) => tag!)

// A cache must ask the server before it uses an answer, and must keep the answers of each key apart.
const headersOf = (tag: string) => ({
  "etag": `W/"${tag}"`,
  "cache-control": "private, no-cache",
  "vary": "Authorization"
})

const notModified = (tag: string) => HttpServerResponse.empty({ status: 304, headers: headersOf(tag) })

export const make = Effect.gen(function*() {
  const { digestHex } = yield* Digest.Digest

  const named = Effect.fnUntraced(function*(response: HttpServerResponse.HttpServerResponse, tag: string | undefined) {
    if (tag !== undefined) return tag
    return response.body._tag === "Uint8Array"
      ? `${Release}.${(yield* Effect.orDie(digestHex(Digest.sha256, response.body.body))).slice(0, 32)}`
      : undefined
  })

  /**
   * Serves a request for `endpoint`. If the read is conditional, adds the entity tag, or answers 304 to a client that
   * has it.
   */
  return Effect.fnUntraced(function*<E, R>(
    httpEffect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
    endpoint: HttpApiEndpoint.Top
  ) {
    const { headers, method } = yield* HttpServerRequest.HttpServerRequest
    if ((method !== "GET" && method !== "HEAD") || !Context.get(endpoint.annotations, Conditional)) {
      return yield* httpEffect
    }
    const condition = { known: tagsOf(headers["if-none-match"]), tag: undefined }
    const response = yield* httpEffect.pipe(
      Effect.provideService(CurrentCondition, condition),
      Effect.catchDefect((defect) =>
        defect instanceof NotModified ? Effect.succeed(notModified(defect.tag)) : Effect.die(defect)
      )
    )
    if (response.status !== 200) return response
    const tag = yield* named(response, condition.tag)
    if (tag === undefined) return response
    return condition.known.includes(tag) || condition.known[0] === "*"
      ? notModified(tag)
      : HttpServerResponse.setHeaders(response, headersOf(tag))
  })
})
