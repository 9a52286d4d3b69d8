import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../api/Api.ts"
import { Projects } from "../services/Projects.ts"
import { ownScope, visibleScope } from "./Scope.ts"

const missing = "Missing required field: scope. All projects must belong to a scope."

export const ProjectsHandlers = HttpApiBuilder.group(
  Api,
  "projects",
  Effect.fn(function*(handlers) {
    const projects = yield* Projects
    return handlers.handleAll({
      list: (request) => Effect.flatMap(ownScope(request, missing), (scope) => projects.list(scope, request.query)),
      create: (request) =>
        Effect.flatMap(ownScope(request, missing), (scope) => projects.create(scope, request.payload)),
      get: (request) => projects.get(request.params.id, visibleScope(request)),
      tasks: (request) => projects.tasks(request.params.id, visibleScope(request)),
      patch: (request) => projects.patch(request.params.id, request.payload, visibleScope(request)),
      delete: (request) =>
        Effect.as(projects.remove(request.params.id, visibleScope(request)), {
          message: `Project ${request.params.id} deleted`
        })
    })
  })
)
