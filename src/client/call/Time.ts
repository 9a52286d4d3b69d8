/** Time as the worker measures it: by a clock that no correction of the wall clock moves. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Milliseconds since some moment. Only their differences mean something. */
export const now: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos / 1_000_000n))

/** A time that many machines do not share: between four fifths of it and all of it. */
export const jittered = (millis: number): Effect.Effect<number> =>
  Effect.map(Random.nextBetween(0.8, 1), (factor) => Math.ceil(millis * factor))
