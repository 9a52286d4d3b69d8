/**
 * Cycles of tasks that wait for each other. The search goes from a task to its dependents, of which a new task almost never has
 * any. Every edge counts, satisfied or not: a blocker that is brought back would close the cycle.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { statement } from "../Statement.ts"
import * as Edges from "./Edges.ts"

// A refusal names every task of a cycle that is found within this many edges, and of a longer one only its two ends.
const MaxEdges = 2000

/** `below`: the task `:id` and, through any number of edges, all of its dependents in its own scope, `:scope`. */
const below = `
  WITH RECURSIVE below (id) AS (
    SELECT :id
    UNION SELECT edge.task_id FROM below CROSS JOIN dependencies AS edge
      ON edge.blocker_key = replace(below.id, 'TASK-', '') AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
      AND edge.scope = :scope)`

/** That one of the new blockers, `:added`, is below the task. Clients name a task `TASK-<id>` as well. */
const closing = `
  FROM below CROSS JOIN json_each(:added) AS given WHERE given.value IN (below.id, 'TASK-' || below.id)`

/**
 * The task `:id` may wait for all of `:added`, a JSON list of names, without a cycle. `:scope` is the scope of the task and never
 * null, also where the request reaches every scope.
 */
export const noCycle = `(:added = '[]' OR NOT EXISTS (${below} SELECT 1 ${closing}))`

/** Answers one of `:added` that closes a cycle, as `blocker`. */
export const closingBlocker = statement(`${below} SELECT given.value AS blocker ${closing} LIMIT 1`)

/** Answers the edges among the task and its dependents, to name the tasks of a cycle: `waiter` waits for `blocker`. */
export const edgesBelow = statement(`
  ${below}
  SELECT edge.task_id AS waiter, below.id AS blocker FROM below CROSS JOIN dependencies AS edge
    ON edge.blocker_key = replace(below.id, 'TASK-', '') AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
    AND edge.scope = :scope
  LIMIT ${MaxEdges}`)

/** The condition as a template, for callers that are not converted yet. */
export const make = memoize((sql: D1Client.D1Client) => {
  const { leadsTo } = Edges.make(sql)

  const none = (id: TaskId, scope: ScopeName, blockers: ReadonlyArray<string>): Fragment =>
    blockers.length === 0 ? sql`1` : sql`NOT EXISTS (
      WITH RECURSIVE below (id) AS (
        SELECT ${id}
        UNION SELECT edge.task_id FROM below CROSS JOIN dependencies AS edge
          ON ${leadsTo(sql`below.id`)} AND edge.scope = ${scope})
      SELECT 1 FROM below CROSS JOIN json_each(${JSON.stringify(blockers)}) AS given
      WHERE given.value IN (below.id, 'TASK-' || below.id))`

  return { none }
})
