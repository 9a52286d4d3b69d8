import * as Effect from "effect/Effect"
import { Api } from "../api/Api.ts"
import { Keys } from "../services/Keys.ts"
import * as Routes from "./Routes.ts"
import { administrator } from "./Scope.ts"

export const KeysHandlers = Routes.group(
  Api,
  "keys",
  Effect.fn(function*(handlers) {
    const keys = yield* Keys
    return handlers.handleAll({
      issue: ({ params: { scope }, payload }) =>
        Effect.flatMap(administrator("issue keys", scope), (caller) => keys.issue(scope, payload ?? {}, caller)),
      list: ({ params: { scope } }) =>
        Effect.map(
          Effect.andThen(administrator("list keys", scope), keys.list(scope)),
          (all) => ({ keys: all })
        ),
      // No scope that a key has is every scope, whatever the server is.
      listAll: () =>
        Effect.flatMap(
          administrator("list the keys of all scopes"),
          (caller) => Effect.map(keys.list(caller.kind === "key" ? caller.scope : undefined), (all) => ({ keys: all }))
        ),
      revoke: ({ params: { id, scope } }) =>
        Effect.as(
          Effect.flatMap(administrator("revoke keys", scope), (caller) => keys.revoke(scope, id, caller)),
          { message: "Key revoked" as const, id, scope }
        )
    })
  })
)
