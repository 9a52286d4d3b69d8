/** Handing in what waits in the outbox: what an earlier process left, and results whose leases were let go. */
import * as Effect from "effect/Effect"
import { Unreachable } from "./call/Ask.ts"
import type { Worker } from "./Held.ts"
import type { Outbox } from "./Outbox.ts"
import type { make as makeSettle } from "./settle.ts"

/** After so many entries that the server did not settle, the rest of them waits too. */
const Probes = 3

/** Names what waits. */
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

/** Asks for each entry once. Answers how long to wait before the next round, if anything is left. */
export const round = Effect.fnUntraced(function*(
  worker: Worker,
  outbox: Outbox,
  { handIn }: ReturnType<typeof makeSettle>
) {
  let wait: number | undefined
  let failures = 0
  for (const place of outbox.waiting()) {
    const outcome = yield* handIn(place, () => true)
    if (!(outcome instanceof Unreachable)) {
      worker.claimNow.openUnsafe()
      if (outcome !== undefined) yield* Effect.logError(outcome.message)
      continue
    }
    wait = Math.max(wait ?? 0, outcome.pause)
    // Those behind it come first in the next round.
    if (outbox.places.delete(place.entry.key)) outbox.places.set(place.entry.key, place)
    if (++failures === Probes) break
  }
  return wait
})

/** Hands in what waits for as long as it runs. Only what ends the worker ends it. */
export const delivering = (worker: Worker, outbox: Outbox, settle: ReturnType<typeof makeSettle>) =>
  Effect.forever(Effect.gen(function*() {
    worker.deliverNow.closeUnsafe()
    const wait = yield* round(worker, outbox, settle)
    yield* wait === undefined ? worker.deliverNow.await : Effect.sleep(wait)
  }))
