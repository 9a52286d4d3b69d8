import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import { Caller } from "../../domain/access/Caller.ts"
import { Webhooks } from "../../services/feed/Webhooks.ts"
import { ownScope, visibleScope } from "../access/Scope.ts"
import * as Routes from "../Routes.ts"

export const WebhooksHandlers = Routes.group(
  Api,
  "webhooks",
  Effect.fn(function*(handlers) {
    const webhooks = yield* Webhooks
    return handlers.handleAll({
      list: (request) =>
        Effect.flatMap(
          ownScope(request, "Missing required query parameter: scope. Each scope has webhooks of its own."),
          (scope) => Effect.map(webhooks.list(scope), (webhooks) => ({ webhooks }))
        ),
      register: Effect.fnUntraced(function*(request) {
        const scope = yield* ownScope(
          request,
          "Missing required field: scope. A webhook sends the events of one scope."
        )
        return yield* webhooks.register(scope, request.payload, yield* Caller)
      }),
      get: (request) => Effect.flatMap(visibleScope(request), (scope) => webhooks.get(request.params.id, scope)),
      patch: (request) =>
        Effect.flatMap(visibleScope(request), (scope) => webhooks.patch(request.params.id, request.payload, scope)),
      remove: ({ params: { id }, query }) =>
        Effect.as(
          Effect.flatMap(visibleScope({ query }), (scope) => webhooks.remove(id, scope)),
          { message: "Webhook deleted" as const, id }
        ),
      deliveries: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => Effect.map(webhooks.deliveries(request.params.id, scope), (deliveries) => ({ deliveries }))
        ),
      test: (request) => Effect.flatMap(visibleScope(request), (scope) => webhooks.test(request.params.id, scope)),
      redeliver: (request) =>
        Effect.flatMap(
          visibleScope(request),
          (scope) => webhooks.redeliver(request.params.id, request.payload.after, scope)
        )
    })
  })
)
