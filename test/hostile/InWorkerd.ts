/** The Worker in workerd, on a D1 of its own, over a socket: URLs, headers and limits are the platform's. */
import * as Effect from "effect/Effect"
import { Workerd } from "../support/harness.ts"
import { overSocket, type Transport } from "./Transport.ts"

export const make = Effect.gen(function*() {
  const { database, harness } = yield* Workerd
  const { url } = yield* Effect.promise(() => harness.listen())
  const db = yield* database
  const transport: Transport = {
    send: overSocket(url.href),
    query: async (sql) => (await db.prepare(sql).all<Record<string, unknown>>()).results
  }
  return transport
})
