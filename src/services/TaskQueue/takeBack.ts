/** Taking back what ran out: all of it in one batch, or one by one where that is refused because of some. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { seed } from "../../domain/Backoff.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { Database } from "../../sql/Database.ts"
import * as Expiry from "../../sql/Expiry.ts"
import * as FailFreed from "../Leases/failFreed.ts"
import { Settings } from "../Settings.ts"
import { ifRefused } from "./ifRefused.ts"
import { logCascade } from "./log.ts"

// As many as a Worker has queries for, whatever its plan. Who comes next can wait for the next minute.
const OneByOne = 40

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const expire = Expiry.make(sql, yield* Settings)
  const failFreed = yield* FailFreed.make

  /** In a scope, or in all of them: how many were taken back, and how many cannot be, each of which is logged. */
  return Effect.fnUntraced(function*(scope?: ScopeName) {
    const now = yield* Clock.currentTimeMillis
    const chance = yield* seed
    const run = Effect.fnUntraced(function*(id?: string) {
      const answers = yield* batch(expire.all(now, chance, scope, id))
      yield* logCascade(answers)
      yield* failFreed(answers.at(-1), now)
      return { taken: answers.at(-1)!.length, refused: 0 }
    })
    const each = Effect.gen(function*() {
      const [expired = []] = yield* batch([expire.some(now, OneByOne, scope)])
      const found = yield* Effect.forEach(expired, ({ id }) =>
        run(String(id)).pipe(
          ifRefused("a task cannot be taken back", Effect.succeed({ taken: 0, refused: 1 })),
          Effect.annotateLogs({ task_id: id })
        ))
      return found.reduce((all, one) => ({ taken: all.taken + one.taken, refused: all.refused + one.refused }), {
        taken: 0,
        refused: 0
      })
    })
    return yield* ifRefused("taking back in one batch was refused", each)(run())
  })
})
