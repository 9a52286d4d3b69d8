/**
 * Hands in the outbox: results that an earlier process left, and results whose lease the worker returned because the
 * server did not accept them.
 */
import * as Effect from "effect/Effect"
import { Unreachable } from "./call/Ask.ts"
import type { Worker } from "./Held.ts"
import type { Outbox } from "./Outbox.ts"
import type { make as makeSettle } from "./settle.ts"

/** After this many unsettled entries, the round ends and the rest waits too. */
const Probes = 3

/** Logs which results wait in the outbox. */
export const report = (outbox: Outbox) =>
  Effect.suspend(() => {
    const waiting = outbox.waiting()
    return waiting.length === 0 ? Effect.void : Effect.logWarning("finished but not handed in").pipe(
      Effect.annotateLogs({
        results: waiting.length,
        tasks: waiting.slice(0, 20).map(({ entry }) => entry.task_id).join(", ")
      })
    )
  })

/** Tries each entry once. Answers how long to wait before the next round, if anything is left. */
export const round = Effect.fnUntraced(function*(
  worker: Worker,
  outbox: Outbox,
  { handIn }: ReturnType<typeof makeSettle>
) {
  let wait: number | undefined
  let failures = 0
  for (const place of outbox.waiting()) {
    const result = yield* handIn(place, () => true)
    if (!(result instanceof Unreachable)) {
      worker.claimNow.openUnsafe()
      if (result !== undefined) yield* Effect.logError(result.message)
      continue
    }
    wait = Math.max(wait ?? 0, result.pause)
    // The entry goes to the end, so that those behind it come first in the next round.
    if (outbox.places.delete(place.entry.key)) outbox.places.set(place.entry.key, place)
    if (++failures === Probes) break
  }
  return wait
})

/** Hands in the outbox as long as it runs. Only an error that ends the worker ends it. */
export const delivering = (worker: Worker, outbox: Outbox, settle: ReturnType<typeof makeSettle>) =>
  Effect.forever(Effect.gen(function*() {
    worker.deliverNow.closeUnsafe()
    const wait = yield* round(worker, outbox, settle)
    yield* wait === undefined ? worker.deliverNow.await : Effect.sleep(wait)
  }))
