/**
 * Circles of dependencies. The search goes from a task to its dependents, because a new task almost never has any.
 * Every edge counts, also a satisfied one: a redriven blocker would close the circle.
 */
import { statement } from "../Statement.ts"

// A refusal names every task of a circle with at most this many edges, and only both ends of a longer one.
const MaxEdges = 2000

/** `below`: the task `:id` and all its direct and indirect dependents in its scope, `:scope`. */
const below = `
  WITH RECURSIVE below (id) AS (
    SELECT :id
    UNION SELECT edge.task_id FROM below CROSS JOIN dependencies AS edge
      ON edge.blocker_key = replace(below.id, 'TASK-', '') AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
      AND edge.scope = :scope)`

/** Finds new blockers, `:added`, that are below the task. Clients also name a task `TASK-<id>`. */
const closing = `
  FROM below CROSS JOIN json_each(:added) AS given WHERE given.value IN (below.id, 'TASK-' || below.id)`

/**
 * Whether the task `:id` may wait for all of `:added`, a JSON list of names, without a circle. `:scope` is the scope of
 * the task. It is never null, even if the request reaches every scope.
 */
export const noCycle = `(:added = '[]' OR NOT EXISTS (${below} SELECT 1 ${closing}))`

/** Answers one of `:added` that closes a circle, as `blocker`. */
export const closingBlocker = statement(`${below} SELECT given.value AS blocker ${closing} LIMIT 1`)

/** Answers the edges among the task and its dependents, to name the tasks of a circle: `waiter` waits for `blocker`. */
export const edgesBelow = statement(`
  ${below}
  SELECT edge.task_id AS waiter, below.id AS blocker FROM below CROSS JOIN dependencies AS edge
    ON edge.blocker_key = replace(below.id, 'TASK-', '') AND edge.blocker_id IN (below.id, 'TASK-' || below.id)
    AND edge.scope = :scope
  LIMIT ${MaxEdges}`)
