/** Redrive: what failed or was cancelled gets another try, with its budgets as new. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import type { Redrive } from "../../domain/task/EndInput.ts"
import { moves } from "../../domain/task/Moves.ts"
import * as MoveById from "./moveById.ts"

export const make = Effect.gen(function*() {
  const run = yield* MoveById.make

  return Effect.fn("TaskQueue.redrive")(
    function*(id: TaskId, { reason = null, redriven_by, ...expected }: Redrive, scope: ScopeName | undefined) {
      return yield* run({
        verb: "redrive",
        move: moves.redrive,
        id,
        scope,
        expected,
        now: yield* Clock.currentTimeMillis,
        actor: redriven_by || (yield* CurrentActor).name,
        reason
      })
    }
  )
})
