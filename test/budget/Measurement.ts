/** What everything costs on the real D1, at two depths, and on Durable Objects. */
import type { D1Database } from "@cloudflare/workers-types"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Filled from "./Filled.ts"
import * as Graphs from "./Graphs.ts"
import { atDepth, depths, type Measured, tally } from "./Measure.ts"
import * as OneScope from "./objects/OneScope.ts"
import * as Scopes from "./objects/Scopes.ts"
import type { MeasuredObjects } from "./objects/Tally.ts"
import * as RealD1 from "./RealD1.ts"

/** All that was measured. It takes half a minute of CPU. */
export class Measurement extends Context.Service<Measurement, {
  readonly all: ReadonlyArray<Measured>
  /** The deepest of the databases it was measured on. */
  readonly db: D1Database
  /** The same on Durable Objects, in a scope as deep as that, and with several scopes. */
  readonly objects: ReadonlyArray<MeasuredObjects>
  /** The requests with several scopes, on D1. */
  readonly everyScope: ReadonlyArray<Measured>
}>()("test/budget/Measurement") {
  static readonly layer = Layer.effect(
    Measurement,
    Effect.gen(function*() {
      const names = [...depths.map((depth) => `DEPTH_${depth}`), "GRAPHS", "SCOPES"]
      const databases = yield* RealD1.make(names)
      const all: Array<Measured> = []
      let filled: Filled.Filled | undefined
      for (const [i, depth] of depths.entries()) {
        filled = yield* Filled.make(depth)
        all.push(...yield* atDepth(databases[i]!, depth, filled))
      }
      for (const { depth, name, operation, trips } of yield* Graphs.measure(databases[depths.length]!)) {
        all.push(tally(name, operation, depth, trips))
      }
      const everyScope = yield* Scopes.onD1(databases[depths.length + 1]!)
      const objects = [...yield* OneScope.measure(filled!), ...yield* Scopes.onObjects]
      return { all, db: databases[depths.length - 1]!, objects, everyScope }
    }).pipe(Effect.provide(TestClock.layer()))
  )
}
