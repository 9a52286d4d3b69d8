/**
 * Backoff: how long a task waits after it was given up, before a claim may take it again. The delay doubles with each
 * attempt, up to a limit. Half of it is random ("equal jitter": M. Brooker, "Exponential Backoff and Jitter", AWS
 * Architecture Blog, 2015), so that tasks which failed together do not return together.
 */
import type * as Effect from "effect/Effect"
import * as Random from "effect/Random"

export interface Backoff {
  /** The delay after the first attempt, in seconds. 0 means no backoff. */
  readonly baseSeconds: number
  /** The longest delay, in seconds. */
  readonly maxSeconds: number
}

/** A prime. Seeds are smaller, and a random fraction is a number below it divided by it. */
export const Spread = 1_000_003

/** The random number of a batch. Each task of the batch derives its own from it (`sql/lease/Backoff.ts`). */
export const seed: Effect.Effect<number> = Random.nextIntBetween(1, Spread - 1)

/** The longest delay after this many attempts, in milliseconds. */
export const longestMillis = (attempts: number, { baseSeconds, maxSeconds }: Backoff): number =>
  Math.min(maxSeconds, baseSeconds * 2 ** (attempts - 1)) * 1000
