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
      get: (request) => tasks.get(request.params.id, visibleScope(request)),
      patch: (request) => tasks.patch(request.params.id, request.payload, visibleScope(request)),
      delete: (request) =>
        Effect.as(tasks.remove(request.params.id, visibleScope(request)), {
          message: "Task deleted" as const,
          task_id: request.params.id
        }),
      submit: (request) => tasks.submit(request.params.id, request.payload, visibleScope(request)),
      accept: (request) => tasks.accept(request.params.id, request.payload, visibleScope(request)),
      reject: (request) => tasks.reject(request.params.id, request.payload, visibleScope(request)),
      requeue: (request) => tasks.requeue(request.params.id, request.payload ?? {}, visibleScope(request)),
      history: (request) => tasks.history(request.params.id, visibleScope(request))
    })
  })
)
