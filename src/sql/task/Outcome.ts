/** The outcome of a move (`domain/task/Moves.ts`) as expressions over the columns of `tasks`. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import { type Budget, type Limits, units } from "../../domain/lease/Budget.ts"
import type { Move, Outcome } from "../../domain/task/Moves.ts"
import * as Oversized from "./Oversized.ts"

export const make = (sql: D1Client.D1Client) => {
  const { oversized } = Oversized.make(sql)
  const spent: Record<Budget, Fragment> = {
    max_attempts: sql`attempt_count - lease_losses`,
    max_lease_losses: sql`lease_losses`,
    max_rejections: sql`rejection_count`
  }

  // A number that is bound may be a real, which is another text and other JSON.
  const limit = (budget: Budget, limits: Limits): Fragment =>
    sql`coalesce(${sql(budget)}, CAST(${limits[budget]} AS INTEGER))`

  /** What a column becomes, for each outcome there may be. */
  const choose = (move: Move, limits: Limits, becomes: Record<Outcome, Fragment>): Fragment => {
    const cancelled = move.yields ? sql`WHEN cancel_requested_at IS NOT NULL THEN ${becomes.cancelled}` : sql``
    const failed = move.budget === undefined ? sql`` : sql`
      WHEN ${spent[move.budget]} + 1 >= nullif(${limit(move.budget, limits)}, 0) THEN ${becomes.failed}`
    return move.yields || move.budget !== undefined
      ? sql`CASE ${cancelled} ${failed} ELSE ${becomes.usual} END`
      : becomes.usual
  }

  /** The queue the task lands in, when `usual` is where the move leads. */
  const target = (move: Move, limits: Limits, usual: Fragment): Fragment =>
    choose(move, limits, { usual, cancelled: sql`'cancelled'`, failed: sql`'failed'` })

  /** Why the task failed, if it did; `reason` is what the move gives. */
  const failureReason = (move: Move, limits: Limits, reason: Fragment): Fragment => {
    if (typeof move.to === "object" && move.to.queue === "failed") return reason
    // Where a task stays where it is, so does the reason why it is there.
    if (move.to === "same" || move.to === "back") return sql`iif(queue = 'failed', failure_reason, NULL)`
    if (move.budget === undefined) return sql`NULL`
    const { many, one } = units[move.budget]
    const most = limit(move.budget, limits)
    return choose(move, limits, {
      usual: sql`NULL`,
      cancelled: sql`NULL`,
      failed:
        sql`iif(${oversized}, NULL, 'The budget of ' || ${most} || iif(${most} = 1, ${` ${one} is spent.`}, ${` ${many} is spent.`})
        || coalesce(' Last: ' || ${reason}, ''))`
    })
  }

  /** What history keeps beside `details`, an expression: the budget, when it is spent. */
  const details = (move: Move, limits: Limits, details: Fragment): Fragment =>
    move.budget === undefined ? details : choose(move, limits, {
      usual: details,
      cancelled: details,
      failed: sql`json_set(coalesce(${details}, '{}'), '$.budget', ${move.budget}, '$.limit', ${
        limit(move.budget, limits)
      })`
    })

  return { choose, target, failureReason, details }
}
