/** Counts what a request costs in D1, as D1 itself tells it. */
import type { D1PreparedStatement } from "@cloudflare/workers-types"
import type { Cost } from "../Cost.ts"

export const make = () => {
  let cost: Cost = { trips: 0, read: 0, written: 0 }
  return {
    cost: () => cost,
    /** Runs one statement, which is one round trip. */
    run: async (statement: D1PreparedStatement) => {
      const { meta, results } = await statement.all<Record<string, unknown>>()
      cost = { trips: cost.trips + 1, read: cost.read + meta.rows_read, written: cost.written + meta.rows_written }
      return { rows: results, changes: meta.changes }
    }
  }
}
