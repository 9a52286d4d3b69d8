import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Overviews } from "../../services/feed/Overview.ts"
import { ownScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const OverviewHandlers = Routes.group(
  Api,
  "overview",
  Effect.fn(function*(handlers) {
    const overviews = yield* Overviews
    return handlers.handleAll({
      read: (request) =>
        Effect.flatMap(
          ownScope(request, "Missing required query parameter: scope. An overview is that of one scope."),
          (scope) => overviews.read(scope, request.query)
        )
    })
  })
)
