import * as Effect from "effect/Effect"
import { Api } from "../api/Api.ts"
import { Roles } from "../services/Roles.ts"
import * as Routes from "./Routes.ts"
import { visibleScope } from "./Scope.ts"

export const RolesHandlers = Routes.group(
  Api,
  "roles",
  Effect.fn(function*(handlers) {
    const roles = yield* Roles
    return handlers.handleAll({
      register: (request) =>
        Effect.map(
          Effect.flatMap(visibleScope(request), (scope) => roles.register(request.payload, scope)),
          (registered) => ({ roles: registered })
        ),
      list: (request) => Effect.map(Effect.flatMap(visibleScope(request), roles.list), (all) => ({ roles: all })),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => roles.get(request.params.name, scope)),
      delete: (request) =>
        Effect.map(
          Effect.flatMap(visibleScope(request), (scope) => roles.remove(request.params.name, scope)),
          (scope) => ({ message: "Role deleted" as const, name: request.params.name, scope })
        )
    })
  })
)
