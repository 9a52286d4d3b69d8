/** The server on Durable Objects in process. Time is real: the alarms of objects wake nobody there. */
import * as Objects from "../objects/Objects.ts"
import { through, type Transport } from "./Transport.ts"

export const make = (config: Record<string, string>): Transport => {
  const { databases, fetch } = Objects.make(config)
  return {
    send: through(fetch),
    // A statement runs on the database of each scope.
    query: async (sql) => databases().flatMap((raw) => raw.prepare(sql).all()),
    written: () =>
      databases().reduce((sum, raw) => sum + Number(raw.prepare("SELECT total_changes() AS rows").get()!["rows"]), 0)
  }
}
