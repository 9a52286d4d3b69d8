/** Taking back the leases that have run out: done by the cron for everyone, and by each claim for its own scope. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Statement } from "effect/sql/Statement"
import { moves } from "../domain/TaskState.ts"
import * as Instant from "./Instant.ts"
import * as Transition from "./Transition.ts"

export const make = (sql: D1Client.D1Client) => {
  const transition = Transition.make(sql)
  const { told } = Instant.make(sql)

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
    // A lease that could not be renewed any more has not been lost: its attempt was too long.
    const overdue = sql`queue = 'claimed' AND coalesce(lease_expires_at >= deadline_at, 0)`
    const { countAll, merged, record } = transition
    const { change, event, to } = merged(
      [[overdue, moves.exceedDeadline], [sql`queue = 'claimed'`, moves.expire]],
      moves.expireReview,
      now
    )
    return [
      record({
        where,
        event,
        to,
        actor: sql`claimed_by`,
        reason: sql`iif(${overdue}, 'The attempt exceeded its deadline.', 'The lease ran out.')`,
        // What a renewal needs to give the lease back to whoever had it.
        details: sql`json_object('orchestrator_id', orchestrator_id, 'claimed_at', ${told(sql`claimed_at`)},
          'lease_seconds', lease_seconds, 'deadline_at', ${told(sql`deadline_at`)})`,
        now
      }),
      countAll({ where, to, when: owners }),
      sql`UPDATE tasks SET ${change} WHERE ${where} RETURNING *`
    ]
  }
}
