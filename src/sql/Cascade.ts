/**
 * What becomes of the tasks that wait for a task when that is done, fails, is cancelled or is brought back: part of the
 * same batch. First fail those that fail with it (`fall`), and those that fail with them; then bring up to date what all
 * who wait for any of these wait for (`settle`). For a task that nobody waits for, both read no row.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { TaskId } from "../domain/Identifier.ts"
import { ends } from "../domain/TaskState.ts"
import * as CascadeSource from "./CascadeSource.ts"
import * as Edges from "./Edges.ts"
import * as Oversized from "./Oversized.ts"
import * as QueueCounts from "./QueueCounts.ts"

export const make = memoize((sql: D1Client.D1Client) => {
  const { isSatisfied, leadsTo, remaining, stored } = Edges.make(sql)
  const { countAll } = QueueCounts.make(sql)
  const { oversized } = Oversized.make(sql)
  const { around, columns, mayFall, of, ofAll, own, ownOf, to } = CascadeSource.make(sql)

  // What `satisfied_at` says is from before the move: a blocker that was done may just have failed.
  const done = isSatisfied({
    scope: sql`edge.scope`,
    blocker: sql`edge.blocker_id`,
    on_failure: sql`edge.on_failure`
  })
  const falls = sql`edge.scope = +up.scope AND edge.on_failure = 'fail' AND NOT ${done}
    AND waiting.id = edge.task_id AND waiting.claimed_by IS NULL AND waiting.queue NOT IN ${sql.in(ends)}`

  // Of these forms D1 counts no row, or one, as long as the statement before changed nothing.
  const ifChanged = sql`(SELECT 1 FROM (SELECT changes() AS n) WHERE n > 0) AS made`
  const listed = (ids: Fragment): Fragment => sql`json_each(iif(changes() > 0, (${ids}), '[]'))`

  // What is told of a task that is about to change: D1 counts a row more for a statement that answers what it changed.
  const told = sql`tasks.id, tasks.scope, version + 1 AS version, claimed_by, fencing_token`

  const first = (failing: Fragment): Fragment =>
    sql`SELECT waiting.id, waiting.scope, 'Blocker ' || up.id || iif(up.queue = 'failed', ' failed.', ' was cancelled.')
      FROM ${failing} CROSS JOIN tasks AS waiting ON ${falls} WHERE +up.queue IN ${sql.in(Edges.lost)}`

  /** `falling`: the tasks that fail because of what they wait for, and one reason for each way there. */
  const falling = (source: CascadeSource.Source): Fragment =>
    sql`WITH RECURSIVE falling (id, scope, because) AS (
      ${first(source.failing)}
      ${source.besides === undefined ? sql`` : sql`UNION ${first(source.besides)}`}
      UNION SELECT waiting.id, waiting.scope, 'Blocker ' || up.id || ' failed.'
      FROM falling AS up CROSS JOIN dependencies AS edge ON ${leadsTo(sql`up.id`)}
        CROSS JOIN tasks AS waiting ON ${falls})`

  /**
   * Fails the tasks that fail with what they wait for, through any number of them, unless somebody holds them. Nothing
   * happens unless `made` holds, which may ask for the changes of the statement before. One answers what to log.
   */
  const fall = (source: CascadeSource.Source, now: number, made?: Fragment): Array<Statement<any>> => [
    sql`
      ${falling(source)}
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
      SELECT tasks.id, version + 1, tasks.scope, 'dependency_failed', queue, 'failed', fallen.because, grants, ${now}
      FROM ${
      made === undefined ? sql`` : sql`(SELECT 1 FROM (SELECT ${made} AS it) WHERE it) AS made CROSS JOIN`
    } (${source.any}) AS any
        CROSS JOIN (SELECT id, min(because) AS because FROM falling GROUP BY id) AS fallen
        CROSS JOIN tasks ON tasks.id = fallen.id`,
    sql`
      ${falling(source)}
      SELECT 'dependency_failed' AS event, ${told}, 'failed' AS queue FROM ${ifChanged}
        CROSS JOIN (SELECT DISTINCT id FROM falling) AS fallen CROSS JOIN tasks ON tasks.id = fallen.id`,
    countAll({
      ctes: falling(source),
      from:
        sql`${ifChanged} CROSS JOIN (SELECT DISTINCT id FROM falling) AS fallen CROSS JOIN tasks ON tasks.id = fallen.id`,
      where: sql`1`,
      to: sql`'failed'`
    }),
    sql`
      UPDATE tasks SET version = version + 1, updated_at = ${now}, queue = 'failed', lapsed_token = NULL,
        available_at = NULL, completed_at = NULL, needs_intervention = 0,
        failure_reason = iif(${oversized}, NULL, (
          SELECT reason FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1))
      FROM ${listed(sql`${falling(source)} SELECT json_group_array(DISTINCT id) FROM falling`)} AS fallen
      WHERE tasks.id = fallen.value`
  ]

  /** The task as it is now, if the statement before this one changed anything: what `fall` of its own made of it. */
  const ifFallen = (id: TaskId): Statement<any> => sql`SELECT * FROM tasks WHERE id = iif(changes() > 0, ${id}, NULL)`

  /** `touched`: the edges to the blocker, and to those that failed with it. */
  const touched = (source: CascadeSource.Source): Fragment =>
    sql`WITH RECURSIVE touched (blocker_key, task_id, blocker_id, on_failure, up, became) AS (
      ${source.edges}
      UNION SELECT ${columns}, up.id, up.queue
      FROM touched CROSS JOIN tasks AS up ON up.id = touched.task_id AND touched.on_failure = 'fail' AND up.queue = 'failed'
        CROSS JOIN dependencies AS edge ON ${leadsTo(sql`up.id`)} AND edge.scope = up.scope)`

  const reason = sql`'Task ' || up || CASE became WHEN 'done' THEN ' is done.' WHEN 'failed' THEN ' failed.'
    WHEN 'cancelled' THEN ' was cancelled.' ELSE ' is in ' || became || ' again.' END`

  /**
   * Brings up to date which edges are satisfied and what the waiting tasks show of it; where all is as it should be,
   * nothing is written. `updated_at` stays: it says when somebody worked on a task, and clients clean up after it. One
   * answers what to log.
   */
  const settle = (source: CascadeSource.Source, now: number): Array<Statement<any>> => [
    sql`
        ${touched(source)}
        INSERT INTO dependencies (scope, blocker_key, task_id, blocker_id, position, satisfied_at)
        SELECT dependencies.scope, dependencies.blocker_key, dependencies.task_id, dependencies.blocker_id, position,
          iif(satisfied_at IS NULL, ${now}, NULL)
        FROM (${source.any}) AS any CROSS JOIN (SELECT DISTINCT blocker_key, task_id, blocker_id FROM touched) AS affected
          CROSS JOIN dependencies USING (blocker_key, task_id, blocker_id)
        WHERE (satisfied_at IS NOT NULL) <> ${isSatisfied(stored, source.ending)}
        ON CONFLICT (blocker_key, task_id, blocker_id) DO UPDATE SET satisfied_at = excluded.satisfied_at`,
    sql`
        ${touched(source)}
        INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
        SELECT id, version + 1, scope,
          CASE WHEN ${remaining(sql`tasks.id`)} IS NULL THEN 'unblocked' ELSE 'blockers_changed' END,
          queue, queue, waiting.reason, grants, ${now}
        FROM ${ifChanged} CROSS JOIN (SELECT task_id, min(${reason}) AS reason FROM touched GROUP BY task_id) AS waiting
          CROSS JOIN tasks ON tasks.id = waiting.task_id
        WHERE blocked_by IS NOT ${remaining(sql`tasks.id`)}`,
    sql`
        ${touched(source)}
        SELECT CASE WHEN ${
      remaining(sql`tasks.id`)
    } IS NULL THEN 'unblocked' ELSE 'blocked' END AS event, ${told}, queue
        FROM ${ifChanged} CROSS JOIN (SELECT DISTINCT task_id FROM touched) AS waiting
          CROSS JOIN tasks ON tasks.id = waiting.task_id
        WHERE blocked_by IS NOT ${remaining(sql`tasks.id`)}`,
    sql`
        UPDATE tasks SET version = version + 1, blocked_by = ${remaining(sql`tasks.id`)}
        FROM ${listed(sql`${touched(source)} SELECT json_group_array(DISTINCT task_id) FROM touched`)} AS waiting
        WHERE tasks.id = waiting.value AND blocked_by IS NOT ${remaining(sql`tasks.id`)}`
  ]

  return { of, to, own, ownOf, around, ofAll, mayFall, fall, ifFallen, settle }
})
