/** How a call is sent: under which idempotency key, how often, and which answers settle it. */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { NoUsableAnswer, secondsToWait, textOf } from "./NoUsableAnswer.ts"

/**
 * The idempotency key of the next POST, for callers that repeat it across restarts: `Effect.provideService(call,
 * IdempotencyKey, key)`. Without it each call gets a random key.
 */
export const IdempotencyKey = Context.Reference<string | undefined>("octopoid-server/client/IdempotencyKey", {
  defaultValue: () => undefined
})

/** How often the client repeats the next call, instead of its own setting. */
export const Retries = Context.Reference<number | undefined>("octopoid-server/client/Retries", {
  defaultValue: () => undefined
})

/** The longest answer that is read. Pages of the server are much shorter. */
export const MaxAnswerBytes = 32 * 1024 * 1024

const FirstPause = 200

const header = "idempotency-key"

// These calls are safe to repeat without a key: two say that a machine or holder is alive, and an import writes only
// new records. A key would cost a written row for nothing.
const harmless = /\/(orchestrators\/[^/]+\/heartbeat|tasks\/[^/]+\/renew|scopes\/[^/]+\/import)$/

/** What all tries of a call share. */
interface Call {
  /** The key that the caller gave. */
  readonly own: string | undefined
  /** The random key, if the call needs one and the caller gave none. */
  readonly random: string | undefined
  /** The method and path. */
  name: string
  /** Whether the call may be sent again without a usable answer. */
  repeatable: boolean
  reads: boolean
  /** The latest answer. */
  response: HttpClientResponse.HttpClientResponse | undefined
}

const CurrentCall = Context.Reference<Call | undefined>("octopoid-server/client/CurrentCall", {
  defaultValue: () => undefined
})

/** Adds the key to the request, and records in `call` what the request is. */
const underKey = (call: Call, request: HttpClientRequest.HttpClientRequest): HttpClientRequest.HttpClientRequest => {
  const { method, url } = request
  const isHarmless = harmless.test(url)
  const key = method === "POST" ? call.own ?? (isHarmless ? undefined : call.random) : undefined
  call.name = `${method} ${/^[a-z]+:\/\/[^/]*([^?#]*)/i.exec(url)?.[1] ?? url}`
  call.reads = method === "GET"
  // Reads and calls with a key are safe to repeat. Others are not: the answer may be lost after the call had its
  // effect.
  call.repeatable = call.reads || key !== undefined || isHarmless || url.endsWith("/orchestrators/register")
  return key === undefined ? request : HttpClientRequest.setHeader(request, header, key)
}

const fail = (reason: HttpClientError.HttpClientErrorReason) =>
  Effect.fail(new HttpClientError.HttpClientError({ reason }))

/** The whole body, if it is not too long. */
const bytesOf = (response: HttpClientResponse.HttpClientResponse) =>
  Stream.runFoldEffect(
    response.stream,
    () => ({ chunks: new Array<Uint8Array>(), length: 0 }),
    (read, chunk) => {
      read.chunks.push(chunk)
      read.length += chunk.length
      return read.length <= MaxAnswerBytes ? Effect.succeed(read) : fail(
        new HttpClientError.DecodeError({
          request: response.request,
          response,
          description: `it is longer than ${MaxAnswerBytes} bytes`
        })
      )
    }
  ).pipe(Effect.map(({ chunks, length }) => {
    const bytes = new Uint8Array(length)
    let at = 0
    for (const chunk of chunks) {
      bytes.set(chunk, at)
      at += chunk.length
    }
    return bytes
  }))

// A page of a proxy may be plain text, but has no version.
const ofServer = /^(application\/([\w.-]+\+)?json\b|text\/plain; version=0\.0\.4\b)/i

/** Reads the whole body, so that an incomplete answer is no answer. Only JSON and metrics can come from the server. */
const whole = Effect.fnUntraced(function*(response: HttpClientResponse.HttpClientResponse) {
  const { headers, request, status } = response
  const unusable = (description: string) => fail(new HttpClientError.DecodeError({ request, response, description }))
  if (!ofServer.test(headers["content-type"] ?? "")) return yield* unusable("which is no JSON")
  if (status < 200 || [204, 205, 304].includes(status)) return yield* unusable("which has no body")
  return HttpClientResponse.fromWeb(request, new Response(yield* bytesOf(response), { status, headers }))
})

/** Sends each request under the key of its call, and reads the whole answer. */
export const sending = (client: HttpClient.HttpClient): HttpClient.HttpClient =>
  HttpClient.make((request) =>
    Effect.gen(function*() {
      const call = yield* CurrentCall
      if (call === undefined) return yield* client.execute(request)
      const response = yield* client.execute(underKey(call, request))
      call.response = response
      return yield* whole(response)
    })
  )

/** The error as `NoUsableAnswer`, if it means that. */
const unusable = (call: Call, error: unknown): NoUsableAnswer | undefined => {
  if (!HttpClientError.isHttpClientError(error)) return undefined
  const { reason } = error
  switch (reason._tag) {
    case "InvalidUrlError":
    case "EncodeError":
      return undefined
    case "TransportError":
      return NoUsableAnswer.none(call.name, textOf(reason.cause ?? reason.description ?? reason))
    default:
      return NoUsableAnswer.of(
        call.name,
        reason.response,
        reason.description ?? (reason.cause === undefined ? "which is none of its errors" : textOf(reason.cause))
      )
  }
}

/** An answer that does not fit its endpoint does not come from the server, whatever its status is. */
export const decoding = (decoded: Effect.Effect<unknown, unknown, unknown>): Effect.Effect<unknown, unknown, unknown> =>
  Effect.catchCause(decoded, (cause) =>
    Effect.flatMap(CurrentCall, (call) => {
      const settles = cause.reasons.every((reason) =>
        Cause.isInterruptReason(reason) ||
        (Cause.isFailReason(reason) && !HttpClientError.isHttpClientError(reason.error) &&
          !Schema.isSchemaError(reason.error))
      )
      return settles || call?.response === undefined
        ? Effect.failCause(cause)
        : Effect.fail(NoUsableAnswer.of(call.name, call.response, "which does not fit the endpoint"))
    }))

/** Errors after which the server may be asked again. */
const passing = new Set(["InternalError", "DatabaseUnavailable", "Unhealthy"])

export interface Tries {
  readonly retries: number
  readonly timeout: Duration.Input
  /** Whether a POST without a key of its caller gets a random one. */
  readonly randomKeys: boolean
}

/** Repeats a method of the client under one key, until an answer settles it or the retries are used up. */
export const settled =
  (method: (request: unknown) => Effect.Effect<unknown, unknown>, tries: Tries) => (request: unknown) =>
    Effect.gen(function*() {
      const retries = (yield* Retries) ?? tries.retries
      const call: Call = {
        own: yield* IdempotencyKey,
        random: tries.randomKeys ? SecureRandom.uuidV4Unsafe() : undefined,
        name: "the request",
        repeatable: false,
        reads: false,
        response: undefined
      }
      const once = method(request).pipe(
        Effect.provideService(CurrentCall, call),
        Effect.timeoutOrElse({
          duration: tries.timeout,
          orElse: () =>
            Effect.fail(
              NoUsableAnswer.none(
                call.name,
                `it was not there within ${Duration.format(Duration.fromInputUnsafe(tries.timeout))}`
              )
            )
        }),
        Effect.mapError((error) => unusable(call, error) ?? error)
      )
      for (let tried = 0;; tried++) {
        const answer = yield* Effect.result(once)
        if (Result.isSuccess(answer)) return answer.success
        const error = answer.failure as { readonly _tag: string; readonly retry_after_seconds?: number | null }
        const passes = error._tag === "NoUsableAnswer" || passing.has(error._tag)
          || (call.reads && error._tag === "TooManyFailures")
        if (!passes || !call.repeatable || tried >= retries) return yield* Effect.fail(answer.failure)
        const pause = (yield* Random.nextBetween(0.8, 1.2)) * FirstPause * 2 ** tried
        yield* Effect.sleep(Math.max(pause, secondsToWait(error.retry_after_seconds) * 1000))
      }
    })
