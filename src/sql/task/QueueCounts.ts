/**
 * The counters of a scope's queues: one JSON row, kept in the batch that moves a task. A queue that holds nothing is not in it, so
 * that lists and polls read no more names than there are queues with tasks. Every change of a task goes through one of these, also
 * where it stays in its queue: they raise the `revision` that conditional reads go by.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import * as ProjectCounts from "../record/ProjectCounts.ts"

interface Moved {
  /** Which tasks: a condition on columns of `tasks`. */
  readonly where: Fragment
  /** Where they go: an expression over columns of `tasks`. Null when they are deleted. */
  readonly to: Fragment | null
}

export const make = memoize((sql: D1Client.D1Client) => {
  // Queue names hold no quotes (domain/Identifier.ts), so this is always a path.
  const countOf = (queue: Fragment): Fragment => sql`coalesce(counts ->> ('$."' || ${queue} || '"'), 0)`

  /** The counters with the queue's raised by `by`. A patch removes the names whose value is null: those of empty queues. */
  const raise = (queue: Fragment, by: number): Fragment =>
    sql`json_patch(counts, json_object(${queue}, nullif(${countOf(queue)} + ${by}, 0)))`

  const { keyOf } = ProjectCounts.make(sql)

  // The members of a patch apply in order, so a task that stays in its queue leaves the counter as it is.
  const shift = (from: Fragment, to: Fragment): Fragment =>
    sql`json_patch(counts, json_object(
      ${from}, nullif(${countOf(from)} - 1, 0), ${to}, ${countOf(to)} + 1 - (${from} = ${to})))`

  // The scope of a task, and its project; and the counters of both. It is one task: `LIMIT 1` has SQLite look for those by
  // their names.
  const ownersAnd = sql`scope AS owner, ${keyOf(sql`project_id`)} AS project, queue`
  const ofMoved = sql`(scope = moved.owner OR scope = moved.project)`

  /** The counters as they will be after one task is moved or deleted. */
  const count = ({ to, where }: Moved): Statement<any> =>
    to === null
      ? sql`
        UPDATE queue_counts SET revision = revision + 1, counts = ${raise(sql`moved.queue`, -1)}
        FROM (SELECT ${ownersAnd} FROM tasks WHERE ${where} LIMIT 1) AS moved WHERE ${ofMoved}`
      : sql`
        UPDATE queue_counts SET revision = revision + 1, counts = ${shift(sql`moved.queue`, sql`moved.target`)}
        FROM (SELECT ${ownersAnd}, ${to} AS target FROM tasks WHERE ${where} LIMIT 1) AS moved
        WHERE ${ofMoved}`

  /**
   * The same for any number of tasks. `from` is where to look for them, if not in all, and `ctes` what that refers to.
   * Each is looked at once, however many projects they are of.
   */
  const countAll = (
    { ctes = sql``, from = sql`tasks`, to, where }: Moved & { readonly from?: Fragment; readonly ctes?: Fragment }
  ): Statement<any> =>
    sql`
      ${ctes}
      UPDATE queue_counts SET revision = revision + 1, counts = (
        SELECT json_group_object(queue, n) FROM (
          SELECT queue, sum(step) AS n FROM (
            SELECT key AS queue, value AS step FROM json_each(counts)
            UNION ALL SELECT value ->> 0, value ->> 1 FROM json_each(deltas.steps))
          GROUP BY queue HAVING n <> 0))
      FROM (
        SELECT step.value ->> 0 AS owner, json_group_array(json_array(step.value ->> 1, step.value ->> 2)) AS steps
        FROM (
            SELECT tasks.scope, ${keyOf(sql`tasks.project_id`)} AS project, tasks.queue, ${to} AS target
            FROM ${from} WHERE ${where}) AS gone
          CROSS JOIN json_each(json_array(
            json_array(gone.scope, gone.queue, -1), json_array(gone.scope, target, 1),
            json_array(project, gone.queue, -1), json_array(project, target, 1))) AS step
        WHERE step.value ->> 0 IS NOT NULL AND step.value ->> 1 IS NOT NULL
        GROUP BY owner) AS deltas
      WHERE scope = deltas.owner`

  /** Adds one task to `queue` of `scope`, and of the project if it has one, when `where` holds. */
  const countNew = (scope: string, project: string | null, queue: string, where: Fragment): Statement<any> =>
    sql`
      INSERT INTO queue_counts (scope, counts, revision)
      SELECT owner, json_object(${queue}, 1), 1 FROM (
        SELECT ${scope} AS owner UNION ALL SELECT scope FROM queue_counts WHERE scope = ${keyOf(sql`${project}`)})
      WHERE ${where}
      ON CONFLICT (scope) DO UPDATE SET revision = revision + 1, counts = ${raise(sql`${queue}`, 1)}`

  /** The counters of projects after a task that was counted in the queue `to` goes to another project. */
  const countMoved = (project: string | null, { to, where }: Moved): ReadonlyArray<Statement<any>> => {
    const change = (own: Fragment, by: number) =>
      sql`
        UPDATE queue_counts SET counts = ${raise(sql`moved.target`, by)}
        FROM (SELECT ${own} AS owner, ${to} AS target FROM tasks WHERE ${where}) AS moved WHERE scope = moved.owner`
    return [change(keyOf(sql`project_id`), -1), change(keyOf(sql`${project}`), 1)]
  }

  /** The counters after the statement before this one changed the task with this id, as its newest history says. */
  const countRecorded = (id: string): Statement<any> =>
    sql`
      UPDATE queue_counts SET revision = revision + 1, counts = ${shift(sql`moved.queue`, sql`moved.target`)}
      FROM (
        SELECT history.scope AS owner, ${
      keyOf(sql`tasks.project_id`)
    } AS project, from_queue AS queue, to_queue AS target
        FROM tasks CROSS JOIN history ON task_id = tasks.id AND history.version = tasks.version
        WHERE tasks.id = ${id} LIMIT 1) AS moved
      WHERE ${ofMoved} AND changes() > 0`

  return { count, countAll, countMoved, countNew, countRecorded }
})
