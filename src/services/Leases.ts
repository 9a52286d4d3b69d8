/** Leases: what runs out is taken back. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { seed } from "../domain/Backoff.ts"
import { Database } from "../sql/Database.ts"
import * as Expiry from "../sql/Expiry.ts"
import { Settings } from "./Settings.ts"
import { logTransition } from "./TaskQueue/log.ts"
import { decodeTasks } from "./TaskQueue/rows.ts"

export class Leases extends Context.Service<Leases, {
  /**
   * Takes back every lease that has run out: a task returns to the queue it was claimed from, a task under review stays
   * where it is. Answers how many there were.
   */
  readonly reap: Effect.Effect<number>
}>()("octopoid-server/services/Leases") {
  static readonly layer = Layer.effect(
    Leases,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const expire = Expiry.make(sql, yield* Settings)

      const reap = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const tasks = yield* decodeTasks((yield* batch(expire(now, yield* seed))).flat())
        yield* Effect.forEach(tasks, (task) => logTransition("lease_expired", task, null), { discard: true })
        return tasks.length
      }).pipe(Effect.withSpan("Leases.reap"))

      return Leases.of({ reap })
    })
  )
}
