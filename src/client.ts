/** What a TypeScript consumer imports: the typed client, the API it is derived from, and the domain it speaks. */
import type * as Effect from "effect/Effect"
import { flow } from "effect/Function"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schedule from "effect/Schedule"
import { Api } from "./api/Api.ts"

export { Api } from "./api/Api.ts"
export { AdministratorRequired, ScopeMismatch, TooManyFailures, Unauthorized } from "./api/Authorization.ts"
export { BodyTooLarge, InternalError, InvalidRequest, ScopeRequired } from "./api/InvalidRequest.ts"
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
export * from "./domain/Task.ts"
export * from "./domain/TaskErrors.ts"
export * from "./domain/TaskInput.ts"

export interface Options {
  /** Where the server is, as `https://octopoid.example.workers.dev`. */
  readonly baseUrl: string
  /** A key of a scope, which limits the client to it, or the server's secret. Sent with every request as a bearer token. */
  readonly token?: string | undefined
  /** The scope of every request that names none. */
  readonly scope?: string | undefined
  /** How often a request that is safe to repeat is tried again. Three times unless given; 0 turns it off. */
  readonly retries?: number | undefined
}

// Reading is safe to repeat, and so are the calls that only say "I am here" or "I still work on it", and an import, which writes only what is
// not there. Nothing else is: an answer may be lost after the server has acted.
const repeatable = (request: HttpClientRequest.HttpClientRequest) =>
  request.method === "GET" ||
  /\/(orchestrators\/(register|[^/]+\/heartbeat)|scopes\/[^/]+\/import|tasks\/[^/]+\/renew)$/.test(request.url)

/**
 * A client of the server at `baseUrl`: a method for each endpoint, as `client.tasks.claim({ payload, query })`. It fails
 * with the endpoint's own errors, decoded to their classes, and with `HttpClientError` or `SchemaError` where the server
 * cannot be reached or is not ours. Needs an `HttpClient`, as `FetchHttpClient.layer` provides it.
 */
export const make = ({ baseUrl, retries = 3, scope, token }: Options) =>
  HttpApiClient.make(Api, {
    transformClient: (client) => {
      const retrying = HttpClient.retryTransient(client, {
        times: retries,
        schedule: Schedule.jittered(Schedule.exponential("200 millis"))
      })
      // The address comes first: what is below needs a whole URL.
      return HttpClient.mapRequest(
        HttpClient.make((request) => (repeatable(request) ? retrying : client).execute(request)),
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
