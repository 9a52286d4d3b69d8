/**
 * What becomes of the tasks that wait for a task when that is done, fails, is cancelled or is brought back: part of the
 * same batch. `fall` fails the tasks that fail with it, and those that fail with them. `settle` brings up to date what the
 * tasks that wait for any of these wait for. For a task that nobody waits for, both read no row; otherwise the rows they
 * read are in proportion to the edges of the tasks that change.
 *
 * The recursions go over ids, each of which they reach once, however many ways lead there: in a graph of layers, the number
 * of ways is a power of the number of edges.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { TaskId } from "../../domain/Identifier.ts"
import { ends } from "../../domain/task/Moves.ts"
import * as Oversized from "../task/Oversized.ts"
import * as QueueCounts from "../task/QueueCounts.ts"
import * as CascadeSource from "./CascadeSource.ts"
import * as Edges from "../dependency/Edges.ts"

export const make = memoize((sql: D1Client.D1Client) => {
  const { isSatisfied, leadsTo, remaining, stored } = Edges.make(sql)
  const { countAll } = QueueCounts.make(sql)
  const { oversized } = Oversized.make(sql)
  const sources = CascadeSource.make(sql)

  // The name of an edge may mean a second task besides `up`. A task that is done there keeps the edge satisfied.
  const otherIsDone = sql`EXISTS (
    SELECT 1 FROM tasks AS other WHERE +other.queue = 'done' AND +other.scope = edge.scope AND other.id =
      iif(edge.blocker_id <> up.id, edge.blocker_id, iif(up.id GLOB 'TASK-*', substr(up.id, 6), NULL)))`
  const failsWithUp = sql`edge.on_failure = 'fail' AND edge.scope = +up.scope AND NOT ${otherIsDone}`
  const canFail = sql`claimed_by IS NULL AND +queue NOT IN ${sql.in(ends)}`

  // Before the recursions, which cost some rows even where they find none.
  const ifChanged = Edges.ifChanged(sql)

  // The log names the tasks that changed, in the statement that changes them: a query of its own would walk all edges again.
  const told = (event: Fragment): Fragment =>
    sql`RETURNING ${event} AS event, id, scope, version, claimed_by, fencing_token, queue`

  const first = (failing: Fragment): Fragment =>
    sql`SELECT edge.task_id, 'Blocker ' || up.id || iif(+up.queue = 'failed', ' failed.', ' was cancelled.')
      FROM ${failing} WHERE ${failsWithUp} AND +up.queue IN ${sql.in(Edges.lost)}`

  // Each task that fails, as `up`, with its edges to the tasks that may fail with it.
  const onwards = sql`reached CROSS JOIN tasks AS up
      ON up.id = reached.id AND up.claimed_by IS NULL AND +up.queue NOT IN ${sql.in(ends)}
    CROSS JOIN dependencies AS edge ON ${leadsTo(sql`up.id`)} AND ${failsWithUp}`

  /** `reached`: the ids of the tasks that fail, if they may, because of what they wait for. `source`: the first of these. */
  const falling = ({ besides, failing }: CascadeSource.Source): Fragment =>
    sql`WITH RECURSIVE source (id, because) AS (
      ${first(failing)} ${besides === undefined ? sql`` : sql`UNION ALL ${first(besides)}`}),
    reached (id) AS (SELECT id FROM source UNION SELECT edge.task_id FROM ${onwards})`

  /**
   * Fails the tasks that fail with what they wait for, through any number of them, unless somebody holds them. `made` is
   * about the move and may ask for the changes of the statement before. The last statement answers what to log.
   */
  const fall = (source: CascadeSource.Source, now: number, made?: Fragment): Array<Statement<any>> => [
    sql`
      ${falling(source)},
      ways (id, because) AS (
        SELECT id, because FROM source UNION ALL SELECT edge.task_id, 'Blocker ' || up.id || ' failed.' FROM ${onwards})
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
      SELECT tasks.id, version + 1, tasks.scope, 'dependency_failed', queue, 'failed', fallen.because, grants, ${now}
      FROM ${made === undefined ? sql`` : Edges.onlyIf(sql, made)} (${source.risk}) AS risk
        CROSS JOIN (SELECT id, min(because) AS because FROM ways GROUP BY id) AS fallen
        CROSS JOIN tasks ON tasks.id = fallen.id AND ${canFail}`,
    countAll({
      ctes: falling(source),
      from: sql`${ifChanged} (SELECT id FROM reached) AS fallen CROSS JOIN tasks ON tasks.id = fallen.id`,
      where: canFail,
      to: sql`'failed'`
    }),
    sql`
      ${falling(source)}
      UPDATE tasks SET version = version + 1, updated_at = ${now}, queue = 'failed', lapsed_token = NULL,
        available_at = NULL, completed_at = NULL, needs_intervention = 0,
        failure_reason = iif(${oversized}, NULL, (
          SELECT reason FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1))
      WHERE id IN (SELECT fallen.id FROM ${ifChanged} (SELECT id FROM reached) AS fallen) AND ${canFail} ${
      told(sql`'dependency_failed'`)
    }`
  ]

  /** The task as it is now, if the statement before this one changed anything: what `fall` of its own made of it. */
  const ifFallen = (id: TaskId): Statement<any> => sql`SELECT * FROM tasks WHERE id = iif(changes() > 0, ${id}, NULL)`

  /**
   * `touched`: the edges to the blocker, and those to the tasks that failed with it which may be satisfied by that. Rows
   * without an edge are the tasks that may have failed.
   */
  const touched = (source: CascadeSource.Source, now: number): Fragment => {
    const ifSkipped = (value: Fragment) => sql`iif(edge.on_failure = 'skip', ${value}, NULL)`
    return sql`WITH RECURSIVE touched (task_id, blocker_key, blocker_id, falls, up, became) AS (
      ${source.edges}
      UNION SELECT task_id, NULL, NULL, 0, NULL, NULL FROM touched WHERE falls
      UNION SELECT edge.task_id, ${ifSkipped(sql`edge.blocker_key`)}, ${ifSkipped(sql`edge.blocker_id`)}, 0,
        ${ifSkipped(sql`up.id`)}, ${ifSkipped(sql`up.queue`)}
      FROM touched CROSS JOIN tasks AS up
          ON touched.blocker_key IS NULL AND up.id = touched.task_id AND up.queue = 'failed' AND up.updated_at = ${now}
        CROSS JOIN dependencies AS edge ON ${
      leadsTo(sql`up.id`)
    } AND edge.scope = up.scope AND edge.on_failure <> 'wait')`
  }

  const reason = sql`'Task ' || up || CASE became WHEN 'done' THEN ' is done.' WHEN 'failed' THEN ' failed.'
    WHEN 'cancelled' THEN ' was cancelled.' ELSE ' is in ' || became || ' again.' END`

  /**
   * Brings up to date which edges are satisfied and what the waiting tasks show of it; where all is as it should be,
   * nothing is written. `updated_at` stays: it says when somebody worked on a task, and clients clean up after it. The last
   * statement answers what to log.
   */
  const settle = (source: CascadeSource.Source, now: number): Array<Statement<any>> => [
    sql`
        ${touched(source, now)}
        INSERT INTO dependencies (scope, blocker_key, task_id, blocker_id, position, satisfied_at)
        SELECT dependencies.scope, dependencies.blocker_key, dependencies.task_id, dependencies.blocker_id, position,
          iif(satisfied_at IS NULL, ${now}, NULL)
        FROM (${source.waiting}) AS waiting
          CROSS JOIN (SELECT DISTINCT blocker_key, task_id, blocker_id FROM touched WHERE blocker_key IS NOT NULL) AS affected
          CROSS JOIN dependencies USING (blocker_key, task_id, blocker_id)
        WHERE (satisfied_at IS NOT NULL) <> ${isSatisfied(stored, source.ending)}
        ON CONFLICT (blocker_key, task_id, blocker_id) DO UPDATE SET satisfied_at = excluded.satisfied_at`,
    sql`
        ${touched(source, now)},
        waiting AS MATERIALIZED (
          SELECT tasks.id, version, scope, queue, grants, blocked_by, because, ${remaining(sql`tasks.id`)} AS still
          FROM ${ifChanged} (
              SELECT task_id, min(${reason}) AS because FROM touched WHERE blocker_key IS NOT NULL GROUP BY task_id) AS known
            CROSS JOIN tasks ON tasks.id = task_id)
        INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
        SELECT id, version + 1, scope, iif(still IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because, grants,
          ${now}
        FROM waiting WHERE blocked_by IS NOT still`,
    sql`
        ${touched(source, now)}
        UPDATE tasks SET version = version + 1, blocked_by = ${remaining(sql`tasks.id`)}
        WHERE id IN (
            SELECT known.task_id FROM ${ifChanged} (SELECT task_id FROM touched WHERE blocker_key IS NOT NULL) AS known)
          AND EXISTS (SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)
        ${told(sql`iif(blocked_by IS NULL, 'unblocked', 'blocked')`)}`
  ]

  return { ...sources, fall, ifFallen, settle }
})
