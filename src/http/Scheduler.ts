import * as Effect from "effect/Effect"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import { Api } from "../api/Api.ts"
import { Caller } from "../api/Authorization.ts"
import { Scheduler } from "../services/Scheduler.ts"
import { visibleScope } from "./Scope.ts"

export const SchedulerHandlers = HttpApiBuilder.group(
  Api,
  "scheduler",
  Effect.fn(function*(handlers) {
    const scheduler = yield* Scheduler
    return handlers.handleAll({
      poll: Effect.fnUntraced(function*(request) {
        const scope = yield* visibleScope(request)
        const { kind } = yield* Caller
        return yield* scheduler.poll({
          orchestrator_id: request.query.orchestrator_id || undefined,
          scope,
          confined: kind === "key"
        })
      })
    })
  })
)
