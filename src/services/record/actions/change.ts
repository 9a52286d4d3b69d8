/** Changing actions: each is one statement that looks at the status it changes, so that one of many callers wins. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
import type { ActionId } from "../../../domain/Identifier.ts"
import {
  ActionNotExecutable,
  ActionNotFound,
  type ActionPatch,
  ActionRow,
  ActionStatus,
  ActionStatusConflict,
  finishedStatuses,
  InvalidActionStatus
} from "../../../domain/record/Action.ts"
import { NoFields } from "../../../domain/TaggedError.ts"
import { Database } from "../../../sql/Database.ts"
import * as Idempotency from "../../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../../sql/legacy/JsonRow.ts"
import type { Reach } from "../../../sql/Reach.ts"
import * as ActionStatements from "../../../sql/record/Actions.ts"
import { decodeActions } from "./rows.ts"

const isStatus = Schema.is(ActionStatus)

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const once = yield* Idempotency.make
  const row = columnsOf(sql, ActionRow)
  const { one, seen } = ActionStatements.make(sql)

  /** Changes the action if `allowed` holds for it, and answers whether it did and the action as it is then. */
  const change = Effect.fnUntraced(
    function*(id: ActionId, scope: Reach, now: number, set: ReadonlyArray<Fragment>, allowed: Fragment) {
      const { answers: [changed = [], rows], replay } = yield* once.batch([
        sql`UPDATE actions SET ${sql.csv(set)} WHERE ${one(id, scope)} AND ${allowed} RETURNING id`,
        sql`SELECT * FROM actions WHERE ${one(id, scope)}`
      ], { after: 0, row, from: sql`actions WHERE ${one(id, scope)} AND changes() > 0` })
      if (replay !== undefined) return { changed: true, action: (yield* decodeActions(replay.rows, replay.at))[0]! }
      const action = (yield* decodeActions(rows, now))[0] ?? (yield* ActionNotFound.of(id))
      if (changed.length > 0) {
        yield* Effect.logInfo("action changed").pipe(
          Effect.annotateLogs({ action_id: id, scope: action.scope, status: action.status })
        )
      }
      return { changed: changed.length > 0, action }
    }
  )

  const open = (now: number) => sql`${seen(now)} NOT IN ${sql.in(finishedStatuses)}`

  /** The columns of a status. Whatever came of an action, it was set going at some time; a proposal was not yet. */
  const to = (status: ActionStatus, now: number): ReadonlyArray<Fragment> => [
    sql`status = ${status}`,
    ...(status === "expired"
      ? []
      : [sql`executed_at = ${status === "proposed" ? null : sql`coalesce(executed_at, ${now})`}`])
  ]

  const execute = Effect.fn("Actions.execute")(function*(id: ActionId, scope: Reach) {
    const now = yield* Clock.currentTimeMillis
    const set = [sql`status = 'execute_requested'`, sql`executed_at = ${now}`]
    const { action, changed } = yield* change(id, scope, now, set, sql`${seen(now)} = 'proposed'`)
    if (changed) return action
    return yield* action.status === "expired"
      ? ActionNotExecutable.lapsed(id)
      : ActionNotExecutable.inStatus(id, action.status)
  })

  const patch = Effect.fn("Actions.patch")(function*(id: ActionId, changes: ActionPatch, scope: Reach) {
    const now = yield* Clock.currentTimeMillis
    const { expected_status: expected, result } = changes
    const status = changes.status || undefined
    if (status !== undefined && !isStatus(status)) return yield* InvalidActionStatus.of(status)
    if (status === undefined && result === undefined) {
      const error = "No valid fields to update. Updatable fields: status, result"
      return yield* new NoFields({ error, fields: ["status", "result"] })
    }
    const { action, changed } = yield* change(
      id,
      scope,
      now,
      [
        ...(status === undefined ? [] : to(status, now)),
        ...(result === undefined ? [] : [sql`result = ${result || null}`])
      ],
      sql.and([
        ...(status === undefined ? [] : [sql`(${seen(now)} = ${status} OR ${open(now)})`]),
        // What was approved is not open to be approved again, unless the caller knows what it takes back.
        ...(expected || status === "proposed" ? [sql`${seen(now)} = ${expected || "proposed"}`] : [])
      ])
    )
    if (changed) return action
    const wanted = expected || (status === "proposed" ? status : undefined)
    return yield* wanted && wanted !== action.status
      ? ActionStatusConflict.unexpected(id, action.status, wanted)
      : ActionStatusConflict.finished(id, action.status)
  })

  const finish = Effect.fn("Actions.finish")(
    function*(id: ActionId, outcome: "completed" | "failed", result: string | null, scope: Reach) {
      const now = yield* Clock.currentTimeMillis
      const set = [...to(outcome, now), sql`result = coalesce(${result}, result)`]
      const { action, changed } = yield* change(id, scope, now, set, open(now))
      const repeated = action.status === outcome && (result === null || result === action.result)
      return changed || repeated ? action : yield* ActionStatusConflict.finished(id, action.status)
    }
  )

  return { execute, patch, finish }
})
