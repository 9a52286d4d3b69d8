import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { TaskId } from "../../domain/Identifier.ts"
import { Messages } from "../../services/record/Messages.ts"
import { TaskQueue } from "../../services/task/TaskQueue.ts"
import { ownScope, visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

const missing = "Missing required field: scope. All messages must belong to a scope."
const missingInList = "Missing required query parameter: scope. Cannot list messages across all scopes."

export const MessagesHandlers = Routes.group(
  Api,
  "messages",
  Effect.fn(function*(handlers) {
    const messages = yield* Messages
    const tasks = yield* TaskQueue
    return handlers.handleAll({
      list: (request) =>
        Effect.flatMap(ownScope(request, missingInList), (scope) => messages.list(scope, request.query)),
      listOfTask: Effect.fnUntraced(function*(request) {
        const { params: { id }, query } = request
        const fallback = yield* ownScope(request, missingInList)
        const stated = yield* visibleScope(request)
        // A request without a scope finds the task in any scope, like every request by id.
        const scope = stated ?? (yield* Effect.match(tasks.get(TaskId.make(id), undefined), {
          onSuccess: (task) => task.scope,
          onFailure: () => fallback
        }))
        return yield* messages.list(scope, { ...query, task_id: id })
      }),
      send: (request) => Effect.flatMap(ownScope(request, missing), (scope) => messages.send(scope, request.payload)),
      get: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => messages.get(request.params.id, scope, request.query)),
      patch: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => messages.patch(request.params.id, request.payload, scope))
    })
  })
)
