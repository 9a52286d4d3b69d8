/**
 * Backoff: how long a task that was given up waits before it is handed out again. It doubles with each attempt, up to a limit,
 * and half of it is chance ("equal jitter": M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015), so
 * that what failed together does not come back together.
 */
import type * as Effect from "effect/Effect"
import * as Random from "effect/Random"

export interface Backoff {
  /** The delay after the first attempt, in seconds; 0 is no backoff. */
  readonly baseSeconds: number
  /** The longest delay, in seconds. */
  readonly maxSeconds: number
}

/** The prime that seeds are below, and that chance is a fraction of. */
export const Spread = 1_000_003

/** What a batch draws its chance from: one number, from which each task of the batch derives its own (`sql/lease/Backoff.ts`). */
export const seed: Effect.Effect<number> = Random.nextIntBetween(1, Spread - 1)

/** The longest delay after so many attempts, in milliseconds. */
export const longestMillis = (attempts: number, { baseSeconds, maxSeconds }: Backoff): number =>
  Math.min(maxSeconds, baseSeconds * 2 ** (attempts - 1)) * 1000

/** The delay after so many attempts, in milliseconds; `chance` is from 0 to 1. */
export const delayMillis = (attempts: number, backoff: Backoff, chance: number): number =>
  Math.round(longestMillis(attempts, backoff) * (0.5 + 0.5 * chance))
