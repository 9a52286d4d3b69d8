/** Changing actions: one statement checks the status and changes it, so that of many callers one succeeds. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
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
import * as Idempotency from "../../../sql/Idempotency.ts"
import { columnsOf } from "../../../sql/JsonRow.ts"
import { inScope, type Reach } from "../../../sql/Reach.ts"
import { seen } from "../../../sql/record/Actions.ts"
import { type Statement, statement, type Values } from "../../../sql/Statement.ts"
import { decodeActions } from "./rows.ts"

const isStatus = Schema.is(ActionStatus)

const isOpen = `${seen} NOT IN (${finishedStatuses.map((status) => `'${status}'`).join(", ")})`

const approve = statement(`
  UPDATE actions SET status = 'execute_requested', executed_at = :now
  WHERE id = :id AND ${inScope} AND ${seen} = 'proposed' RETURNING id`)

const end = statement(`
  UPDATE actions SET status = :status, executed_at = coalesce(executed_at, :now), result = coalesce(:result, result)
  WHERE id = :id AND ${inScope} AND ${isOpen} RETURNING id`)

// Each status but `expired` sets the time of execution: an action that is carried out, or has ended, keeps the time when it
// was approved, and a proposal has none. `:expected` is the status that the action must have.
const update = statement(`
  UPDATE actions SET
    status = coalesce(:status, status),
    executed_at = CASE
      WHEN :status = 'proposed' THEN NULL
      WHEN :status <> 'expired' THEN coalesce(executed_at, :now)
      ELSE executed_at END,
    result = iif(:sets_result, :result, result)
  WHERE id = :id AND ${inScope}
    AND (:status IS NULL OR ${seen} = :status OR ${isOpen})
    AND (:expected IS NULL OR ${seen} = :expected)
  RETURNING id`)

const byId = statement(`SELECT * FROM actions WHERE id = :id AND ${inScope}`)

const changed = Idempotency.keeping({ row: columnsOf(ActionRow), from: "actions", where: `id = :id AND ${inScope}` })

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make

  /** Runs a statement that changes the action. Answers whether it did, and the action as it is then. */
  const change = Effect.fnUntraced(
    function*(statement: Statement, values: Values & { readonly id: ActionId; readonly now: number }) {
      const { id, now } = values
      const { answers, replay } = yield* once.batch(
        { changed: statement(values), found: byId(values) },
        { keep: "changed", answer: changed, values }
      )
      if (replay !== undefined) return { changed: true, action: (yield* decodeActions(replay.rows, replay.at))[0]! }
      const action = (yield* decodeActions(answers.found, now))[0] ?? (yield* ActionNotFound.of(id))
      const done = answers.changed.length > 0
      if (done) {
        yield* Effect.logInfo("action changed").pipe(
          Effect.annotateLogs({ action_id: id, scope: action.scope, status: action.status })
        )
      }
      return { changed: done, action }
    }
  )

  const execute = Effect.fn("Actions.execute")(function*(id: ActionId, scope: Reach) {
    const now = yield* Clock.currentTimeMillis
    const { action, changed } = yield* change(approve, { id, scope: scope ?? null, now })
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
    // An action that is approved is not open to approval again, unless the caller says which status it takes back.
    const wanted = expected || (status === "proposed" ? status : undefined)
    const { action, changed } = yield* change(update, {
      id,
      scope: scope ?? null,
      now,
      status: status ?? null,
      sets_result: Number(result !== undefined),
      result: result || null,
      expected: wanted ?? null
    })
    if (changed) return action
    return yield* wanted && wanted !== action.status
      ? ActionStatusConflict.unexpected(id, action.status, wanted)
      : ActionStatusConflict.finished(id, action.status)
  })

  const finish = Effect.fn("Actions.finish")(
    function*(id: ActionId, outcome: "completed" | "failed", result: string | null, scope: Reach) {
      const now = yield* Clock.currentTimeMillis
      const { action, changed } = yield* change(end, { id, scope: scope ?? null, now, status: outcome, result })
      const repeated = action.status === outcome && (result === null || result === action.result)
      return changed || repeated ? action : yield* ActionStatusConflict.finished(id, action.status)
    }
  )

  return { execute, patch, finish }
})
