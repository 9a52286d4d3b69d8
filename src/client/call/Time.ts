/** Time for the worker, by a clock that corrections of the wall clock do not move. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Milliseconds since an arbitrary moment. Only differences have a meaning. */
export const now: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/** A random time between four fifths of `millis` and all of it, so that many machines do not act together. */
export const jittered = (millis: number): Effect.Effect<number> =>
  Effect.map(Random.nextBetween(0.8, 1), (factor) => Math.ceil(millis * factor))
