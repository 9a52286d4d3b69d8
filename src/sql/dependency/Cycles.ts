/**
 * Circles of tasks that wait for each other. The question is put from the task down to whoever waits for it, which almost
 * always is nobody yet. Every edge counts, satisfied or not: a blocker that is brought back would close the circle.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import * as Edges from "./Edges.ts"

// A circle is found within as many edges, or its ends are all that is told.
const MaxEdges = 2000

export const make = memoize((sql: D1Client.D1Client) => {
  const { leadsTo } = Edges.make(sql)

  /** `below`: the task, and all who wait for it. */
  const below = (id: TaskId, scope: ScopeName): Fragment =>
    sql`WITH RECURSIVE below (id) AS (
      SELECT ${id}
      UNION SELECT edge.task_id FROM below CROSS JOIN dependencies AS edge
        ON ${leadsTo(sql`below.id`)} AND edge.scope = ${scope})`

  /** That the task may wait for all of these without a circle. */
  const none = (id: TaskId, scope: ScopeName, blockers: ReadonlyArray<string>): Fragment =>
    blockers.length === 0 ? sql`1` : sql`NOT EXISTS (
      ${below(id, scope)}
      SELECT 1 FROM below CROSS JOIN json_each(${JSON.stringify(blockers)}) AS given
      WHERE given.value IN (below.id, 'TASK-' || below.id))`

  /** One of these that the task cannot wait for without a circle. */
  const closing = (id: TaskId, scope: ScopeName, blockers: ReadonlyArray<string>): Statement<any> =>
    sql`
      ${below(id, scope)}
      SELECT given.value AS blocker FROM below CROSS JOIN json_each(${JSON.stringify(blockers)}) AS given
      WHERE given.value IN (below.id, 'TASK-' || below.id) LIMIT 1`

  /** The edges among the task and all who wait for it, to find a circle with: `waiter` waits for the task `blocker`. */
  const edgesBelow = (id: TaskId, scope: ScopeName): Statement<any> =>
    sql`
      ${below(id, scope)}
      SELECT edge.task_id AS waiter, below.id AS blocker FROM below CROSS JOIN dependencies AS edge
        ON ${leadsTo(sql`below.id`)} AND edge.scope = ${scope} LIMIT ${MaxEdges}`

  return { none, closing, edgesBelow }
})
