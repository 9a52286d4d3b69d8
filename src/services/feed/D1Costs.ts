/**
 * Stores what requests and turns of the cron cost in D1, for the metrics. Each isolate counts by itself, and adds what
 * it has counted to one row, once a minute at most and after an answer was sent. An isolate that ends loses what it did
 * not store.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChangedScopes, CurrentCost, Database, Guards, noCost, Riders } from "../../sql/Database.ts"
import { statement } from "../../sql/Statement.ts"

/** The shortest time between two writes of an isolate, in milliseconds. */
const Interval = 60_000

const added = statement(`
  INSERT INTO d1_costs (id, trips, statements, rows_read, rows_written) VALUES (1, :trips, :statements, :read, :written)
  ON CONFLICT (id) DO UPDATE SET trips = trips + excluded.trips, statements = statements + excluded.statements,
    rows_read = rows_read + excluded.rows_read, rows_written = rows_written + excluded.rows_written`)

export class D1Costs extends Context.Service<D1Costs, {
  /** Whether the isolate has something to store. The first minute of an isolate stores nothing. */
  readonly isDue: Effect.Effect<boolean>
  /**
   * Adds what the isolate has counted to what is stored. If that fails, it is tried again with the next call. It never
   * fails.
   */
  readonly store: Effect.Effect<void>
}>()("octopoid-server/services/D1Costs") {
  static readonly layer = Layer.effect(
    D1Costs,
    Effect.gen(function*() {
      const { batch, spent } = yield* Database
      let last: number | undefined

      const isDue = Effect.map(Clock.currentTimeMillis, (now) => {
        last ??= now
        return now - last >= Interval && spent.trips > 0
      })

      const store = Effect.gen(function*() {
        const { read, statements, trips, written } = spent
        last = yield* Clock.currentTimeMillis
        // Requests go on counting meanwhile.
        Object.assign(spent, noCost())
        yield* Effect.catchCause(batch({ added: added({ trips, statements, read, written }) }), (cause) => {
          spent.trips += trips
          spent.statements += statements
          spent.read += read
          spent.written += written
          return Effect.logWarning("storing the costs in D1 failed", cause)
        })
      }).pipe(
        Effect.provideService(CurrentCost, noCost()),
        Effect.provideService(Riders, undefined),
        Effect.provideService(Guards, undefined),
        Effect.provideService(ChangedScopes, undefined),
        Effect.withSpan("D1Costs.store")
      )

      return D1Costs.of({ isDue, store })
    })
  )
}
