import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpEffect from "effect/http/HttpEffect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { Api } from "../api/Api.ts"
import type { NoTasksAvailable } from "../domain/TaskErrors.ts"
import { TaskQueue } from "../services/TaskQueue.ts"
import { ownScope, visibleScope } from "./Scope.ts"

const retryLater = (empty: NoTasksAvailable) =>
  Effect.andThen(
    HttpEffect.appendPreResponseHandler((_request, response) =>
      Effect.succeed(HttpServerResponse.setHeader(response, "retry-after", String(empty.retry_after_seconds)))
    ),
    Effect.fail(empty)
  )

export const TasksHandlers = HttpApiBuilder.group(
  Api,
  "tasks",
  Effect.fn(function*(handlers) {
    const tasks = yield* TaskQueue
    return handlers.handleAll({
      list: (request) =>
        ownScope(request, "Missing required query parameter: scope. Cannot list tasks across all scopes.").pipe(
          Effect.flatMap((scope) => tasks.list(scope, request.query))
        ),
      create: (request) =>
        ownScope(request, "Missing required field: scope. All tasks must belong to a scope.").pipe(
          Effect.flatMap((scope) => tasks.create(scope, request.payload))
        ),
      claim: (request) =>
        ownScope(request, "Missing required field: scope. Cannot claim tasks across all scopes.").pipe(
          Effect.flatMap((scope) => tasks.claim(scope, request.payload)),
          Effect.catchTag("NoTasksAvailable", retryLater)
        ),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => tasks.get(request.params.id, scope)),
      patch: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.patch(request.params.id, request.payload, scope)),
      delete: (request) =>
        Effect.as(Effect.flatMap(visibleScope(request), (scope) => tasks.remove(request.params.id, scope)), {
          message: "Task deleted" as const,
          task_id: request.params.id
        }),
      submit: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.submit(request.params.id, request.payload, scope)),
      accept: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.accept(request.params.id, request.payload, scope)),
      reject: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.reject(request.params.id, request.payload, scope)),
      requeue: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => tasks.requeue(request.params.id, request.payload ?? {}, scope)
        ),
      history: (request) => Effect.flatMap(visibleScope(request), (scope) => tasks.history(request.params.id, scope))
    })
  })
)
