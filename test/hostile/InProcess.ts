/** The server in process, on a database of its own, in virtual time. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"
import { through, type Transport } from "./Transport.ts"

/** Lives in the test's clock, and lets its time pass. */
export const make = Effect.fnUntraced(function*(config: Record<string, string>) {
  const database = migrated()
  const { fetch } = yield* server.make(config, () => database.db)
  const run = Effect.runPromiseWith(yield* Effect.context<never>())
  const transport: Transport = {
    send: through(fetch),
    pass: (millis) => run(TestClock.adjust(millis)),
    query: async (sql) => database.raw.prepare(sql).all(),
    written: () => Number(database.raw.prepare("SELECT total_changes() AS rows").get()!["rows"])
  }
  return transport
})
