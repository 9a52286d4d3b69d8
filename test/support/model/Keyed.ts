/** Requests that carry an idempotency key, or none, and what they were answered with. */
import * as Effect from "effect/Effect"
import { CurrentIdempotency } from "../../../src/sql/Idempotency.ts"

type Refusal = { readonly _tag: string }

export interface Posted {
  readonly answer: unknown
  /** The same request once more. `replayed` tells whether it was taken for what it is. */
  readonly repeat: Effect.Effect<{ readonly answer: unknown; readonly replayed: boolean }, Refusal>
}

/** A key changes what the statements of its batch see of each other, so in half of the runs no request has one. */
export const make = (withKeys: boolean) => {
  const posted: Array<Posted> = []
  let keys = 0

  /** Runs it under a key of its own, and remembers it if it had an effect. */
  const keyed = <A, E extends Refusal>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    !withKeys ? effect : Effect.suspend(() => {
      const name = `key ${keys++}`
      const under = Effect.suspend(() => {
        const key = { key: name, id: name, fingerprint: name, replayed: false }
        return Effect.map(
          Effect.provideService(effect, CurrentIdempotency, key),
          (answer) => ({ answer, replayed: key.replayed })
        )
      })
      return Effect.map(under, ({ answer }) => {
        posted.push({ answer, repeat: under })
        return answer
      })
    })

  return { keyed, posted }
}
