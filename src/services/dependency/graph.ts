/** The graph around a task, found by index seeks in one round trip, within its bounds. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { EdgeRow, graphOf, MaxBlockedBy, MaxNodes, MaxTitle, NodeRow } from "../../domain/dependency/DependencyGraph.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { beginning } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"

const decodeNodes = Schema.decodeUnknownEffect(Schema.Array(NodeRow))
const decodeEdges = Schema.decodeUnknownEffect(Schema.Array(EdgeRow))

// Several paths may lead to a task, and a task may have several edges.
const MaxSteps = MaxNodes * 5

// A graph shows many tasks, so it reads no more of their texts than it shows. A UTF-16 code unit takes at most three
// bytes.
const title = beginning("title", MaxTitle * 3)
const blockedBy = beginning("blocked_by", MaxBlockedBy)

/** The edges from a reached task to its blockers, and from its dependents to it. */
const toBlockers = "dependencies AS edge ON edge.task_id = reached.id AND edge.scope = reached.scope"
const fromDependents = `dependencies AS edge ON edge.blocker_key = replace(reached.id, 'TASK-', '')
  AND edge.blocker_id IN (reached.id, 'TASK-' || reached.id) AND edge.scope = reached.scope`

const root = `SELECT id, scope, 0 FROM tasks WHERE id = :id AND ${inScope}`
const bounds = `WHERE reached.depth <= :depth ORDER BY 3 LIMIT ${MaxSteps}`

/** The reached tasks and the lengths of the paths: blockers of blockers, or dependents of dependents. */
const up = `WITH RECURSIVE reached (id, scope, depth) AS (
  ${root} UNION SELECT next.value, reached.scope, reached.depth + 1
  FROM reached CROSS JOIN ${toBlockers} CROSS JOIN json_each(
    json_array(edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL))) AS next ${bounds})`
const down = `WITH RECURSIVE reached (id, scope, depth) AS (
  ${root} UNION SELECT edge.task_id, reached.scope, reached.depth + 1
  FROM reached CROSS JOIN ${fromDependents} ${bounds})`

const tasksOn = (paths: string) =>
  statement(`
    ${paths}
    SELECT tasks.id AS task_id, ${title} AS title, queue, claimed_by, ${blockedBy} AS blocked_by
    FROM (SELECT DISTINCT id, scope FROM reached WHERE id IS NOT NULL) AS reached
      CROSS JOIN tasks ON tasks.id = reached.id AND tasks.scope = reached.scope`)

const edgesOn = (paths: string, found: string) =>
  statement(`
    ${paths}
    SELECT DISTINCT edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at
    FROM (SELECT id, scope, min(depth) AS depth FROM reached WHERE id IS NOT NULL GROUP BY id) AS reached
      CROSS JOIN ${found} ORDER BY reached.depth LIMIT ${MaxSteps}`)

const above = tasksOn(up)
const below = tasksOn(down)
const edgesAbove = edgesOn(up, toBlockers)
const edgesBelow = edgesOn(down, fromDependents)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  return Effect.fn("Dependencies.graph")(function*(id: TaskId, depth: number, scope: Reach) {
    const values = { id, depth, scope: scope ?? null }
    const found = yield* batch({
      above: above(values),
      below: below(values),
      edges: [edgesAbove(values), edgesBelow(values)]
    })
    if (found.above.length === 0) return yield* TaskNotFound.of(id)
    const tasks = yield* Effect.orDie(decodeNodes([...found.above, ...found.below]))
    const edges = yield* Effect.orDie(decodeEdges(found.edges))
    const seen = new Map(edges.map((edge) => [JSON.stringify([edge.task_id, edge.blocker_id]), edge]))
    return graphOf(id, depth, tasks, [...seen.values()])
  })
})
