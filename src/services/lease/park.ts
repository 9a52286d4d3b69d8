/** Parks an account until its provider's limit is over, and releases the task of the agent that says so. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { MaxParked, TooManyParks } from "../../domain/lease/Park.ts"
import type { Parking } from "../../domain/task/MoveInput.ts"
import { moves } from "../../domain/task/Moves.ts"
import { InvalidTask } from "../../domain/task/TaskErrors.ts"
import * as Parked from "../../sql/lease/Parked.ts"
import { moving } from "../task/change/move.ts"
import { firstTask } from "../task/rows.ts"

export const make = Effect.gen(function*() {
  const move = yield* moving

  return Effect.fn("TaskQueue.park")(function*(
    id: TaskId,
    { account, parked_by, reason = null, until, usage, ...expected }: Parking,
    scope: ScopeName | undefined
  ) {
    const now = yield* Clock.currentTimeMillis
    const end = DateTime.toEpochMillis(until)
    if (end > now + MaxParked) return yield* InvalidTask.parkedTooLong(MaxParked)
    const { replay, task } = yield* move({
      verb: "park",
      move: moves.park,
      id,
      scope,
      expected,
      now,
      actor: parked_by || null,
      usage,
      reason,
      details: JSON.stringify({ account, until: DateTime.formatIso(until) }),
      values: { account, until: end },
      // The caller holds the task under the version and the token that it names, so only one reason is left: the scope
      // has too many parked accounts.
      lacking: (task) => task.claimed_by === null ? undefined : TooManyParks.of(task.scope),
      besides: (values) => ({ forgotten: Parked.forgotten(values), parked: Parked.parked(values) })
    })
    return task ?? (yield* firstTask(replay?.rows))!
  })
})
