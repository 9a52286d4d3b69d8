/**
 * Cycles of tasks that wait for each other. The search goes from a task to its dependents, of which a new task almost never has
 * any. Every edge counts, satisfied or not: a blocker that is brought back would close the cycle.
 */
import { statement } from "../Statement.ts"

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
