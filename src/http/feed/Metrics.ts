import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Metrics } from "../../services/feed/Metrics.ts"
import { visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const MetricsHandlers = Routes.group(
  Api,
  "metrics",
  Effect.fn(function*(handlers) {
    const metrics = yield* Metrics
    return handlers.handleAll({ read: (request) => Effect.flatMap(visibleScope(request), metrics.read) })
  })
)
