/** Places a diagram, beside the page: to place 200 nodes takes up to some seconds, in which the page has to answer. */
import { graphlib, layout } from "@dagrejs/dagre"
import type { Placed, Plan } from "./layout.ts"

addEventListener("message", ({ data: { direction, edges, nodes } }: MessageEvent<Plan>) => {
  const graph = new graphlib.Graph({ multigraph: true })
  graph.setGraph({ rankdir: direction, nodesep: 16, ranksep: 48, edgesep: 8, marginx: 8, marginy: 8 })
  for (const { height, id, width } of nodes) graph.setNode(id, { width, height })
  for (const [n, { from, to }] of edges.entries()) graph.setEdge(from, to, {}, String(n))
  layout(graph)
  const { height = 0, width = 0 } = graph.graph()
  const placed: Placed = {
    width,
    height,
    nodes: nodes.map(({ id }) => {
      const { x, y } = graph.node(id)
      return { x, y }
    }),
    edges: edges.map(({ from, to }, n) => graph.edge(from, to, String(n)).points)
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin of its own
  postMessage(placed)
})
