/** Cancelling: at once where nobody holds the task, and otherwise by asking its holder to stop. One batch either way. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { expectationProblem } from "../../domain/lease/Fence.ts"
import type { Cancellation } from "../../domain/task/EndInput.ts"
import { moves, sourcesOf, startsIn } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTransition, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Fence from "../../sql/lease/Fence.ts"
import * as Cascade from "../../sql/legacy/Cascade.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import { within } from "../../sql/Reach.ts"
import * as Landing from "../../sql/task/Landing.ts"
import * as Transition from "../../sql/task/Transition.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

const requested = "cancel_requested"

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const once = yield* Idempotency.make
  const row = columnsOf(sql, TaskRow)
  const { countRecorded, record } = Transition.make(sql)
  const { landing } = Landing.make(sql)
  const cascade = Cascade.make(sql)
  // Who cancels is hardly ever who holds the task, and has no token to name.
  const fence = Fence.make(sql, false)

  return Effect.fn("TaskQueue.cancel")(
    function*(
      id: TaskId,
      { cancelled_by, fencing_token, reason = null, version }: Cancellation,
      scope: ScopeName | undefined
    ) {
      const now = yield* Clock.currentTimeMillis
      const actor = cancelled_by || (yield* CurrentActor).name
      const free = sql`claimed_by IS NULL`
      const itself = sql`id = ${id} AND ${within(sql, scope)} ${fence(fencing_token)}
        ${typeof version === "number" ? sql`AND version = ${version}` : sql``}`
      const { answers, replay } = yield* once.batch([
        record({
          where: sql`${itself} AND cancel_requested_at IS NULL AND ${landing(moves.cancel)} <> ''`,
          event: sql`iif(${free}, ${moves.cancel.event}, ${requested})`,
          to: sql`iif(${free}, 'cancelled', queue)`,
          actor,
          reason,
          now
        }),
        sql`
          UPDATE tasks SET version = version + 1, updated_at = ${now}, cancel_reason = ${reason},
            cancel_requested_at = iif(${free}, NULL, ${now}), queue = iif(${free}, 'cancelled', queue),
            completed_at = iif(${free}, NULL, completed_at), needs_intervention = iif(${free}, 0, needs_intervention),
            available_at = NULL, lapsed_token = NULL, failure_reason = NULL
          WHERE id = ${id} AND changes() > 0 RETURNING *`,
        countRecorded(id),
        ...cascade.fall(cascade.of(id, now), now, sql`changes() > 0`),
        ...cascade.settle(cascade.of(id, now), now)
      ], { after: 1, row, from: sql`tasks WHERE id = ${id} AND changes() > 0` })
      if (replay !== undefined) return (yield* firstTask(replay.rows))!
      const cancelled = yield* firstTask(answers[1])
      if (cancelled !== undefined) {
        yield* logCascade(answers.slice(3))
        yield* logTransition(cancelled.claimed_by === null ? moves.cancel.event : requested, cancelled, actor)
        return cancelled
      }
      // It may have been asked for before, and once is enough: that is an answer as well, and is kept like one.
      const again = yield* once.batch(
        [sql`SELECT * FROM tasks WHERE id = ${id} AND ${within(sql, scope)}`],
        { after: 0, row, from: sql`tasks WHERE ${itself} AND (cancel_requested_at IS NOT NULL OR queue = 'cancelled')` }
      )
      const task = yield* firstTask(again.replay?.rows ?? again.answers[0])
      if (task === undefined) return yield* TaskNotFound.of(id)
      const problem = expectationProblem(task, { fencing_token, version }, false)
      if (problem !== undefined) return yield* problem
      if (task.queue !== "cancelled" && !startsIn(moves.cancel, task.queue)) {
        return yield* InvalidTransition.of("cancel", id, task.queue, sourcesOf(moves.cancel))
      }
      return task
    }
  )
})
