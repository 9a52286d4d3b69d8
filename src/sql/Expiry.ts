/** Taking back the leases that have run out: done by the cron for everyone, and by each claim for its own scope. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Statement } from "effect/sql/Statement"
import { moves } from "../domain/TaskState.ts"
import * as Transition from "./Transition.ts"

/** How many leases one batch takes back at most, so that no request pays for a whole outage. */
export const BatchSize = 100

export const make = (sql: D1Client.D1Client) => {
  const transition = Transition.make(sql)

  /**
   * The statements that take back the oldest expired leases of `scope`, or of all: work first, then reviews. Each checks
   * the predicate again as it writes, so a lease that was renewed meanwhile is left alone. The `+` keeps SQLite from
   * looking through the scope or the queue for what the index of leases has at hand.
   */
  const expired = (now: number, scope: string | undefined, queue: "claimed" | "other") =>
    sql`id IN (SELECT id FROM tasks WHERE claimed_by IS NOT NULL AND lease_expires_at <= ${now}
      ${scope === undefined ? sql`` : sql`AND +scope = ${scope}`}
      AND ${queue === "claimed" ? sql`+queue = 'claimed'` : sql`+queue <> 'claimed'`}
      ORDER BY lease_expires_at, id LIMIT ${BatchSize})`

  return (now: number, scope?: string): Array<Statement<any>> =>
    ([[moves.expire, "claimed"], [moves.expireReview, "other"]] as const).flatMap(([move, queue]) => {
      const where = expired(now, scope, queue)
      const change = { where, actor: sql`claimed_by`, reason: "The lease ran out.", now }
      const statements = transition.statements(move, change)
      return [
        statements.record,
        ...(move.to === "origin" ? [transition.countAll({ where, to: sql`coalesce(claimed_from, queue)` })] : []),
        statements.change
      ]
    })
}
