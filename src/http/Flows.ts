import * as Effect from "effect/Effect"
import { Api } from "../api/Api.ts"
import { pageOf } from "../domain/Page.ts"
import { Flows } from "../services/flow/Flows.ts"
import { ownScope, visibleScope } from "./access/Scope.ts"
import * as Routes from "./Routes.ts"

const missingInList = "Missing required query parameter: scope. Cannot list flows across all scopes."

export const FlowsHandlers = Routes.group(
  Api,
  "flows",
  Effect.fn(function*(handlers) {
    const flows = yield* Flows
    return handlers.handleAll({
      register: (request) =>
        Effect.flatMap(
          ownScope(request, "Missing required field: scope"),
          (scope) => flows.register(scope, request.params.name, request.payload)
        ),
      list: Effect.fnUntraced(function*(request) {
        const scope = yield* ownScope(request, missingInList)
        const page = yield* Effect.fromResult(
          pageOf(request.query, { name: "flows", of: { scope }, key: { name: "string" }, whole: "all" })
        )
        const { next_cursor, rows } = yield* flows.page(scope, page)
        return { flows: rows, next_cursor }
      }),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => flows.get(request.params.name, scope)),
      delete: (request) =>
        Effect.map(
          Effect.flatMap(visibleScope(request), (scope) => flows.remove(request.params.name, scope)),
          (removed) => ({ message: "Flow deleted" as const, name: request.params.name, ...removed })
        )
    })
  })
)
