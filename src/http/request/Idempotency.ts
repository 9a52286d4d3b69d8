/** The `Idempotency-Key` of a POST: checks the key, and serves the request under it. */
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { InvalidRequest } from "../../api/InvalidRequest.ts"
import type { Caller } from "../../domain/access/Caller.ts"
import { IdempotencyKeyReused, isIdempotencyKey } from "../../domain/IdempotencyKey.ts"
import { CurrentIdempotency, type RequestKey } from "../../sql/Idempotency.ts"

const invalid = new InvalidRequest({
  error: "headers.Idempotency-Key: Expected 1 to 255 printable ASCII characters. Send a random UUID.",
  issues: [{
    path: ["headers", "Idempotency-Key"],
    message: "Expected 1 to 255 printable ASCII characters"
  }]
})

const inBody = (text: string): unknown => {
  try {
    return JSON.parse(text)?.scope
  } catch {
    return undefined
  }
}

/** The scope that a request without an API key is about, so that the same idempotency key may be used in each scope. */
const scopeOf = (url: URL, text: string): string => {
  const inPath = /^\/api\/v1\/(?:orchestrators\/)?scopes\/([^/]+)\//.exec(url.pathname)?.[1]
  const stated = inPath ?? (inBody(text) || url.searchParams.get("scope"))
  return typeof stated === "string" ? stated : ""
}

/**
 * The part of the body that identifies the request. `wait_seconds` of a claim is left out: a client that stops waiting
 * repeats the claim with 0.
 */
const contentOf = (url: URL, text: string): string =>
  url.pathname === "/api/v1/tasks/claim" ? text.replace(/"wait_seconds"\s*:\s*\d+/g, "\"wait_seconds\":0") : text

export const make = Effect.gen(function*() {
  const { digestHex } = yield* Digest.Digest
  const hash = (...parts: ReadonlyArray<string>) =>
    digestHex(Digest.sha256, new TextEncoder().encode(JSON.stringify(parts)))

  const keyOf = Effect.fnUntraced(function*(caller: Caller["Service"]) {
    const request = yield* HttpServerRequest.HttpServerRequest
    const key = request.headers["idempotency-key"]
    if (request.method !== "POST" || key === undefined) return undefined
    if (!isIdempotencyKey(key)) return yield* invalid
    // The request caches its body, so the endpoint can read it again.
    const text = yield* Effect.orDie(request.text)
    const url = new URL(request.url, "http://server")
    const requestKey: RequestKey = {
      key,
      // Two API keys of a scope are two callers: one must not get the answers of the other, which may contain a new API
      // key.
      id: yield* caller.kind === "key"
        ? hash(caller.kind, caller.scope, caller.id, key)
        : hash(caller.kind, scopeOf(url, text), key),
      fingerprint: yield* hash(request.method, url.pathname, url.search, contentOf(url, text)),
      replayed: false
    }
    return requestKey
  })

  /** Serves a request of `caller`. If it is a POST with an idempotency key, serves it under that key. */
  return <E, R>(
    httpEffect: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
    caller: Caller["Service"]
  ) =>
    Effect.flatMap(keyOf(caller), (key) =>
      key === undefined ? httpEffect : httpEffect.pipe(
        Effect.provideService(CurrentIdempotency, key),
        Effect.map((response) =>
          key.replayed ? HttpServerResponse.setHeader(response, "idempotent-replayed", "true") : response
        ),
        Effect.catchDefect((defect) =>
          defect instanceof IdempotencyKeyReused ? Effect.fail(defect) : Effect.die(defect)
        )
      ))
})
