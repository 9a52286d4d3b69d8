/**
 * Moving tasks in SQL: record, then change, under one predicate.
 *
 * A batch is a serial transaction, so every statement that carries the predicate before the one that changes the tasks
 * sees the same rows. History, counters and dependents can neither be missed nor attached to a task that did not move.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import { excerpt, MaxReason } from "../../domain/Excerpt.ts"
import type { Move } from "../../domain/task/Moves.ts"
import * as Landing from "./Landing.ts"
import * as QueueCounts from "./QueueCounts.ts"

export interface Change {
  /** Which tasks: a condition on columns of `tasks`. */
  readonly where: Fragment
  /** What history calls it: a name, or an expression. */
  readonly event: Fragment | string
  /** Where the tasks go: an expression over columns of `tasks`. Null when they are deleted. */
  readonly to: Fragment | null
  /** Who did it: an expression, or a name. */
  readonly actor: Fragment | string | null
  readonly reason?: Fragment | string | null
  /** What else to keep in history, as JSON text. */
  readonly details?: Fragment | string | null
  readonly now: number
}

/** A reason as history keeps it. */
export const kept = (reason: Change["reason"]): Fragment | string | null =>
  typeof reason === "string" ? excerpt(reason, MaxReason) : reason ?? null

/** That this batch has recorded a change of the task, which is not made yet. */
export const recorded = (sql: D1Client.D1Client, { id, version }: { readonly id: string; readonly version: number }) =>
  sql`EXISTS (SELECT 1 FROM history WHERE task_id = ${id} AND history.version = ${version + 1})`

export const make = memoize((sql: D1Client.D1Client) => {
  const { destination: landed } = Landing.make(sql)
  const counts = QueueCounts.make(sql)

  /** One history entry for each of the tasks, at the version the change will give it. */
  const record = (change: Change): Statement<any> =>
    sql`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
      SELECT id, version + 1, scope, ${change.event}, queue, ${change.to ?? null}, ${change.actor},
        ${kept(change.reason)}, ${change.details ?? null}, grants, ${change.now}
      FROM tasks WHERE ${change.where}`

  /** The columns every grant writes; who gets the lease, and for how long, is the caller's. */
  const granted = (move: Move, now: number, queue: Fragment): Fragment =>
    sql`version = version + 1, updated_at = ${now}, queue = ${queue}, lapsed_token = NULL, available_at = NULL,
      failure_reason = NULL, cancel_reason = NULL, needs_intervention = 0
      ${move.to === "same" ? sql`` : sql`, completed_at = NULL`}`

  /** The statements of a grant: record, then change. The second one answers the tasks as they are now. */
  const statements = (move: Move, change: Omit<Change, "event" | "to">, set: Fragment = sql``) => ({
    record: record({ ...change, event: move.event, to: landed(move) }),
    change: sql`
      UPDATE tasks SET ${granted(move, change.now, landed(move))} ${set}
      WHERE ${change.where} RETURNING *`
  })

  return { ...counts, granted, record, statements }
})
