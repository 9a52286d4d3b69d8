import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { BreakerSwitches } from "../../services/record/Breakers.ts"
import { ownScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

const inQuery = "Missing required query parameter: scope. Breakers are those of one scope."
const inBody = "Missing required field: scope. Breakers are those of one scope."

export const BreakerHandlers = Routes.group(
  Api,
  "breakers",
  Effect.fn(function*(handlers) {
    const breakers = yield* BreakerSwitches
    return handlers.handleAll({
      list: (request) => Effect.flatMap(ownScope(request, inQuery), breakers.list),
      set: (request) => Effect.flatMap(ownScope(request, inBody), (scope) => breakers.set(scope, request.payload)),
      close: (request) => Effect.flatMap(ownScope(request, inBody), (scope) => breakers.close(scope, request.payload))
    })
  })
)
