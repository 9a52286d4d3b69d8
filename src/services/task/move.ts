/** Submit, accept, reject, requeue (or release) and fail: moves of one task by its id, each one batch. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { excerpt } from "../../domain/Excerpt.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import type { Acceptance, Failure, Rejection, Requeue, Submission } from "../../domain/task/MoveInput.ts"
import { burntOut, moves } from "../../domain/task/Moves.ts"
import { Settings } from "../Settings.ts"
import * as MoveById from "./moveById.ts"

export const make = Effect.gen(function*() {
  const settings = yield* Settings
  const run = yield* MoveById.make

  const submit = Effect.fn("TaskQueue.submit")(
    function*(id: TaskId, work: Submission, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      const { name } = yield* CurrentActor
      const limits = { idleTurns: settings.burnoutIdleTurns, totalTurns: settings.burnoutTotalTurns }
      const { commits_count, turns_used } = work
      return yield* run({
        verb: "submit",
        move: burntOut(work, limits) ? moves.burnOut : moves.submit,
        id,
        scope,
        expected: work,
        now,
        actor: name,
        // The task shows the notes and checks of its last submission only. The history keeps those of each.
        details: JSON.stringify({
          commits_count,
          turns_used,
          ...(work.execution_notes ? { execution_notes: excerpt(work.execution_notes) } : {}),
          ...(work.check_results ? { check_results: excerpt(work.check_results) } : {}),
          ...(burntOut(work, limits) ? limits : {})
        }),
        values: {
          commits_count,
          turns_used,
          check_results: work.check_results ?? null,
          execution_notes: work.execution_notes ?? null,
          pr_number: work.pr_number ?? null,
          pr_url: work.pr_url ?? null
        }
      })
    }
  )

  const accept = Effect.fn("TaskQueue.accept")(
    function*(id: TaskId, acceptance: Acceptance, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      const completed = acceptance.completed_at ? DateTime.toEpochMillis(acceptance.completed_at) : now
      return yield* run({
        verb: "accept",
        move: moves.accept,
        id,
        scope,
        expected: acceptance,
        now,
        actor: acceptance.accepted_by,
        values: { completed }
      })
    }
  )

  const reject = Effect.fn("TaskQueue.reject")(
    function*(id: TaskId, { reason, rejected_by, ...expected }: Rejection, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: "reject",
        move: moves.reject,
        id,
        scope,
        expected,
        now,
        actor: rejected_by,
        reason
      })
    }
  )

  const requeue = Effect.fn("TaskQueue.requeue")(
    function*(id: TaskId, { reason, release, requeued_by, ...expected }: Requeue, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: release === true ? "release" : "requeue",
        move: release === true ? moves.release : moves.requeue,
        id,
        scope,
        expected,
        now,
        actor: requeued_by || null,
        reason: reason ?? null
      })
    }
  )

  const fail = Effect.fn("TaskQueue.fail")(
    function*(id: TaskId, { failed_by, reason, ...expected }: Failure, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: "fail",
        move: moves.fail,
        id,
        scope,
        expected,
        now,
        actor: failed_by || null,
        reason
      })
    }
  )

  return { submit, accept, reject, requeue, fail }
})
