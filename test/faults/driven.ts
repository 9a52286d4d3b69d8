/** Time for requests that wait for a D1 which does not answer, and between those that are repeated. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

/** Moves the clock whenever nothing else moves. */
export const driven = <A, E, R>(sent: () => number, effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(
    effect,
    Effect.forever(Effect.gen(function*() {
      const before = sent()
      for (let i = 0; i < 5; i++) yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      if (sent() === before) yield* TestClock.adjust("1 second")
    }))
  )
