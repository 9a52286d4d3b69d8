/** Tasks that were finished long ago leave as deleted ones do: recorded, uncounted, with their edges, and mail and history stay. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import { ends } from "../../domain/task/Moves.ts"
import * as Edges from "../dependency/Edges.ts"
import * as Actions from "../record/Actions.ts"
import * as Transition from "../task/Transition.ts"

export const make = (sql: D1Client.D1Client) => {
  const { leadsTo, meant } = Edges.make(sql)
  const transition = Transition.make(sql)
  const actions = Actions.make(sql)

  /**
   * That a task is over, was not touched since, and that nobody misses it: no task that is not over depends on it, and none
   * that is still shows it as what it waits for.
   */
  const isOld = (before: number): Fragment =>
    sql`(+tasks.queue IN ${
      sql.in(ends)
    } AND +tasks.claimed_by IS NULL AND tasks.updated_at <= ${before} AND NOT EXISTS (
      SELECT 1 FROM dependencies AS edge LEFT JOIN tasks AS waiting ON waiting.id = edge.task_id
      WHERE ${leadsTo(sql`tasks.id`)} AND edge.scope = tasks.scope
        AND (edge.satisfied_at IS NULL OR waiting.queue NOT IN ${sql.in(ends)})))`

  /** Removes those of the tasks, a JSON list of ids, that still are old. */
  const remove = (
    ids: string,
    { before, now }: { readonly before: number; readonly now: number }
  ): ReadonlyArray<Statement<any>> => {
    const given = (id: Fragment) => sql`${id} IN (SELECT value FROM json_each(${ids}))`
    // Every version has its entry in history, so those with one of the next version are those just recorded. The edges go
    // one after the other, and what is old is not the same any more while they do.
    const going = sql`${given(sql`tasks.id`)} AND EXISTS (
      SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)`
    return [
      transition.record({
        where: sql`${given(sql`id`)} AND ${isOld(before)}`,
        event: "deleted",
        to: null,
        actor: "retention",
        reason: "It was finished longer ago than finished tasks are kept.",
        now
      }),
      transition.countAll({ where: going, to: null }),
      // A name that also means a task which stays goes on meaning that one.
      sql`
        DELETE FROM dependencies AS edge WHERE blocker_key IN (SELECT replace(id, 'TASK-', '') FROM tasks WHERE ${going})
          AND EXISTS (SELECT 1 FROM tasks WHERE tasks.id IN ${
        meant(sql`edge.blocker_id`)
      } AND +tasks.scope = edge.scope AND ${going})
          AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = edge.blocker_id AND +tasks.scope = edge.scope AND NOT (${going}))`,
      sql`DELETE FROM dependencies WHERE task_id IN (SELECT id FROM tasks WHERE ${going})`,
      actions.withdraw(going),
      sql`DELETE FROM tasks WHERE ${going}`
    ]
  }

  return { isOld, remove }
}
