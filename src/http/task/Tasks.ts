import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { DefaultScope } from "../../domain/Identifier.ts"
import { DefaultBranch } from "../../domain/task/Task.ts"
import { Dependencies } from "../../services/dependency/Dependencies.ts"
import { Leases } from "../../services/lease/Leases.ts"
import { TaskQueue } from "../../services/task/TaskQueue.ts"
import { administrator, ownScope, statedScope, visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"
import { answerEmpty } from "./EmptyClaim.ts"
import { dependencyHandlers } from "./TaskDependencies.ts"

export const TasksHandlers = Routes.group(
  Api,
  "tasks",
  Effect.fn(function*(handlers) {
    const tasks = yield* TaskQueue
    const leases = yield* Leases
    return handlers.handleAll({
      list: (request) =>
        ownScope(request, "Missing required query parameter: scope. Cannot list tasks across all scopes.").pipe(
          Effect.flatMap((scope) => tasks.list(scope, request.query))
        ),
      create: (request) =>
        ownScope(request, "Missing required field: scope. All tasks must belong to a scope.").pipe(
          // The old server required a scope here, so a request without one may get the default scope.
          Effect.flatMap((scope) =>
            tasks.create(
              scope,
              statedScope(request) === undefined && !request.payload.branch
                ? { ...request.payload, branch: DefaultBranch }
                : request.payload
            )
          )
        ),
      bulk: (request) =>
        Effect.gen(function*() {
          const reach = yield* visibleScope(request)
          const { filter, tasks: created } = request.payload
          // The ids of tasks are unique on the server. New tasks and a filter need a scope.
          const own = created == null && filter == null
            ? reach ?? DefaultScope
            : yield* ownScope(request, "Missing required field: scope. All tasks must belong to a scope.")
          const withBranch = statedScope(request) !== undefined ?
            created :
            created?.map((task) => task.branch ? task : { ...task, branch: DefaultBranch })
          return yield* tasks.bulk({ ...request.payload, tasks: withBranch ?? null }, { own, reach })
        }),
      claim: (request) =>
        ownScope(request, "Missing required field: scope. Cannot claim tasks across all scopes.").pipe(
          Effect.flatMap((scope) => tasks.claim(scope, request.payload)),
          Effect.catchTag(["NoTasksAvailable", "AtCapacity"], answerEmpty)
        ),
      get: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.get(request.params.id, scope, request.query)),
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
      fail: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.fail(request.params.id, request.payload, scope)),
      cancel: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.cancel(request.params.id, request.payload ?? {}, scope)),
      park: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.park(request.params.id, request.payload, scope)),
      redrive: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => tasks.redrive(request.params.id, request.payload ?? {}, scope)
        ),
      forceQueue: (request) =>
        Effect.flatMap(
          Effect.andThen(administrator("put a task into any queue"), visibleScope(request)),
          (scope) => tasks.force(request.params.id, request.payload, scope)
        ),
      completeHook: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => tasks.completeHook(request.params.id, request.params.hookName, request.payload, scope)
        ),
      renew: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => leases.renew(request.params.id, request.payload, scope)
        ),
      fence: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => leases.mayPush(request.params.id, request.query.token, scope)
        ),
      handoff: (request) => Effect.flatMap(visibleScope(request), (scope) => tasks.handoff(request.params.id, scope)),
      explain: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.explain(request.params.id, request.query, scope)),
      ...dependencyHandlers(yield* Dependencies),
      history: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => tasks.history(request.params.id, scope, request.query))
    })
  })
)
