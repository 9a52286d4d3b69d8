import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Projects } from "../../services/record/Projects.ts"
import { ownScope, visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

const missing = "Missing required field: scope. All projects must belong to a scope."

export const ProjectsHandlers = Routes.group(
  Api,
  "projects",
  Effect.fn(function*(handlers) {
    const projects = yield* Projects
    return handlers.handleAll({
      list: (request) => Effect.flatMap(visibleScope(request), (scope) => projects.list(scope, request.query)),
      create: (request) =>
        Effect.flatMap(ownScope(request, missing), (scope) => projects.create(scope, request.payload)),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => projects.get(request.params.id, scope)),
      graph: (request) => Effect.flatMap(visibleScope(request), (scope) => projects.graph(request.params.id, scope)),
      tasks: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => projects.tasks(request.params.id, scope, request.query)),
      patch: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => projects.patch(request.params.id, request.payload, scope)),
      delete: (request) =>
        Effect.as(Effect.flatMap(visibleScope(request), (scope) => projects.remove(request.params.id, scope)), {
          message: `Project ${request.params.id} deleted`
        })
    })
  })
)
