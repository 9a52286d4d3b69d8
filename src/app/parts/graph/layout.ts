/** Where the nodes and edges of a diagram are. */

export interface Point {
  readonly x: number
  readonly y: number
}

/** The nodes and edges to place. */
export interface Plan {
  /** From left to right, or from top to bottom. */
  readonly direction: "LR" | "TB"
  readonly nodes: ReadonlyArray<{ readonly id: string; readonly width: number; readonly height: number }>
  readonly edges: ReadonlyArray<{ readonly from: string; readonly to: string }>
}

/** The middles of the nodes and the bends of the edges, in the order of the plan. */
export interface Placed {
  readonly width: number
  readonly height: number
  readonly nodes: ReadonlyArray<Point>
  readonly edges: ReadonlyArray<ReadonlyArray<Point>>
}

/** How long the placing may take, in milliseconds. */
const Patience = 20_000

/** Places the plan; undefined if that takes too long. `stop` gives up. */
export const layOut = (plan: Plan) => {
  const worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" })
  let stop = () => {}
  const placed = new Promise<Placed | undefined>((done) => {
    const end = (result: Placed | undefined) => {
      clearTimeout(timer)
      worker.terminate()
      done(result)
    }
    const timer = setTimeout(() => end(undefined), Patience)
    stop = () => end(undefined)
    worker.addEventListener("message", ({ data }: MessageEvent<Placed>) => end(data))
    worker.addEventListener("error", () => end(undefined))
  })
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no origin of its own
  worker.postMessage(plan)
  return { placed, stop: () => stop() }
}

/** A smooth line through the points, as the path of an SVG. */
export const lineThrough = (points: ReadonlyArray<Point>): string => {
  const [first, ...rest] = points
  if (first === undefined) return ""
  const last = rest.at(-1) ?? first
  const at = ({ x, y }: Point) => `${x.toFixed(1)},${y.toFixed(1)}`
  const bends = rest.slice(0, -1).map((point, n) => {
    const next = rest[n + 1]!
    const isLast = n === rest.length - 2
    const end = isLast ? last : { x: (point.x + next.x) / 2, y: (point.y + next.y) / 2 }
    return `Q${at(point)} ${at(end)}`
  })
  return `M${at(first)}${bends.length === 0 ? `L${at(last)}` : bends.join("")}`
}
