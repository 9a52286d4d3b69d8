import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Caller, ScopeMismatch, Unauthorized } from "../../domain/access/Caller.ts"
import { Keys } from "../../services/access/Keys.ts"
import { Orchestrators } from "../../services/machine/Orchestrators.ts"
import { ownScope, visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const OrchestratorsHandlers = Routes.group(
  Api,
  "orchestrators",
  Effect.fn(function*(handlers) {
    const orchestrators = yield* Orchestrators
    const keys = yield* Keys
    return handlers.handleAll({
      register: (request) =>
        ownScope(request, "Missing required field: scope. All orchestrators must register with a scope.").pipe(
          Effect.flatMap((scope) => orchestrators.register(scope, request.payload)),
          Effect.map(({ created, registered }) => created ? registered : { ...registered, known: true as const })
        ),
      heartbeat: (request) =>
        Effect.gen(function*() {
          const { params: { id }, payload } = request
          const scope = yield* visibleScope(request)
          if (payload?.leases == null) {
            return { success: true as const, last_heartbeat: yield* orchestrators.heartbeat(id, scope) }
          }
          const { last_heartbeat, renewals } = yield* orchestrators.renew(id, scope, payload.leases)
          return { success: true as const, last_heartbeat, ...renewals }
        }),
      list: (request) => Effect.flatMap(visibleScope(request), (scope) => orchestrators.list(scope, request.query)),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => orchestrators.get(request.params.id, scope)),
      delete: (request) =>
        Effect.as(
          Effect.flatMap(visibleScope(request), (scope) => orchestrators.remove(request.params.id, scope)),
          { message: "Orchestrator deleted" as const, orchestrator_id: request.params.id }
        ),
      patch: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => orchestrators.setStatus(request.params.id, request.payload.status, scope)
        ),
      rotateKey: Effect.fnUntraced(function*(request) {
        const { params: { scope }, payload } = request
        const caller = yield* Caller
        if (caller.kind === "anonymous") return yield* Unauthorized.nothingToRotate()
        if (caller.kind === "key" && caller.scope !== scope) return yield* ScopeMismatch.rotating(caller.scope, scope)
        yield* visibleScope(request)
        return yield* keys.rotate(scope, payload ?? {}, caller)
      })
    })
  })
)
