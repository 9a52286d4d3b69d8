/** The tasks around a task: its blockers, its dependents, their blockers and dependents, and so on. */
import * as Schema from "effect/Schema"
import { describe, integerParameter } from "../Encoding.ts"
import { excerpt } from "../Excerpt.ts"
import { QueueName, TaskId } from "../Identifier.ts"
import { cut } from "../Size.ts"
import { Dependency, DependencyRow, meanings } from "./Dependency.ts"

/** The depth of a graph unless the request names one; below, the greatest depth and the most tasks. */
export const DefaultDepth = 10
export const MaxDepth = 100
export const MaxNodes = 200

/**
 * How much of a title the graph shows, in UTF-16 code units; below, how much of `blocked_by`, in bytes. The edges name
 * every blocker.
 */
export const MaxTitle = 500
export const MaxBlockedBy = 2000

/** The depth of a graph, as a query parameter. */
export const depthParameter = {
  depth: Schema.optionalKey(
    integerParameter({ minimum: 1, maximum: MaxDepth }).pipe(
      describe(`How many edges to follow in each direction, from 1 to ${MaxDepth}; ${DefaultDepth} unless given.`)
    )
  )
}

export const nullable = (description: string) => Schema.NullOr(Schema.String).pipe(describe(description))

/** What every graph shows of a task. */
export const nodeFields = {
  task_id: Schema.String.pipe(describe("The task.")),
  title: nullable(`What to do, ${MaxTitle} characters of it; null if there is no such task.`),
  queue: Schema.NullOr(QueueName).pipe(describe("The queue of the task; null if there is no such task.")),
  claimed_by: nullable("The agent that holds it; null if nobody does."),
  blocked_by: nullable(
    `The unmet blockers, joined by commas, ${MaxBlockedBy} bytes of it; null if there are none.`
  )
}

const GraphNode = Schema.Struct({
  ...nodeFields,
  depth: Schema.Int.pipe(
    describe("The distance in edges: below 0 for blockers, above 0 for dependents.")
  )
}).annotate({ identifier: "GraphNode" })

const { on_failure, satisfied_at } = Dependency.fields
export const GraphEdge = Schema.Struct({
  task_id: Schema.String.pipe(describe("The task that waits.")),
  blocker_id: Schema.String.pipe(describe("The blocker, by the id of its node.")),
  on_failure,
  satisfied_at
}).annotate({ identifier: "GraphEdge" })

export const Graph = Schema.Struct({
  task_id: TaskId,
  nodes: Schema.Array(GraphNode).pipe(describe(`The tasks, nearest first; ${MaxNodes} at most.`)),
  edges: Schema.Array(GraphEdge).pipe(describe("The dependencies among these tasks.")),
  truncated: Schema.Boolean.pipe(describe("Whether there are more tasks than these."))
}).annotate({ identifier: "Graph" })
export type Graph = typeof Graph.Type

export const EdgeRow = Schema.Struct({
  task_id: Schema.String,
  blocker_id: Schema.String,
  on_failure,
  satisfied_at: DependencyRow.fields.satisfied_at
})
export const NodeRow = Schema.Struct({
  task_id: Schema.String,
  title: Schema.String,
  queue: QueueName,
  claimed_by: Schema.NullOr(Schema.String),
  blocked_by: Schema.NullOr(Schema.String)
})

/** What a graph shows of a task. */
export const shownTask = (task: typeof NodeRow.Type) => ({
  ...task,
  title: excerpt(task.title, MaxTitle),
  blocked_by: task.blocked_by === null ? null : cut(task.blocked_by, MaxBlockedBy)
})

/** The node of a name that means no task. */
export const absent = { title: null, queue: null, claimed_by: null, blocked_by: null }

/**
 * The edges between tasks. A name may mean two tasks. A name that means none is shown as it is: such a task may be
 * created later.
 */
export const namedEdges = (
  found: ReadonlyArray<typeof EdgeRow.Type>,
  known: { readonly has: (id: string) => boolean }
): ReadonlyArray<typeof EdgeRow.Type> =>
  found.flatMap((edge) => {
    const meant = meanings(edge.blocker_id).filter((id) => known.has(id))
    return (meant.length === 0 ? [edge.blocker_id] : meant).map((blocker_id) => ({ ...edge, blocker_id }))
  })

/** The graph around a task, from the edges and tasks that were found. */
export const graphOf = (
  task_id: TaskId,
  depth: number,
  tasks: ReadonlyArray<typeof NodeRow.Type>,
  found: ReadonlyArray<typeof EdgeRow.Type>
): Graph => {
  const known = new Map(tasks.map((task) => [task.task_id, shownTask(task)]))
  const edges = namedEdges(found, known)
  const depths = new Map([[task_id as string, 0]])
  const walk = (from: "task_id" | "blocker_id", to: "task_id" | "blocker_id", step: 1 | -1) => {
    const ends = Map.groupBy(edges, (edge) => edge[from])
    for (const [id, at] of depths) {
      if (Math.sign(at) === -step) continue
      for (const edge of ends.get(id) ?? []) if (!depths.has(edge[to])) depths.set(edge[to], at + step)
    }
  }
  walk("task_id", "blocker_id", -1)
  walk("blocker_id", "task_id", 1)
  const near = [...depths].filter(([, at]) => Math.abs(at) <= depth)
    .toSorted(([, a], [, b]) => Math.abs(a) - Math.abs(b)).slice(0, MaxNodes)
  const shown = new Set(near.map(([id]) => id))
  return {
    task_id,
    nodes: near.map(([id, at]) => ({ ...(known.get(id) ?? { task_id: id, ...absent }), depth: at })),
    edges: edges.filter((edge) => shown.has(edge.task_id) && shown.has(edge.blocker_id)),
    truncated: near.length < depths.size
  }
}
