import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Scheduler } from "../../services/machine/Scheduler.ts"
import { visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const SchedulerHandlers = Routes.group(
  Api,
  "scheduler",
  Effect.fn(function*(handlers) {
    const scheduler = yield* Scheduler
    return handlers.handleAll({
      poll: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => scheduler.poll({ orchestrator_id: request.query.orchestrator_id || undefined, scope })
        )
    })
  })
)
