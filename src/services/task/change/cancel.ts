/** Cancels a task that nobody holds, and asks the holder of any other to stop. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../../domain/access/Caller.ts"
import { excerpt, MaxReason } from "../../../domain/Excerpt.ts"
import type { ScopeName, TaskId } from "../../../domain/Identifier.ts"
import { expectationProblem } from "../../../domain/lease/Fence.ts"
import type { Cancellation } from "../../../domain/task/MoveInput.ts"
import { moves, sourcesOf, startsIn } from "../../../domain/task/Moves.ts"
import { TaskRow } from "../../../domain/task/Task.ts"
import { InvalidTransition, TaskNotFound } from "../../../domain/task/TaskErrors.ts"
import * as Cascade from "../../../sql/dependency/Cascade.ts"
import * as Feed from "../../../sql/Feed.ts"
import * as Idempotency from "../../../sql/Idempotency.ts"
import { columnsOf } from "../../../sql/JsonRow.ts"
import { statement, type Values } from "../../../sql/Statement.ts"
import { fenced, named } from "../../../sql/task/Move.ts"
import { taskInScope } from "../../../sql/task/Task.ts"
import { logCascade, logTransition } from "../log.ts"
import { firstTask } from "../rows.ts"

const requested = "cancel_requested"

// The caller of a cancellation is rarely the holder and has no token. So a token is never required (`:lenient` is 1).
const cancelOf = `id = :id AND ${named} AND ${fenced(false)}`

const cancelRecorded = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${
  Feed.nextSeq("tasks", "first")
}, iif(claimed_by IS NULL, '${moves.cancel.event}', '${requested}'), queue,
    iif(claimed_by IS NULL, 'cancelled', queue), :actor, :excerpt, grants, :now, title, project_id
  FROM tasks WHERE ${cancelOf} AND cancel_requested_at IS NULL AND queue NOT IN ('done', 'failed', 'cancelled')`)

const { dependents, failed, satisfied, unblocked } = Cascade.ofTask()
const counted = Feed.counted(Cascade.itsScope)

const cancelled = statement(`
  UPDATE tasks SET version = planned.version, updated_at = :now, cancel_reason = :reason, queue = to_queue,
    cancel_requested_at = iif(claimed_by IS NULL, NULL, :now),
    completed_at = iif(claimed_by IS NULL, NULL, completed_at),
    needs_intervention = iif(claimed_by IS NULL, 0, needs_intervention),
    available_at = NULL, lapsed_token = NULL, failure_reason = NULL
  FROM planned WHERE tasks.id = :id AND planned.id = :id RETURNING *`)

const cancelledTask = Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" })
const cancelledBefore = Idempotency.keeping({
  row: columnsOf(TaskRow),
  from: "tasks",
  where: `${cancelOf} AND (cancel_requested_at IS NOT NULL OR queue = 'cancelled')`,
  provenBy: "where"
})

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make

  return Effect.fn("TaskQueue.cancel")(
    function*(
      id: TaskId,
      { cancelled_by, fencing_token, reason = null, version }: Cancellation,
      scope: ScopeName | undefined
    ) {
      const actor = cancelled_by || (yield* CurrentActor).name
      const values: Values = {
        id,
        scope: scope ?? null,
        version: version ?? null,
        token: fencing_token ?? null,
        lenient: 1,
        now: yield* Clock.currentTimeMillis,
        actor,
        reason,
        excerpt: reason === null ? null : excerpt(reason, MaxReason)
      }
      const { answers, replay } = yield* once.batch({
        recorded: cancelRecorded(values),
        failed: failed(values),
        satisfied: satisfied(values),
        unblocked: unblocked(values),
        cancelled: cancelled(values),
        dependents: dependents(values),
        counted: counted(values)
      }, { keep: "cancelled", answer: cancelledTask, values })
      if (replay !== undefined) return (yield* firstTask(replay.rows))!
      const done = yield* firstTask(answers.cancelled)
      if (done !== undefined) {
        yield* logCascade([answers.dependents])
        yield* logTransition(done.claimed_by === null ? moves.cancel.event : requested, done, actor)
        return done
      }
      // If the task was cancelled before, that is a success too, and its answer is kept.
      const again = yield* once.batch({ found: taskInScope(values) }, {
        keep: "found",
        answer: cancelledBefore,
        values
      })
      const task = yield* firstTask(again.replay?.rows ?? again.answers.found)
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
