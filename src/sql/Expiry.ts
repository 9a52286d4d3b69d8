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
   * The statements that take back the oldest expired leases of `scope`, or of all. The predicate is checked again by
   * each statement that writes, so a lease that was renewed meanwhile is left alone.
   */
  return (now: number, scope?: string): Array<Statement<any>> =>
    [moves.expire, moves.expireReview].flatMap((move) => {
      const { change, count, record } = transition.statements(move, {
        where: sql`
          id IN (SELECT id FROM tasks WHERE claimed_by IS NOT NULL AND lease_expires_at <= ${now}
            ${scope === undefined ? sql`` : sql`AND scope = ${scope}`}
            ORDER BY lease_expires_at, id LIMIT ${BatchSize})
          AND ${transition.allowed(move)}`,
        actor: sql`claimed_by`,
        reason: "The lease ran out.",
        now
      })
      return [record, ...count, change]
    })
}
