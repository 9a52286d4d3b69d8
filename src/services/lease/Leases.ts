/** Leases: renewed by their holders, taken back when they expire, and asked about by hooks of git. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TaskId } from "../../domain/Identifier.ts"
import type { CheckpointTooLarge } from "../../domain/lease/Handoff.ts"
import type { Push } from "../../domain/lease/Push.ts"
import type { Lease, Renewal } from "../../domain/lease/Renewal.ts"
import { TooLarge } from "../../domain/Size.ts"
import { type InvalidTask, LeaseLost, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { ReadiesNothing } from "../../sql/engine/Engine.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import * as RenewalSteps from "../../sql/lease/Renewal.ts"
import type { Reach } from "../../sql/Reach.ts"
import * as Pushing from "./push.ts"
import * as Renewing from "./renew.ts"
import * as TakingBack from "./takeBack.ts"

export class Leases extends Context.Service<Leases, {
  /**
   * Takes back every expired lease. The task returns to the queue it was claimed from; a task under review stays in its
   * queue. Answers how many leases were taken back. A lease that cannot be taken back is logged, and does not hold up
   * the others.
   */
  readonly reap: Effect.Effect<number>
  /**
   * Extends the lease that the token names. An expired lease is re-attached, if no one else was granted the task and no
   * one moved it. Saves the checkpoint, if the renewal has one.
   */
  readonly renew: (
    id: TaskId,
    renewal: Renewal,
    scope: Reach
  ) => Effect.Effect<Lease, TaskNotFound | LeaseLost | InvalidTask | CheckpointTooLarge | TooLarge>
  /** Whether the token may still push, and why. Changes nothing. */
  readonly mayPush: (id: TaskId, token: number, scope: Reach) => Effect.Effect<Push, TaskNotFound>
}>()("octopoid-server/services/Leases") {
  static readonly layer = Layer.effect(
    Leases,
    Effect.gen(function*() {
      const once = yield* Idempotency.make
      const renewing = yield* Renewing.make
      const takeBack = yield* TakingBack.make

      const reap = Effect.map(takeBack(), ({ taken }) => taken).pipe(Effect.withSpan("Leases.reap"))

      const renew = Effect.fn("Leases.renew")(function*(id: TaskId, renewal: Renewal, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const lease = { task_id: id, ...renewal }
        const problem = Renewing.problemOf(lease)
        if (problem !== undefined) return yield* problem
        const checkpointed = renewal.checkpoint != null
        const { steps, values } = renewing("task", [lease], scope, { now, checkpointed: Number(checkpointed) })
        const keep = { keep: "renewed", answer: RenewalSteps.answers.task, values } as const
        const { answers, replay } = yield* Effect.provideService(once.batch(steps, keep), ReadiesNothing, true)
        const { held: [task], lost: [lost] } = yield* Renewing.read(replay?.rows ?? answers.leases, answers.reattached)
        if (task !== undefined) {
          return checkpointed && task.oversized === 1 ? yield* TooLarge.forCheckpoint(id) : Renewing.leaseOf(task, now)
        }
        const known = lost && Renewing.taskOf(lost)
        return yield* known === undefined ? TaskNotFound.of(id) : LeaseLost.of(known, renewal.fencing_token, true)
      })

      return Leases.of({ reap, renew, mayPush: yield* Pushing.make })
    })
  )
}
