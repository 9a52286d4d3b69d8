import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Caller } from "../../domain/access/Caller.ts"
import { Export } from "../../services/transfer/Export.ts"
import { visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const ExportHandlers = Routes.group(
  Api,
  "export",
  Effect.fn(function*(handlers) {
    const { page } = yield* Export
    return handlers.handleAll({
      page: Effect.fnUntraced(function*(request) {
        const { kind } = yield* Caller
        return yield* page(yield* visibleScope(request), { ...request.query, secrets: kind === "administrator" })
      })
    })
  })
)
