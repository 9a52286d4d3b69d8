import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Parks } from "../../services/lease/Parks.ts"
import { ownScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

const missing = "Missing required query parameter: scope. Parked accounts are those of one scope."

export const ParksHandlers = Routes.group(
  Api,
  "parks",
  Effect.fn(function*(handlers) {
    const parks = yield* Parks
    return handlers.handleAll({
      list: (request) => Effect.flatMap(ownScope(request, missing), parks.list),
      end: Effect.fnUntraced(function*(request) {
        const scope = yield* ownScope(request, missing)
        const park = yield* parks.end(scope, request.params.account)
        return { message: "Account unparked" as const, scope, ...park }
      })
    })
  })
)
