import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { UsageSums } from "../../services/record/Usage.ts"
import { ownScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const UsageHandlers = Routes.group(
  Api,
  "usage",
  Effect.fn(function*(handlers) {
    const usage = yield* UsageSums
    return handlers.handleAll({
      list: (request) =>
        Effect.flatMap(
          ownScope(request, "Missing required query parameter: scope. Usage is that of one scope."),
          (scope) => usage.list(scope, request.query)
        ),
      cap: (request) =>
        Effect.flatMap(
          ownScope(request, "Missing required field: scope. Caps are those of one scope."),
          (scope) => usage.cap(scope, request.payload)
        )
    })
  })
)
