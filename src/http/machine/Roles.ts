import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { pageOf } from "../../domain/Page.ts"
import { Roles } from "../../services/machine/Roles.ts"
import { visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

const listed = (scope: string | undefined) => ({
  name: "roles",
  of: { scope },
  key: { name: "string", scope: "string" },
  whole: "all"
} as const)

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
      list: Effect.fnUntraced(function*(request) {
        const scope = yield* visibleScope(request)
        const page = yield* Effect.fromResult(pageOf(request.query, listed(scope)))
        const { next_cursor, rows } = yield* roles.page(scope, page)
        return { roles: rows, next_cursor }
      }),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => roles.get(request.params.name, scope)),
      delete: (request) =>
        Effect.map(
          Effect.flatMap(visibleScope(request), (scope) => roles.remove(request.params.name, scope)),
          (scope) => ({ message: "Role deleted" as const, name: request.params.name, scope })
        )
    })
  })
)
