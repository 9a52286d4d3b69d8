/** Taking back the leases that have run out: done by the cron for everyone, and by each claim for its own scope. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Statement } from "effect/sql/Statement"
import { moves } from "../domain/TaskState.ts"
import * as Transition from "./Transition.ts"

export const make = (sql: D1Client.D1Client) => {
  const transition = Transition.make(sql)

  /**
   * The statements that take back the expired leases of `scope`, or of all: work first, then reviews. Each checks the
   * predicate again as it writes, so a lease that was renewed meanwhile is left alone.
   */
  return (now: number, scope?: string): Array<Statement<any>> => {
    // The `+` keeps SQLite from searching the scope or the queue for what the index of leases has at hand.
    const expired = sql`claimed_by IS NOT NULL AND lease_expires_at <= ${now}
      ${scope === undefined ? sql`` : sql`AND +scope = ${scope}`}`
    const change = { actor: sql`claimed_by`, reason: "The lease ran out.", now }
    const claimed = sql`${expired} AND +queue = 'claimed'`
    const work = transition.statements(moves.expire, { ...change, where: claimed })
    const reviews = transition.statements(moves.expireReview, { ...change, where: sql`${expired} AND +queue <> 'claimed'` })
    return [
      work.record,
      transition.countAll({ where: claimed, to: sql`coalesce(claimed_from, queue)` }),
      work.change,
      reviews.record,
      reviews.change
    ]
  }
}
