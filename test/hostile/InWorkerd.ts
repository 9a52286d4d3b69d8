/** The Worker in workerd, on a D1 of its own, over a socket: URLs, headers and limits are the platform's. */
import * as Effect from "effect/Effect"
import { Workerd } from "../support/harness.ts"
import { overSocket, type Transport } from "./Transport.ts"

export const make = Effect.gen(function*() {
  const { base, database } = yield* Workerd
  const transport: Transport = {
    send: overSocket(base.href),
    query: async (sql) => (await database.prepare(sql).all<Record<string, unknown>>()).results
  }
  return transport
})
