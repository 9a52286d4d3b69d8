import * as Effect from "effect/Effect"
import { Api } from "../../api/Api.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { pageOf, type WholeQuery } from "../../domain/Page.ts"
import { Keys } from "../../services/access/Keys.ts"
import * as Routes from "../Routes.ts"
import { administrator } from "./Scope.ts"

const page = Effect.fnUntraced(function*(keys: Keys["Service"], scope: ScopeName | undefined, query: WholeQuery) {
  const page = yield* Effect.fromResult(
    pageOf(query, { name: "keys", of: { scope }, key: { id: "string" }, whole: "all" })
  )
  const { next_cursor, rows } = yield* keys.page(scope, page)
  return { keys: rows, next_cursor }
})

export const KeysHandlers = Routes.group(
  Api,
  "keys",
  Effect.fn(function*(handlers) {
    const keys = yield* Keys
    return handlers.handleAll({
      issue: ({ params: { scope }, payload }) =>
        Effect.flatMap(administrator("issue keys", scope), (caller) => keys.issue(scope, payload ?? {}, caller)),
      list: ({ params: { scope }, query }) =>
        Effect.andThen(administrator("list keys", scope), page(keys, scope, query)),
      // A caller with a key gets the keys of its own scope only, on an open server too.
      listAll: ({ query }) =>
        Effect.flatMap(
          administrator("list the keys of all scopes"),
          (caller) => page(keys, caller.kind === "key" ? caller.scope : undefined, query)
        ),
      revoke: ({ params: { id, scope } }) =>
        Effect.as(
          Effect.flatMap(administrator("revoke keys", scope), (caller) => keys.revoke(scope, id, caller)),
          { message: "Key revoked" as const, id, scope }
        )
    })
  })
)
