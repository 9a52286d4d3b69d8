/** What a TypeScript consumer imports: the typed client, the API it is derived from, and the domain it speaks. */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schedule from "effect/Schedule"
import { Api } from "./api/Api.ts"

export { Api } from "./api/Api.ts"
export { AdministratorRequired, ScopeMismatch, TooManyFailures, Unauthorized } from "./api/Authorization.ts"
export {
  BodyTooLarge,
  EncodingNotSupported,
  InternalError,
  InvalidRequest,
  ScopeRequired
} from "./api/InvalidRequest.ts"
export { HostNotAllowed, OriginNotAllowed } from "./api/Origin.ts"
export { Unhealthy } from "./api/System.ts"
export * from "./domain/Action.ts"
export * from "./domain/ActionErrors.ts"
export {
  ApiKey,
  IssuedKey,
  KeyAmbiguous,
  KeyExpired,
  KeyId,
  KeyNotFound,
  NewKey,
  Rotated,
  Rotation
} from "./domain/ApiKey.ts"
export * from "./domain/ClaimErrors.ts"
export { InvalidCursor } from "./domain/Cursor.ts"
export { DatabaseUnavailable } from "./domain/DatabaseUnavailable.ts"
export {
  Dependencies,
  Dependency,
  DependencyChange,
  DependencyList,
  DependsOn,
  OnFailure
} from "./domain/Dependency.ts"
export * from "./domain/DependencyErrors.ts"
export { Graph } from "./domain/DependencyGraph.ts"
export * from "./domain/Draft.ts"
export * from "./domain/EndInput.ts"
export * from "./domain/Flow.ts"
export * from "./domain/Handoff.ts"
export { HistoryEntry } from "./domain/History.ts"
export { IdempotencyKeyReused } from "./domain/IdempotencyKey.ts"
export * from "./domain/Identifier.ts"
export * from "./domain/Import.ts"
export { InvalidTask } from "./domain/InvalidTask.ts"
export * from "./domain/Message.ts"
export * from "./domain/MoveInput.ts"
export { NoFields } from "./domain/NoFields.ts"
export * from "./domain/Orchestrator.ts"
export { Poll } from "./domain/Poll.ts"
export * from "./domain/Project.ts"
export * from "./domain/Renewal.ts"
export * from "./domain/Role.ts"
export { TooLarge } from "./domain/Size.ts"
export * from "./domain/Task.ts"
export * from "./domain/TaskErrors.ts"
export * from "./domain/TaskFilter.ts"
export * from "./domain/TaskInput.ts"

export interface Options {
  /** Where the server is, as `https://octopoid.example.workers.dev`. */
  readonly baseUrl: string
  /** A key of a scope, which limits the client to it, or the server's secret. Sent with every request as a bearer token. */
  readonly token?: string | undefined
  /** The scope of every request that names none. */
  readonly scope?: string | undefined
  /** How often a read, or a POST under its key, is tried again that is answered 408, 5xx or nothing: 3 times unless given. */
  readonly retries?: number | undefined
  /** Whether every POST carries an idempotency key, which makes it safe to repeat. It does unless this is `false`. */
  readonly idempotencyKeys?: boolean | undefined
}

/**
 * The idempotency key of the next POST, for whoever repeats it across restarts:
 * `Effect.provideService(call, IdempotencyKey, key)`. Without one every call gets a random key of its own.
 */
export const IdempotencyKey = Context.Reference<string | undefined>("octopoid-server/client/IdempotencyKey", {
  defaultValue: () => undefined
})

const header = "idempotency-key"

// These are safe to repeat as they are: two say "I am here" or "I still work on it", and an import writes only what is not
// there. A key that is kept for a day would be a written row for nothing.
const harmless = /\/(orchestrators\/[^/]+\/heartbeat|tasks\/[^/]+\/renew|scopes\/[^/]+\/import)$/

// Reading is safe to repeat, and so is what carries an idempotency key. Nothing else is: an answer may be lost after the
// server has acted.
const repeatable = (request: HttpClientRequest.HttpClientRequest) =>
  request.method === "GET" || request.headers[header] !== undefined || harmless.test(request.url)
  || request.url.endsWith("/orchestrators/register")

// A claim by a machine that holds all it may is answered 429, and is not to wait in the client until that changes.
class Full extends Data.TaggedError("Full")<{ readonly response: HttpClientResponse.HttpClientResponse }> {}

/**
 * The request under an idempotency key: the caller's, or a random one, of which what is harmless to repeat needs none. All
 * its repetitions are under the same.
 */
const underKey = Effect.fnUntraced(function*(request: HttpClientRequest.HttpClientRequest, random: boolean) {
  if (request.method !== "POST") return request
  const key = (yield* IdempotencyKey) ??
    (random && !harmless.test(request.url) ? SecureRandom.uuidV4Unsafe() : undefined)
  return key === undefined ? request : HttpClientRequest.setHeader(request, header, key)
})

/**
 * A client of the server at `baseUrl`: a method for each endpoint, as `client.tasks.claim({ payload, query })`. It fails
 * with the endpoint's own errors, decoded to their classes, and with `HttpClientError` or `SchemaError` where the server
 * cannot be reached or is not ours. Needs an `HttpClient`, as `FetchHttpClient.layer` provides it.
 */
export const make = ({ baseUrl, idempotencyKeys = true, retries = 3, scope, token }: Options) =>
  HttpApiClient.make(Api, {
    transformClient: (client) => {
      const retrying = client.pipe(
        HttpClient.transformResponse(Effect.filterOrFail(
          ({ request, status }) => status !== 429 || request.method === "GET",
          (response) => new Full({ response })
        )),
        HttpClient.retryTransient({
          times: retries,
          schedule: Schedule.jittered(Schedule.exponential("200 millis"))
        }),
        HttpClient.transformResponse(Effect.catchTag("Full", ({ response }) => Effect.succeed(response)))
      )
      // The address comes first: what is below needs a whole URL.
      return HttpClient.mapRequest(
        HttpClient.make((request) =>
          Effect.flatMap(
            underKey(request, idempotencyKeys),
            (keyed) => (repeatable(keyed) ? retrying : client).execute(keyed)
          )
        ),
        flow(
          HttpClientRequest.prependUrl(baseUrl.replace(/\/+$/, "")),
          (request) => token === undefined ? request : HttpClientRequest.bearerToken(request, token),
          (request) =>
            scope === undefined || request.urlParams.params.some(([name]) => name === "scope")
              ? request
              : HttpClientRequest.setUrlParam(request, "scope", scope)
        )
      )
    }
  })

export type Client = Effect.Success<ReturnType<typeof make>>
