/** The graph of a project's tasks, within its bounds, in one round trip. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { EdgeRow, MaxBlockedBy, MaxTitle, NodeRow } from "../../domain/dependency/DependencyGraph.ts"
import { BlockerRow, MaxEdges, MaxTasks, projectGraphOf } from "../../domain/dependency/ProjectGraph.ts"
import type { ProjectId } from "../../domain/Identifier.ts"
import { ProjectNotFound } from "../../domain/record/Project.ts"
import { beginning } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"

const decodeNodes = Schema.decodeUnknownEffect(Schema.Array(NodeRow))
const decodeBlockers = Schema.decodeUnknownEffect(Schema.Array(BlockerRow))
const decodeEdges = Schema.decodeUnknownEffect(Schema.Array(EdgeRow))

// A UTF-16 code unit takes at most three bytes.
const shown = `tasks.id AS task_id, ${beginning("title", MaxTitle * 3)} AS title, queue, claimed_by,
  ${beginning("blocked_by", MaxBlockedBy)} AS blocked_by`

const known = statement(`SELECT id FROM projects WHERE id = :id AND ${inScope}`)

/** The tasks of the project in the order of its index. */
const members = (columns: string, most: number) => `
  SELECT ${columns} FROM tasks INDEXED BY tasks_project
  WHERE project_id = :id AND scope = (SELECT scope FROM projects WHERE id = :id AND ${inScope})
  ORDER BY priority_rank, created_at, id LIMIT ${most}`

const edgesOf = `
  SELECT edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at, edge.scope
  FROM (${members("id, scope", MaxTasks)}) AS member
    CROSS JOIN dependencies AS edge ON edge.task_id = member.id AND edge.scope = member.scope
  LIMIT ${MaxEdges + 1}`

const tasks = statement(members(shown, MaxTasks + 1))
const edges = statement(edgesOf)
const blockers = statement(`
  SELECT ${shown}, project_id IS :id AS of_project FROM (
    SELECT DISTINCT name.value AS id, wait.scope FROM (${edgesOf}) AS wait CROSS JOIN json_each(
      json_array(wait.blocker_id, iif(wait.blocker_id GLOB 'TASK-*', substr(wait.blocker_id, 6), NULL))) AS name
    WHERE name.value IS NOT NULL) AS named
    CROSS JOIN tasks ON tasks.id = named.id AND tasks.scope = named.scope`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  return Effect.fn("Projects.graph")(function*(id: ProjectId, scope: Reach) {
    const values = { id, scope: scope ?? null }
    const found = yield* batch({
      known: known(values),
      tasks: tasks(values),
      edges: edges(values),
      blockers: blockers(values)
    })
    if (found.known.length === 0) return yield* ProjectNotFound.of(id)
    return projectGraphOf(
      id,
      yield* Effect.orDie(decodeNodes(found.tasks)),
      yield* Effect.orDie(decodeEdges(found.edges)),
      yield* Effect.orDie(decodeBlockers(found.blockers))
    )
  })
})
