/** The graph around a task, found by index seeks in one round trip, and never further than its bounds. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Fragment } from "effect/sql/Statement"
import { EdgeRow, graphOf, MaxBlockedBy, MaxNodes, MaxTitle, NodeRow } from "../../domain/dependency/DependencyGraph.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { beginning } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import * as Edges from "../../sql/dependency/Edges.ts"
import { type Reach, within } from "../../sql/Reach.ts"

const decodeNodes = Schema.decodeUnknownEffect(Schema.Array(NodeRow))
const decodeEdges = Schema.decodeUnknownEffect(Schema.Array(EdgeRow))

// A task may be reached over several lengths of way, and tasks have several edges.
const MaxSteps = MaxNodes * 5

// A graph shows many tasks, so of long texts no more is read than it tells. A character of UTF-16 has three bytes at most.
const title = beginning("title", MaxTitle * 3)
const blockedBy = beginning("blocked_by", MaxBlockedBy)

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const { leadsTo, meant } = Edges.make(sql)

  return Effect.fn("Dependencies.graph")(function*(id: TaskId, depth: number, scope: Reach) {
    const root = sql`SELECT id, scope, 0 FROM tasks WHERE id = ${id} AND ${within(sql, scope)}`
    const bounds = sql`WHERE reached.depth <= ${depth} ORDER BY 3 LIMIT ${MaxSteps}`
    const blockers = sql`dependencies AS edge ON edge.task_id = reached.id AND edge.scope = reached.scope`
    const waiting = sql`dependencies AS edge ON ${leadsTo(sql`reached.id`)} AND edge.scope = reached.scope`
    const up = sql`WITH RECURSIVE reached (id, scope, depth) AS (
      ${root} UNION SELECT next.value, reached.scope, reached.depth + 1
      FROM reached CROSS JOIN ${blockers} CROSS JOIN json_each(json_array${
      meant(sql`edge.blocker_id`)
    }) AS next ${bounds})`
    const down = sql`WITH RECURSIVE reached (id, scope, depth) AS (
      ${root} UNION SELECT edge.task_id, reached.scope, reached.depth + 1 FROM reached CROSS JOIN ${waiting} ${bounds})`
    const edges = (way: Fragment, found: Fragment) =>
      sql`
        ${way}
        SELECT DISTINCT edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at
        FROM (SELECT id, scope, min(depth) AS depth FROM reached WHERE id IS NOT NULL GROUP BY id) AS reached
          CROSS JOIN ${found} ORDER BY reached.depth LIMIT ${MaxSteps}`
    const nodes = (way: Fragment) =>
      sql`
        ${way}
        SELECT tasks.id AS task_id, ${sql.literal(title)} AS title, queue, claimed_by, ${
        sql.literal(blockedBy)
      } AS blocked_by
        FROM (SELECT DISTINCT id, scope FROM reached WHERE id IS NOT NULL) AS reached
          CROSS JOIN tasks ON tasks.id = reached.id AND tasks.scope = reached.scope`
    const [above, below, higher, lower] = yield* batch([
      nodes(up),
      nodes(down),
      edges(up, blockers),
      edges(down, waiting)
    ])
    if (above?.length === 0) return yield* TaskNotFound.of(id)
    const tasks = yield* Effect.orDie(decodeNodes([...above ?? [], ...below ?? []]))
    const found = yield* Effect.orDie(decodeEdges([...higher ?? [], ...lower ?? []]))
    const seen = new Map(found.map((edge) => [JSON.stringify([edge.task_id, edge.blocker_id]), edge]))
    return graphOf(id, depth, tasks, [...seen.values()])
  })
})
