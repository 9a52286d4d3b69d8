/** A graph of tasks as a tree: what waits stands below what it waits for. */
import { queueStyle } from "./queueStyle.ts"
import { cut, line, styled, widthOf } from "./Text.ts"

export interface Node {
  readonly task_id: string
  readonly title: string | null
  readonly queue: string | null
}

export interface Edge {
  readonly task_id: string
  readonly blocker_id: string
  readonly on_failure: string
  readonly satisfied_at: unknown
}

const described = (node: Node, edge: Edge | undefined): string => {
  const state = node.queue === null
    ? styled("yellow", "not created yet")
    : styled(queueStyle(node.queue), line(node.queue))
  const failure = edge === undefined || edge.on_failure === "wait"
    ? ""
    : styled("dim", ` (if that fails: ${line(edge.on_failure)})`)
  return `${state}${failure}`
}

/** The tree in lines. A task that waits for several stands below each, its own dependents only the first time. */
export const tree = (nodes: ReadonlyArray<Node>, edges: ReadonlyArray<Edge>, width: number, mark?: string): string => {
  const known = new Map(nodes.map((node) => [node.task_id, node]))
  // `Map.groupBy` is not in Node 20.
  const dependents = new Map<string, Array<Edge>>()
  for (const edge of edges) {
    if (!known.has(edge.task_id)) continue
    const list = dependents.get(edge.blocker_id)
    if (list === undefined) dependents.set(edge.blocker_id, [edge])
    else list.push(edge)
  }
  const waiting = new Set(edges.filter(({ blocker_id }) => known.has(blocker_id)).map(({ task_id }) => task_id))
  const shown = new Set<string>()
  const lines: Array<string> = []
  const walk = (id: string, edge: Edge | undefined, before: string, branch: string, below: string) => {
    const node = known.get(id) ?? { task_id: id, title: null, queue: null }
    const again = shown.has(id)
    shown.add(id)
    const state = described(node, edge)
    const name = `${before}${branch}${styled(id === mark ? "bold" : undefined, line(id))}`
    const room = width - widthOf(name) - widthOf(state) - 4
    const title = node.title === null || room < 8 ? "" : `  ${cut(line(node.title), room)}`
    const children = dependents.get(id) ?? []
    lines.push(`${name}  ${state}${title}${again && children.length > 0 ? styled("dim", " (as above)") : ""}`)
    if (again) return
    for (const [at, child] of children.entries()) {
      const last = at === children.length - 1
      walk(child.task_id, child, `${before}${below}`, last ? "└─ " : "├─ ", last ? "   " : "│  ")
    }
  }
  for (const { task_id } of nodes) if (!waiting.has(task_id)) walk(task_id, undefined, "", "", "")
  // Tasks in a circle, or whose blockers are beyond the limit, are below no root. They begin trees of their own.
  for (const { task_id } of nodes) if (!shown.has(task_id)) walk(task_id, undefined, "", "", "")
  return lines.join("\n")
}
