import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { actionResultOf } from "../../domain/record/Action.ts"
import { Actions } from "../../services/record/Actions.ts"
import { ownScope, visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

const missing = "Missing required field: scope. All actions must belong to a scope."
const missingInList = "Missing required query parameter: scope. Cannot list actions across all scopes."

export const ActionsHandlers = Routes.group(
  Api,
  "actions",
  Effect.fn(function*(handlers) {
    const actions = yield* Actions
    return handlers.handleAll({
      list: (request) =>
        Effect.flatMap(ownScope(request, missingInList), (scope) => actions.list(scope, request.query)),
      propose: (request) =>
        Effect.flatMap(ownScope(request, missing), (scope) => actions.propose(scope, request.payload)),
      get: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => actions.get(request.params.id, scope, request.query)),
      patch: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => actions.patch(request.params.id, request.payload, scope)),
      execute: (request) => Effect.flatMap(visibleScope(request), (scope) => actions.execute(request.params.id, scope)),
      complete: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => actions.finish(request.params.id, "completed", actionResultOf(request.payload ?? {}), scope)
        ),
      fail: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => actions.finish(request.params.id, "failed", actionResultOf(request.payload ?? {}), scope)
        )
    })
  })
)
