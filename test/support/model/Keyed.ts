/** Requests that carry an idempotency key, or none, and what they were answered with. */
import * as Effect from "effect/Effect"
import { CurrentIdempotency } from "../../../src/sql/Idempotency.ts"
import { TransientFailure } from "../../../src/sql/TransientFailure.ts"

type Refusal = { readonly _tag: string }

export interface Posted {
  readonly answer: unknown
  /** The same request once more. `replayed` tells whether it was taken for what it is. */
  readonly repeat: Effect.Effect<{ readonly answer: unknown; readonly replayed: boolean }, Refusal>
  /** Another request under the same key. */
  readonly reuse: Effect.Effect<unknown, Refusal>
}

/** A key changes what the statements of its batch see of each other, so in half of the runs no request has one. */
export const make = (withKeys: boolean) => {
  const posted: Array<Posted> = []
  let keys = 0

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
      return Effect.map(sent, ({ answer }) => {
        posted.push({ answer, repeat, reuse: under("another") })
        return answer
      })
    })

  return { keyed, posted }
}
