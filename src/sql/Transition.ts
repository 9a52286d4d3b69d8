/**
 * Moving tasks in SQL: record, then change, under one predicate.
 *
 * A batch is a serial transaction, so every statement that carries the predicate before the one that changes the tasks
 * sees the same rows. History, counters and dependents can neither be missed nor attached to a task that did not move.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { Move } from "../domain/TaskState.ts"
import * as Landing from "./Landing.ts"

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
  readonly reason?: string | null
  /** What else to keep in history, as JSON text. */
  readonly details?: string | null
  readonly now: number
}

const destinationIsDone = ({ to }: Move) => typeof to === "object" && to.queue === "done"

export const make = (sql: D1Client.D1Client) => {
  const { destination: landed, landing } = Landing.make(sql)

  /** One history entry for each of the tasks, at the version the change will give it. */
  const record = (change: Change): Statement<any> =>
    sql`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
      SELECT id, version + 1, scope, ${change.event}, queue, ${change.to ?? null}, ${change.actor},
        ${change.reason ?? null}, ${change.details ?? null}, grants, ${change.now}
      FROM tasks WHERE ${change.where}`

  // Queue names hold no quotes (domain/Identifier.ts), so this is always a path.
  const raise = (counts: Fragment, queue: Fragment, by: number): Fragment =>
    sql`json_set(${counts}, '$."' || ${queue} || '"', coalesce(${counts} ->> ('$."' || ${queue} || '"'), 0) + ${by})`

  /** The counters as they will be after one task is moved or deleted. */
  const count = ({ to, where }: Pick<Change, "to" | "where">): Statement<any> => {
    const left = raise(sql`counts`, sql`moved.queue`, -1)
    return to === null
      ? sql`
        UPDATE queue_counts SET counts = ${left}
        FROM (SELECT scope AS owner, queue FROM tasks WHERE ${where}) AS moved WHERE scope = moved.owner`
      : sql`
        UPDATE queue_counts SET counts = ${raise(left, sql`moved.target`, 1)}
        FROM (SELECT scope AS owner, queue, ${to} AS target FROM tasks WHERE ${where}) AS moved
        WHERE scope = moved.owner AND moved.queue <> moved.target`
  }

  /** The same for any number of tasks, of the scopes that `when` holds for. */
  const countAll = ({ to, when, where }: Record<"to" | "when" | "where", Fragment>): Statement<any> => {
    const steps = sql`
      SELECT queue, -1 AS step FROM tasks WHERE tasks.scope = queue_counts.scope AND ${where}
      UNION ALL SELECT ${to}, 1 FROM tasks WHERE tasks.scope = queue_counts.scope AND ${where}`
    return sql`
      UPDATE queue_counts SET counts = (
        SELECT json_group_object(queue, n) FROM (
          SELECT queue, sum(step) AS n FROM (SELECT key AS queue, value AS step FROM json_each(counts) UNION ALL ${steps})
          GROUP BY queue))
      WHERE ${when}`
  }

  /** The counters after the statement before this one moved a task of `scope` between these queues, or did not. */
  const countChange = (scope: string, from: string, to: string): Statement<any> =>
    sql`
      UPDATE queue_counts SET counts = ${raise(raise(sql`counts`, sql`${from}`, -1), sql`${to}`, 1)}
      WHERE scope = ${scope} AND changes() > 0`

  /** Adds one task to `queue` of `scope`, when `where` holds. */
  const countNew = (scope: string, queue: string, where: Fragment): Statement<any> =>
    sql`
      INSERT INTO queue_counts (scope, counts) SELECT ${scope}, json_object(${queue}, 1) WHERE ${where}
      ON CONFLICT (scope) DO UPDATE SET counts = ${raise(sql`counts`, sql`${queue}`, 1)}`

  /** The columns a move writes on every task; what it says besides, and `completed_at` of `done`, is the caller's. */
  const columns = (move: Move, now: number, queue: Fragment): Fragment => {
    const raised = (counter: Counter) =>
      move.counts.includes(counter) ? sql`, ${sql(counter)} = ${sql(counter)} + 1` : sql``
    return sql`
      version = version + 1, updated_at = ${now}, queue = ${queue}, lapsed_token = NULL
      ${move.to === "same" || destinationIsDone(move) ? sql`` : sql`, completed_at = NULL`}
      ${raised("attempt_count")} ${raised("rejection_count")} ${raised("lease_losses")}
      ${move.clearsIntervention ? sql`, needs_intervention = 0` : sql``}
      ${move.lease === "grant" ? sql`` : sql`, ${noLease}`}`
  }

  const noLease =
    sql`claimed_by = NULL, claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL`

  /** Two moves that end leases, in one: `yes` for the tasks for which `condition` holds, `no` for the others. */
  const merged = (condition: Fragment, yes: Move, no: Move, now: number) => {
    const either = (left: Fragment, right: Fragment) => sql`iif(${condition}, ${left}, ${right})`
    const to = either(landed(yes), landed(no))
    const raised = (counter: Counter) =>
      sql`${sql(counter)} = ${sql(counter)} + ${
        either(sql`${Number(yes.counts.includes(counter))}`, sql`${Number(no.counts.includes(counter))}`)
      }`
    const lapsed = (move: Move) => move.lease === "lapse" ? sql`grants` : sql`NULL`
    const intervention = (move: Move) => move.clearsIntervention ? sql`0` : sql`needs_intervention`
    return {
      to,
      event: either(sql`${yes.event}`, sql`${no.event}`),
      change: sql`
        version = version + 1, updated_at = ${now}, queue = ${to}, lapsed_token = ${either(lapsed(yes), lapsed(no))},
        completed_at = iif(${to} = 'done', completed_at, NULL), ${raised("attempt_count")}, ${raised("lease_losses")},
        needs_intervention = ${either(intervention(yes), intervention(no))}, ${noLease}`
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
    const recorded = sql`task_id = ${change.id} AND version = (SELECT version FROM tasks WHERE id = ${change.id})`
    return [
      sql`
        INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
        SELECT id, version + 1, scope, ${event}, queue, target, ${change.actor}, ${change.reason ?? null},
          ${change.details ?? null}, grants, ${change.now}
        FROM (SELECT *, ${landing(move)} AS target FROM tasks WHERE id = ${change.id} AND ${change.where}) AS tasks
        WHERE target NOT IN ('', queue)`,
      sql`
        UPDATE tasks SET ${columns(move, change.now, recordedQueue(move))} ${set}
        WHERE id = ${change.id} AND changes() > 0 RETURNING *`,
      sql`
        UPDATE queue_counts SET counts = ${raise(raise(sql`counts`, sql`moved.queue`, -1), sql`moved.target`, 1)}
        FROM (SELECT scope AS owner, from_queue AS queue, to_queue AS target FROM history WHERE ${recorded}) AS moved
        WHERE scope = moved.owner AND changes() > 0`
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

  return { record, count, countAll, countChange, merged, countNew, statements, byId }
}
