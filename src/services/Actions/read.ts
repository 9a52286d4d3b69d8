/** Reading actions: one, and a page. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ActionFilter } from "../../domain/Action.ts"
import { ActionNotFound } from "../../domain/ActionErrors.ts"
import type { ActionId, ScopeName } from "../../domain/Identifier.ts"
import { pageOf } from "../../domain/Page.ts"
import * as ActionStatements from "../../sql/Actions.ts"
import { Database } from "../../sql/Database.ts"
import type { Reach } from "../../sql/Reach.ts"
import { decodeActions } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const { one, seen } = ActionStatements.make(sql)

  const get = Effect.fn("Actions.get")(function*(id: ActionId, scope: Reach) {
    const now = yield* Clock.currentTimeMillis
    const [rows] = yield* batch([sql`SELECT * FROM actions WHERE ${one(id, scope)}`])
    return (yield* decodeActions(rows, now))[0] ?? (yield* ActionNotFound.of(id))
  })

  const list = Effect.fn("Actions.list")(function*(scope: ScopeName, filter: ActionFilter) {
    const now = yield* Clock.currentTimeMillis
    const { limit, offset } = pageOf(filter)
    const status = filter.status === "pending" ? "proposed" : filter.status
    const matches = sql.and([
      sql`scope = ${scope}`,
      status ? sql`${seen(now)} = ${status}` : sql`${seen(now)} <> 'expired'`,
      ...(["entity_type", "entity_id"] as const).flatMap((field) =>
        filter[field] ? [sql`${sql(field)} = ${filter[field]}`] : []
      )
    ])
    const [rows, totals] = yield* batch([
      sql`SELECT * FROM actions WHERE ${matches} ORDER BY proposed_at DESC, seq DESC LIMIT ${limit} OFFSET ${offset}`,
      sql`SELECT count(*) AS total FROM actions WHERE ${matches}`
    ])
    return { actions: yield* decodeActions(rows, now), total: Number(totals?.[0]?.total), offset, limit }
  })

  return { get, list }
})
