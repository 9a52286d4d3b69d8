/** How many tasks a claim takes before one: counted in the order of claims, and no further than there is a use for. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { Policy } from "../../domain/lease/Budget.ts"
import { MaxAhead } from "../../domain/task/Explanation.ts"
import { ends, moves } from "../../domain/task/Moves.ts"
import * as Deadline from "../lease/Deadline.ts"
import { byRole } from "./NextTask.ts"
import * as Outcome from "./Outcome.ts"
import * as Places from "./Places.ts"

export const make = (sql: D1Client.D1Client, { backoff, limits }: Policy) => {
  const { ready } = Places.make(sql)
  const { target } = Outcome.make(sql)
  // Where a claim finds a task whose lease has run out, which it takes back first. It hands out none that backs off then.
  const returns = sql`CASE WHEN queue <> 'claimed' THEN ${target(moves.expireReview, limits, sql`queue`)}
    WHEN ${Deadline.exceeded(sql)} THEN ${target(moves.exceedDeadline, limits, sql`claimed_from`)}
    ELSE ${target(moves.expire, limits, sql`claimed_from`)} END`
  const atOnce = backoff.baseSeconds === 0 ? sql`` : sql`AND queue <> 'claimed'`

  /**
   * The count, for the task that `self` finds and a claim for these roles: for every one when there are none, for the
   * task's own when they are not said. What is held, or has come to an end, is in no order.
   */
  return (self: Fragment, roles: ReadonlyArray<string> | undefined, now: number): Statement<any> => {
    const before = sql`(priority_rank, created_at, id) < (own.priority_rank, own.created_at, own.id)`
    const count = (index: Fragment, lane: Fragment) => {
      const waits = sql`blocked_by IS NULL ${lane} AND ${before}`
      return sql`(SELECT count(*) FROM (
        SELECT 1 FROM tasks INDEXED BY ${index} WHERE scope = own.scope AND queue = own.place AND ${ready} ${lane}
          AND ${before}
        UNION ALL
        SELECT 1 FROM tasks INDEXED BY tasks_backing_off WHERE available_at IS NOT NULL AND scope = own.scope
          AND available_at <= ${now} AND claimed_by IS NULL AND queue = own.place AND ${waits}
        UNION ALL
        SELECT 1 FROM tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL AND lease_expires_at <= ${now}
          AND scope = own.scope ${atOnce} AND ${returns} = own.place AND ${waits}
        LIMIT ${MaxAhead}))`
    }
    const anyLane = count(sql`tasks_ready`, sql``)
    const ahead = roles === undefined
      ? sql`iif(own.lane = '', ${anyLane}, ${
        count(sql`tasks_ready_for`, sql`AND role IS NOT NULL AND lane = own.lane`)
      })`
      : roles.length === 0
      ? anyLane
      : count(
        byRole(roles) ? sql`tasks_ready_for` : sql`tasks_ready`,
        sql`${byRole(roles) ? sql`AND role IS NOT NULL` : sql``}
          AND lane IN (SELECT value FROM json_each(${JSON.stringify(roles)}))`
      )
    return sql`
      SELECT ${ahead} AS ahead FROM (
        SELECT id, scope, lane, priority_rank, created_at,
          iif(queue IN ${sql.in(ends)} OR lease_expires_at > ${now}, NULL,
            iif(claimed_by IS NULL, queue, nullif(nullif(${returns}, 'failed'), 'cancelled'))) AS place
        FROM tasks WHERE ${self}) AS own`
  }
}
