/** The one source of chance of a run: everything that is drawn is decided by the seed. */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

export interface Chance {
  readonly random: Random.Random
  /** A number from 0 to 1. */
  readonly next: () => number
  /** An integer, both ends included. */
  readonly between: (minimum: number, maximum: number) => number
  /** Whether something of this probability happens. */
  readonly happens: (probability: number) => boolean
  readonly pick: <A>(from: ReadonlyArray<A>) => A
}

export const make = (seed: number | string): Chance => {
  const random = Effect.runSync(Random.withSeed(Effect.service(Random.Random), seed))
  const next = () => random.nextDoubleUnsafe()
  const between = (minimum: number, maximum: number) => minimum + Math.floor(next() * (maximum - minimum + 1))
  return {
    random,
    next,
    between,
    happens: (probability) => next() < probability,
    pick: (from) => from[between(0, from.length - 1)]!
  }
}
