/** Taking back the leases that have run out: done by the cron for everyone, and by each claim for its own scope. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Statement } from "effect/sql/Statement"
import { moves } from "../domain/TaskState.ts"
import * as Transition from "./Transition.ts"

export const make = (sql: D1Client.D1Client) => {
  const transition = Transition.make(sql)

  /**
   * The statements that take back the expired leases of `scope`, or of all. Each checks the predicate again as it
   * writes, so a lease that was renewed meanwhile is left alone.
   */
  return (now: number, scope?: string): Array<Statement<any>> => {
    // The `+` keeps SQLite from searching the scope for what the index of leases has at hand.
    const where = sql`claimed_by IS NOT NULL AND lease_expires_at <= ${now}
      ${scope === undefined ? sql`` : sql`AND +scope = ${scope}`}`
    const owners = scope === undefined
      ? sql`scope IN (SELECT scope FROM tasks WHERE ${where})`
      : sql`scope = ${scope} AND changes() > 0`
    const { countAll, merged, record } = transition
    const { change, event, to } = merged([[sql`queue = 'claimed'`, moves.expire]], moves.expireReview, now)
    return [
      record({ where, event, to, actor: sql`claimed_by`, reason: "The lease ran out.", now }),
      countAll({ where, to, when: owners }),
      sql`UPDATE tasks SET ${change} WHERE ${where} RETURNING *`
    ]
  }
}
