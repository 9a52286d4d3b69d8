/**
 * The counters of a scope's queues: one JSON row, kept in the batch that moves a task. Every change of a task goes through
 * one of these, also where it stays in its queue: they raise the `revision` that conditional reads go by.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"

interface Moved {
  /** Which tasks: a condition on columns of `tasks`. */
  readonly where: Fragment
  /** Where they go: an expression over columns of `tasks`. Null when they are deleted. */
  readonly to: Fragment | null
}

export const make = (sql: D1Client.D1Client) => {
  // Queue names hold no quotes (domain/Identifier.ts), so this is always a path.
  const raise = (counts: Fragment, queue: Fragment, by: number): Fragment =>
    sql`json_set(${counts}, '$."' || ${queue} || '"', coalesce(${counts} ->> ('$."' || ${queue} || '"'), 0) + ${by})`

  const shift = (from: Fragment, to: Fragment): Fragment => raise(raise(sql`counts`, from, -1), to, 1)

  /** The counters as they will be after one task is moved or deleted. */
  const count = ({ to, where }: Moved): Statement<any> =>
    to === null
      ? sql`
        UPDATE queue_counts SET revision = revision + 1, counts = ${raise(sql`counts`, sql`moved.queue`, -1)}
        FROM (SELECT scope AS owner, queue FROM tasks WHERE ${where}) AS moved WHERE scope = moved.owner`
      : sql`
        UPDATE queue_counts SET revision = revision + 1, counts = ${shift(sql`moved.queue`, sql`moved.target`)}
        FROM (SELECT scope AS owner, queue, ${to} AS target FROM tasks WHERE ${where}) AS moved
        WHERE scope = moved.owner`

  /** The same for any number of tasks, of the scopes that `when` holds for. `from` is where to look for them, if not in all. */
  const countAll = (
    { from = sql`tasks`, to, when, where }: Record<"to" | "when" | "where", Fragment> & { readonly from?: Fragment }
  ): Statement<any> => {
    // The `+` keeps SQLite from searching a scope, with all that is done there, for what `where` finds by an index of its own.
    const steps = sql`
      SELECT queue, -1 AS step FROM ${from} WHERE +tasks.scope = queue_counts.scope AND ${where}
      UNION ALL SELECT ${to}, 1 FROM ${from} WHERE +tasks.scope = queue_counts.scope AND ${where}`
    return sql`
      UPDATE queue_counts SET revision = revision + 1, counts = (
        SELECT json_group_object(queue, n) FROM (
          SELECT queue, sum(step) AS n FROM (SELECT key AS queue, value AS step FROM json_each(counts) UNION ALL ${steps})
          GROUP BY queue))
      WHERE ${when}`
  }

  /** The counters as they will be after any number of tasks are deleted: those that `where` holds for. */
  const countDeleted = (where: Fragment): Statement<any> =>
    sql`
      UPDATE queue_counts SET revision = revision + 1, counts = (
        SELECT json_group_object(queue, n) FROM (
          SELECT queue, sum(step) AS n FROM (
            SELECT key AS queue, value AS step FROM json_each(counts)
            UNION ALL SELECT queue, -1 FROM tasks WHERE +tasks.scope = queue_counts.scope AND ${where})
          GROUP BY queue))
      WHERE scope IN (SELECT tasks.scope FROM tasks WHERE ${where})`

  /** The counters after the statement before this one moved a task of `scope` between these queues, or did not. */
  const countChange = (scope: string, from: string, to: string): Statement<any> =>
    sql`
      UPDATE queue_counts SET revision = revision + 1, counts = ${shift(sql`${from}`, sql`${to}`)}
      WHERE scope = ${scope} AND changes() > 0`

  /** Adds one task to `queue` of `scope`, when `where` holds. */
  const countNew = (scope: string, queue: string, where: Fragment): Statement<any> =>
    sql`
      INSERT INTO queue_counts (scope, counts, revision) SELECT ${scope}, json_object(${queue}, 1), 1 WHERE ${where}
      ON CONFLICT (scope) DO UPDATE SET revision = revision + 1, counts = ${raise(sql`counts`, sql`${queue}`, 1)}`

  /** The counters after the statement before this one changed the task with this id, as its newest history says. */
  const countRecorded = (id: string): Statement<any> =>
    sql`
      UPDATE queue_counts SET revision = revision + 1, counts = ${shift(sql`moved.queue`, sql`moved.target`)}
      FROM (
        SELECT scope AS owner, from_queue AS queue, to_queue AS target FROM history
        WHERE task_id = ${id} AND version = (SELECT version FROM tasks WHERE id = ${id})) AS moved
      WHERE scope = moved.owner AND changes() > 0`

  return { count, countAll, countDeleted, countChange, countNew, countRecorded }
}
