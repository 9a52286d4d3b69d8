/** Requests with an idempotency key or without, and their answers. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Database, TransientFailure } from "../../../src/sql/Database.ts"
import { CurrentIdempotency } from "../../../src/sql/Idempotency.ts"
import type { Options } from "./World.ts"

type Refusal = { readonly _tag: string }

export interface Posted {
  readonly answer: unknown
  /** The same request once more. `replayed` says whether it was recognised. */
  readonly repeat: Effect.Effect<{ readonly answer: unknown; readonly replayed: boolean }, Refusal>
  /** Another request under the same key. */
  readonly reuse: Effect.Effect<unknown, Refusal>
}

/** A key adds statements to a batch, so half of the runs use no keys. */
export const make = ({ faults, keyed: withKeys }: Options, { batch, sql }: Database["Service"]) => {
  const posted: Array<Posted> = []
  let keys = 0

  /** A refused request keeps nothing under its key. To look that up is no part of the request, and no outage is for it. */
  const keepsNothing = Effect.fnUntraced(function*(name: string) {
    const due = faults.splice(0)
    const [kept] = yield* batch([sql`SELECT answer FROM idempotency_keys WHERE id = ${name}`])
    faults.push(...due)
    assert.deepStrictEqual(kept, [], "a refused request kept an answer")
  })

  /** Runs it under a key of its own, again if it got lost, and remembers it if it had an effect. */
  const keyed = <A, E extends Refusal>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    !withKeys ? effect : Effect.suspend(() => {
      const name = `key ${keys++}`
      const under = (fingerprint: string) =>
        Effect.suspend(() => {
          const key = { key: name, id: name, fingerprint, replayed: false }
          return Effect.map(
            Effect.provideService(effect, CurrentIdempotency, key),
            (answer) => ({ answer, replayed: key.replayed })
          )
        })
      const repeat = under("the same")
      const sent = Effect.catchDefect(
        repeat,
        (defect) => defect instanceof TransientFailure ? repeat : Effect.die(defect)
      )
      return Effect.map(Effect.tapError(sent, () => keepsNothing(name)), ({ answer }) => {
        posted.push({ answer, repeat, reuse: under("another") })
        return answer
      })
    })

  return { keyed, posted }
}
