/** Leases: they are renewed, and what runs out is taken back. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TaskId } from "../../domain/Identifier.ts"
import type { CheckpointTooLarge } from "../../domain/lease/Handoff.ts"
import type { Lease, Renewal } from "../../domain/lease/Renewal.ts"
import { TooLarge } from "../../domain/Size.ts"
import { type InvalidTask, LeaseLost, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import type { Reach } from "../../sql/Reach.ts"
import * as Oversized from "../../sql/task/Oversized.ts"
import { leaseOf, taskOf } from "./answer.ts"
import * as Renewing from "./renew.ts"
import { problemOf } from "./renew.ts"
import * as Replaying from "./replay.ts"
import * as TakingBack from "./takeBack.ts"

export class Leases extends Context.Service<Leases, {
  /**
   * Takes back every lease that has run out: a task returns to the queue it was claimed from, a task under review stays
   * where it is. Answers how many there were. One that cannot be taken back is logged, and keeps no other.
   */
  readonly reap: Effect.Effect<number>
  /**
   * Extends the lease that the token names, also after it ran out as long as nobody else was granted the task and nobody
   * moved it. Writes the checkpoint, if there is one.
   */
  readonly renew: (
    id: TaskId,
    renewal: Renewal,
    scope: Reach
  ) => Effect.Effect<Lease, TaskNotFound | LeaseLost | InvalidTask | CheckpointTooLarge | TooLarge>
}>()("octopoid-server/services/Leases") {
  static readonly layer = Layer.effect(
    Leases,
    Effect.gen(function*() {
      const { sql } = yield* Database
      const once = yield* Idempotency.make
      const { plan, read } = yield* Renewing.make
      const { keep, recall } = yield* Replaying.make
      const takeBack = yield* TakingBack.make
      const { oversized } = Oversized.make(sql)

      const reap = Effect.map(takeBack(), ({ taken }) => taken).pipe(Effect.withSpan("Leases.reap"))

      const renew = Effect.fn("Leases.renew")(function*(id: TaskId, renewal: Renewal, scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const lease = { task_id: id, ...renewal }
        const problem = problemOf(lease)
        if (problem !== undefined) return yield* problem
        const leases = [lease]
        // A checkpoint that cannot be written down is refused, and then the lease is as it was.
        const fits = renewal.checkpoint == null ? sql`1` : sql`NOT ${oversized}`
        const steps = plan(leases, now, scope, fits)
        const kept = keep(leases, {
          after: steps.length - 1,
          happened: renewal.checkpoint == null ? sql`held` : sql`held AND NOT oversized`,
          now,
          scope
        })
        const { answers, replay } = yield* once.batch(steps, kept)
        const { lost, renewed: [task] } = yield* replay === undefined ? read(answers) : recall(replay)
        if (task !== undefined) return leaseOf(task, now)
        if (lost.length === 0) return yield* TooLarge.forCheckpoint(id)
        const known = lost[0] && taskOf(lost[0])
        return yield* known === undefined ? TaskNotFound.of(id) : LeaseLost.of(known, renewal.fencing_token, true)
      })

      return Leases.of({ reap, renew })
    })
  )
}
