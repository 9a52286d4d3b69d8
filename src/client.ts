/** What TypeScript consumers import: the typed client, its API, and the domain. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import type * as HttpClient from "effect/http/HttpClient"
import { Api } from "./api/Api.ts"
import { connection, type Method } from "./client/call/connection.ts"
import type { NoUsableAnswer } from "./client/call/NoUsableAnswer.ts"

export { AdministratorRequired, ScopeMismatch, TooManyFailures, Unauthorized } from "./api/access/Authorization.ts"
export { HostNotAllowed, OriginNotAllowed } from "./api/access/Origin.ts"
export { Api } from "./api/Api.ts"
export {
  BodyTooLarge,
  EncodingNotSupported,
  InternalError,
  InvalidRequest,
  ScopeRequired
} from "./api/InvalidRequest.ts"
export { Unhealthy } from "./api/System.ts"
export { IdempotencyKey } from "./client/call/Call.ts"
export { NoUsableAnswer } from "./client/call/NoUsableAnswer.ts"
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
} from "./domain/access/ApiKey.ts"
export { Rank, RankTooLow } from "./domain/access/Rank.ts"
export { DatabaseUnavailable } from "./domain/DatabaseUnavailable.ts"
export {
  Dependencies,
  Dependency,
  DependencyChange,
  DependencyList,
  DependsOn,
  OnFailure
} from "./domain/dependency/Dependency.ts"
export * from "./domain/dependency/Dependency.ts"
export { Graph } from "./domain/dependency/DependencyGraph.ts"
export { ProjectGraph } from "./domain/dependency/ProjectGraph.ts"
export {
  EventPage,
  EventStreamOff,
  eventTypes,
  InvalidPlace,
  TaskEvent,
  UnknownEventType
} from "./domain/feed/Event.ts"
export { Overview } from "./domain/feed/Overview.ts"
export * from "./domain/feed/Webhook.ts"
export * from "./domain/flow/Flow.ts"
export { IdempotencyKeyReused } from "./domain/IdempotencyKey.ts"
export * from "./domain/Identifier.ts"
export * from "./domain/lease/Handoff.ts"
export { NotParked, Park, Parks, TooManyParks } from "./domain/lease/Park.ts"
export { Push } from "./domain/lease/Push.ts"
export { InvalidQuestion } from "./domain/lease/Question.ts"
export * from "./domain/lease/Renewal.ts"
export * from "./domain/machine/Orchestrator.ts"
export { Poll } from "./domain/machine/Poll.ts"
export * from "./domain/machine/Role.ts"
export { InvalidCursor } from "./domain/Page.ts"
export * from "./domain/record/Action.ts"
export * from "./domain/record/Action.ts"
export * from "./domain/record/Breaker.ts"
export * from "./domain/record/Draft.ts"
export * from "./domain/record/Message.ts"
export * from "./domain/record/Project.ts"
export * from "./domain/record/Promotion.ts"
export * from "./domain/record/Usage.ts"
export { TooLarge } from "./domain/Size.ts"
export { NoFields } from "./domain/TaggedError.ts"
export * from "./domain/task/Bulk.ts"
export * from "./domain/task/Evidence.ts"
export { HistoryEntry } from "./domain/task/History.ts"
export * from "./domain/task/MoveInput.ts"
export * from "./domain/task/Task.ts"
export * from "./domain/task/TaskErrors.ts"
export { InvalidTask } from "./domain/task/TaskErrors.ts"
export * from "./domain/task/TaskErrors.ts"
export * from "./domain/task/TaskFilter.ts"
export * from "./domain/task/TaskInput.ts"
export * from "./domain/transfer/Import.ts"

export interface Options {
  /** The address of the server, such as `https://octopoid.example.workers.dev`. */
  readonly baseUrl: string
  /**
   * The key of a scope, which limits the client to that scope, or the server's secret. Each request sends it as bearer
   * token.
   */
  readonly token?: string | undefined
  /** The scope of requests that name none. */
  readonly scope?: string | undefined
  /**
   * How often the client repeats a read, or a POST with a key, if it gets no usable answer or the answer says that the
   * server may be asked again. The default is 3.
   */
  readonly retries?: number | undefined
  /** The time for one try, including the whole answer. The default is two minutes. */
  readonly timeout?: Duration.Input | undefined
  /** Whether every POST gets an idempotency key, so that it is safe to repeat. The default is `true`. */
  readonly idempotencyKeys?: boolean | undefined
}

export type Client = HttpApiClient.ForApi<typeof Api, NoUsableAnswer>

/**
 * A client of the server at `baseUrl`, with a method for each endpoint, such as `client.tasks.claim({ payload, query
 * })`. A method fails with the errors of its endpoint, decoded to their classes, or with `NoUsableAnswer` if no answer
 * came or one that this server does not give: only JSON with the status and form of the endpoint settles a call. It
 * needs an `HttpClient`, such as `FetchHttpClient.layer`.
 */
export const make = (options: Options): Effect.Effect<Client, never, HttpClient.HttpClient> => {
  const { method, transformClient, transformResponse } = connection(options)
  return Effect.map(
    HttpApiClient.make(Api, { transformClient, transformResponse }),
    (api) => {
      const wrap = (part: unknown): unknown =>
        typeof part === "function"
          ? method(part as Method)
          : Object.fromEntries(Object.entries(part as object).map(([name, inner]) => [name, wrap(inner)]))
      return wrap(api) as Client
    }
  )
}
