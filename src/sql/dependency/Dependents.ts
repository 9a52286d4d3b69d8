/** What becomes of the tasks that wait for others when those are deleted or imported: part of the same batch. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { TaskId } from "../../domain/Identifier.ts"
import * as Edges from "./Edges.ts"

interface Blocker {
  readonly id: TaskId
  /** A condition on columns of `tasks` that finds the blocker, as long as what it does is done. */
  readonly where: Fragment
}

/** That `task` waits for `blocker`, which comes at this place in its list. */
export interface Edge {
  readonly task: TaskId
  readonly blocker: string
  readonly position: number
}

/** The task whose name means this one too. */
export const namesake = (id: TaskId) => `TASK-${id}` as TaskId

export const make = (sql: D1Client.D1Client) => {
  const { isSatisfied, remaining, stored } = Edges.make(sql)

  /** The edges to a blocker that `where` holds for, but for those that are meant for a task `TASK-<id>` there is as well. */
  const edgesTo = ({ id, where }: Blocker): Fragment =>
    sql`blocker_key = ${Edges.blockerKey(id)} AND scope = (SELECT scope FROM tasks WHERE ${where})
      AND (blocker_id = ${id} OR (blocker_id = ${namesake(id)} AND NOT EXISTS (
        SELECT 1 FROM tasks AS namesake WHERE namesake.id = ${namesake(id)}
          AND +namesake.scope = dependencies.scope)))`

  /**
   * Brings `blocked_by` of the waiting tasks up to date with their edges, and records it. `updated_at` stays: it says when
   * somebody worked on a task, and clients clean up after it.
   */
  const refresh = (edges: Fragment, reason: string, now: number): Array<Statement<any>> => {
    const waiting = sql`id IN (SELECT task_id FROM dependencies WHERE ${edges})
      AND blocked_by IS NOT ${remaining(sql`tasks.id`)}`
    return [
      sql`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
      SELECT id, version + 1, scope,
        CASE WHEN ${remaining(sql`tasks.id`)} IS NULL THEN 'unblocked' ELSE 'blockers_changed' END,
        queue, queue, ${reason}, grants, ${now}
      FROM tasks WHERE ${waiting}`,
      sql`
      UPDATE tasks SET version = version + 1, blocked_by = ${remaining(sql`tasks.id`)}
      WHERE ${waiting} RETURNING id, scope, queue, version, claimed_by, fencing_token`
    ]
  }

  /** The blocker is about to be deleted: who waited only for it may be claimed. `forget` has to follow. */
  const release = (blocker: Blocker, reason: string, now: number): Array<Statement<any>> => [
    sql`UPDATE dependencies SET satisfied_at = ${now} WHERE satisfied_at IS NULL AND ${edgesTo(blocker)}`,
    ...refresh(edgesTo(blocker), reason, now)
  ]

  /** The task is about to be deleted: its edges go, to it and from it. */
  const forget = (task: Blocker): Array<Statement<any>> => [
    sql`DELETE FROM dependencies WHERE ${edgesTo(task)}`,
    sql`DELETE FROM dependencies WHERE task_id = ${task.id} AND EXISTS (SELECT 1 FROM tasks WHERE ${task.where})`
  ]

  /** Writes what several tasks of a scope wait for, as long as `where` holds for the task; `settle` has to follow. */
  const dependAll = (scope: string, edges: ReadonlyArray<Edge>, where: Fragment): Statement<any> =>
    sql`
      INSERT OR IGNORE INTO dependencies (scope, blocker_key, blocker_id, task_id, position)
      SELECT ${scope}, value ->> 'key', value ->> 'blocker', value ->> 'task', value ->> 'position'
      FROM json_each(${JSON.stringify(edges.map((edge) => ({ ...edge, key: Edges.blockerKey(edge.blocker) })))})
      WHERE value ->> 'task' IN (SELECT id FROM tasks WHERE ${where})`

  const listed = (ids: ReadonlyArray<string>): Fragment =>
    sql`IN (SELECT value FROM json_each(${JSON.stringify([...new Set(ids)])}))`

  /** The edges from these tasks of a scope, and the edges to these. */
  const edgesFromAll = (scope: string, tasks: ReadonlyArray<string>): Fragment =>
    sql`+scope = ${scope} AND task_id ${listed(tasks)}`
  const edgesToAll = (scope: string, blockers: ReadonlyArray<string>): Fragment =>
    sql`+scope = ${scope} AND blocker_key ${listed(blockers.map(Edges.blockerKey))}`

  /** Satisfies those of the edges whose blocker is done. `refresh` has to follow where tasks were waiting already. */
  const settle = (edges: Fragment, now: number): Statement<any> =>
    sql`
      UPDATE dependencies SET satisfied_at = ${now} WHERE satisfied_at IS NULL AND ${edges} AND ${isSatisfied(stored)}`

  return { dependAll, edgesFromAll, edgesToAll, settle, refresh, release, forget, remaining }
}
