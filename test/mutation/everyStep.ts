/**
 * Sends every request that the budget measures, and runs the cron, on SQLite in process. `Steps.ts` of the mutation check runs this in a
 * copy of the repository, to learn which statements each step sends.
 */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Filled from "../budget/Filled.ts"
import { atDepth } from "../budget/Measure.ts"
import { migrated } from "../support/layers.ts"

// The least that the requests of the budget need.
const Depth = 10

await Effect.runPromise(
  Filled.make(Depth).pipe(
    Effect.flatMap((filled) => atDepth(migrated().db, Depth, filled)),
    Effect.scoped,
    Effect.provide(TestClock.layer())
  )
)
