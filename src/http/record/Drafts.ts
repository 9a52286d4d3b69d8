import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Drafts } from "../../services/record/Drafts.ts"
import { ownScope, visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

const missing = "Missing required field: scope. All drafts must belong to a scope."

export const DraftsHandlers = Routes.group(
  Api,
  "drafts",
  Effect.fn(function*(handlers) {
    const drafts = yield* Drafts
    return handlers.handleAll({
      list: (request) => Effect.flatMap(visibleScope(request), (scope) => drafts.list(scope, request.query)),
      create: (request) => Effect.flatMap(ownScope(request, missing), (scope) => drafts.create(scope, request.payload)),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => drafts.get(request.params.id, scope)),
      patch: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => drafts.patch(request.params.id, request.payload, scope)),
      promote: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => drafts.promote(request.params.id, request.payload, scope)),
      delete: (request) =>
        Effect.as(Effect.flatMap(visibleScope(request), (scope) => drafts.remove(request.params.id, scope)), {
          message: `Draft ${request.params.id} deleted`
        })
    })
  })
)
