/**
 * Moving tasks in SQL: record, then change, under one predicate.
 *
 * A batch is a serial transaction, so every statement that carries the predicate before the one that changes the tasks
 * sees the same rows. History, counters and dependents can neither be missed nor attached to a task that did not move.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import { intervention, type Move } from "../domain/TaskState.ts"
import * as Landing from "./Landing.ts"
import * as QueueCounts from "./QueueCounts.ts"

type Counter = Move["counts"][number]

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

const destinationIsDone = ({ to }: Move) => typeof to === "object" && to.queue === "done"

export const make = (sql: D1Client.D1Client) => {
  const { destination: landed, landing } = Landing.make(sql)
  const counts = QueueCounts.make(sql)

  /** One history entry for each of the tasks, at the version the change will give it. */
  const record = (change: Change): Statement<any> =>
    sql`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
      SELECT id, version + 1, scope, ${change.event}, queue, ${change.to ?? null}, ${change.actor},
        ${change.reason ?? null}, ${change.details ?? null}, grants, ${change.now}
      FROM tasks WHERE ${change.where}`

  /** The columns a move writes on every task; what it says besides, and `completed_at` of `done`, is the caller's. */
  const columns = (move: Move, now: number, queue: Fragment): Fragment => {
    const raised = (counter: Counter) =>
      move.counts.includes(counter) ? sql`, ${sql(counter)} = ${sql(counter)} + 1` : sql``
    return sql`
      version = version + 1, updated_at = ${now}, queue = ${queue}, lapsed_token = NULL, available_at = NULL
      ${move.to === "same" || destinationIsDone(move) ? sql`` : sql`, completed_at = NULL`}
      ${raised("attempt_count")} ${raised("rejection_count")} ${raised("lease_losses")}
      ${move.clearsIntervention ? sql`, needs_intervention = 0` : sql``}
      ${move.lease === "grant" || move.lease === "resume" ? sql`` : sql`, ${noLease}`}`
  }

  const noLease =
    sql`claimed_by = NULL, claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
      lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL`

  /** Moves that end leases, in one: for each task the first whose condition holds for it, or else `last`. */
  const merged = (cases: ReadonlyArray<readonly [condition: Fragment, move: Move]>, last: Move, now: number) => {
    const each = (of: (move: Move) => Fragment): Fragment =>
      sql`CASE ${
        cases.reduce((before, [condition, move]) => sql`${before} WHEN ${condition} THEN ${of(move)}`, sql``)
      } ELSE ${of(last)} END`
    const to = each(landed)
    const raised = (counter: Counter) =>
      sql`${sql(counter)} = ${sql(counter)} + ${each((move) => sql`${Number(move.counts.includes(counter))}`)}`
    return {
      to,
      event: each((move) => sql`${move.event}`),
      change: sql`
        version = version + 1, updated_at = ${now}, queue = ${to}, lapsed_token = ${
        each((move) => move.lease === "lapse" ? sql`grants` : sql`NULL`)
      }, available_at = NULL,
        completed_at = iif(${to} = 'done', completed_at, NULL), ${raised("attempt_count")}, ${raised("lease_losses")},
        needs_intervention = ${
        // A task that goes back to where it waits for somebody to look at it still needs that.
        each((move) => move.clearsIntervention ? sql`${to} = ${intervention}` : sql`needs_intervention`)}, ${noLease}`
    }
  }

  /**
   * A move of one task: record, then change what was recorded, then count what was changed. Only the first statement asks
   * whether the move may be made and where it leads (`sql/Landing.ts`); the second answers the task as it is now.
   */
  const byId = (move: Move, change: Omit<Change, "event" | "to"> & { readonly id: string }, set: Fragment) => {
    const event = move.flow === "burnOut"
      ? sql`iif(target = ${landed(move)}, ${move.event}, 'submitted')`
      : sql`${move.event}`
    return [
      sql`
        INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
        SELECT id, version + 1, scope, ${event}, queue, target, ${change.actor}, ${change.reason ?? null},
          ${change.details ?? null}, grants, ${change.now}
        FROM (SELECT *, ${landing(move)} AS target FROM tasks WHERE id = ${change.id} AND ${change.where}) AS tasks
        WHERE target NOT IN ('', ${move.afterLapse ? sql`iif(lapsed_token IS NULL, queue, '')` : sql`queue`})`,
      sql`
        UPDATE tasks SET ${columns(move, change.now, recordedQueue(move))} ${set}
        WHERE id = ${change.id} AND changes() > 0 RETURNING *`,
      counts.countRecorded(change.id)
    ]
  }

  /** Where the move that was just recorded leads. */
  const recordedQueue = (move: Move): Fragment =>
    typeof move.to === "object" && (move.flow === "none" || move.flow === "step")
      ? sql`${move.to.queue}`
      : sql`(SELECT to_queue FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)`

  /** The statements of a grant: record, then change. The second one answers the tasks as they are now. */
  const statements = (move: Move, change: Omit<Change, "event" | "to">, set: Fragment = sql``) => ({
    record: record({ ...change, event: move.event, to: landed(move) }),
    change: sql`
      UPDATE tasks SET ${columns(move, change.now, landed(move))} ${set}
      WHERE ${change.where} RETURNING *`
  })

  return { ...counts, columns, record, merged, statements, byId }
}
