/** The tasks of a project and their blockers. */
import * as Schema from "effect/Schema"
import { describe, Flag } from "../Encoding.ts"
import { ProjectId } from "../Identifier.ts"
import { absent, type EdgeRow, GraphEdge, namedEdges, nodeFields, NodeRow, shownTask } from "./DependencyGraph.ts"

/** The most tasks of the project, and the most of their dependencies. */
export const MaxTasks = 500
export const MaxEdges = 2000

const ProjectNode = Schema.Struct({
  ...nodeFields,
  of_project: Schema.Boolean.pipe(
    describe("Whether it is a task of the project. Other nodes are blockers of its tasks.")
  )
}).annotate({ identifier: "ProjectNode" })

export const ProjectGraph = Schema.Struct({
  project_id: ProjectId,
  nodes: Schema.Array(ProjectNode).pipe(
    describe(
      `The tasks of the project, most urgent first, then oldest, ${MaxTasks} at most; after them the blockers that are not among these.`
    )
  ),
  edges: Schema.Array(GraphEdge).pipe(
    describe(`What these tasks of the project wait for, or have waited for: ${MaxEdges} dependencies at most.`)
  ),
  truncated: Schema.Boolean.pipe(describe("Whether the project has more tasks or dependencies than these."))
}).annotate({ identifier: "ProjectGraph" })
export type ProjectGraph = typeof ProjectGraph.Type

export const BlockerRow = Schema.Struct({ ...NodeRow.fields, of_project: Flag })

/**
 * The graph of a project, from its tasks, their dependencies and the tasks that block them: one more than fit of each.
 */
export const projectGraphOf = (
  project_id: ProjectId,
  tasks: ReadonlyArray<typeof NodeRow.Type>,
  found: ReadonlyArray<typeof EdgeRow.Type>,
  blockers: ReadonlyArray<typeof BlockerRow.Type>
): ProjectGraph => {
  const own = new Map(tasks.slice(0, MaxTasks).map((task) => [task.task_id, { ...shownTask(task), of_project: true }]))
  const others = new Map(
    blockers.filter(({ task_id }) => !own.has(task_id)).map((task) => [
      task.task_id,
      { ...shownTask(task), of_project: task.of_project }
    ])
  )
  const edges = namedEdges(found.slice(0, MaxEdges), { has: (id) => own.has(id) || others.has(id) })
  const names = new Set(edges.map(({ blocker_id }) => blocker_id).filter((id) => !own.has(id)))
  return {
    project_id,
    nodes: [
      ...own.values(),
      ...[...names].map((task_id) => others.get(task_id) ?? { task_id, ...absent, of_project: false })
    ],
    edges,
    truncated: tasks.length > MaxTasks || found.length > MaxEdges
  }
}
