/**
 * What moves cost in graphs of tasks, each at two sizes: the rows that are read have to be in proportion to the edges and the
 * tasks of the graph, in every shape. A graph is made once in process, and copied to the real D1 for each measurement.
 */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import type { DatabaseSync } from "node:sqlite"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as server from "../support/server.ts"
import * as Filled from "./Filled.ts"
import { operationOf } from "./Operation.ts"
import * as Recorded from "./Recorded.ts"

interface Node {
  readonly id: string
  readonly blockers: ReadonlyArray<string>
}

/** Each task of a layer waits for all of the layer before. */
const layers = (depth: number, width: number): ReadonlyArray<Node> =>
  Array.from({ length: depth * width }, (_, n) => {
    const layer = Math.floor(n / width)
    return {
      id: `${layer}-${n % width}`,
      blockers: layer === 0 ? [] : Array.from({ length: width }, (_, i) => `${layer - 1}-${i}`)
    }
  })

/** Many wait for one. */
const star = (width: number): ReadonlyArray<Node> => [
  { id: "0-0", blockers: [] },
  ...Array.from({ length: width }, (_, n) => ({ id: `1-${n}`, blockers: ["0-0"] }))
]

/** Two tasks wait for one, one for these two, and so on: two ways more with each. */
const diamonds = (length: number): ReadonlyArray<Node> => [
  { id: "0-0", blockers: [] },
  ...Array.from({ length }, (_, n): ReadonlyArray<Node> => [
    { id: `${n}-1`, blockers: [`${n}-0`] },
    { id: `${n}-2`, blockers: [`${n}-0`] },
    { id: `${n + 1}-0`, blockers: [`${n}-1`, `${n}-2`] }
  ]).flat()
]

/** Each task waits for all before it, up to as many as it may. */
const dense = (length: number): ReadonlyArray<Node> =>
  Array.from({ length }, (_, n) => ({ id: `${n}-0`, blockers: Array.from({ length: n }, (_, i) => `${i}-0`) }))

const shapes = {
  layers: [layers(4, 6), layers(8, 12)],
  star: [star(30), star(200)],
  diamonds: [diamonds(6), diamonds(40)],
  dense: [dense(12), dense(30)]
} as const

type Send = (method: string, path: string, body?: object) => Effect.Effect<server.Answer>

interface GraphCase {
  readonly shape: keyof typeof shapes
  readonly on_failure: "wait" | "skip" | "fail"
  /** More fields of the tasks. */
  readonly task?: (node: Node) => object
  /** Brings the graph to where the request finds it. */
  readonly prepare?: (send: Send, nodes: ReadonlyArray<Node>) => Effect.Effect<unknown>
  /** The request, as a method, a path and a body, and how it is answered; or the cron, an hour later. */
  readonly ask: "cron" | readonly [status: number, method: string, path: string, body?: object]
}

/** How the names of these measurements begin. */
export const prefix = "graph of "

const root = "/tasks/0-0"
const move = (name: string, body: object = {}, status = 200) => [status, "POST", `${root}/${name}`, body] as const
const failed: GraphCase["prepare"] = (send) => send("POST", `${root}/fail`, { reason: "r" })
const claimed = (send: Send, id = "0-0") => send("PATCH", `/tasks/${id}`, { queue: "claimed", claimed_by: "ann" })

type Case = Omit<GraphCase, "shape">
const everywhere: Record<string, Case> = {
  "fail, and all fail with it": { on_failure: "fail", ask: move("fail", { reason: "r" }) },
  "fail, and some wait no longer": { on_failure: "skip", ask: move("fail", { reason: "r" }) },
  accept: { on_failure: "wait", prepare: (send) => claimed(send), ask: move("accept", { accepted_by: "bob" }) },
  "change of what the first waits for": {
    on_failure: "wait",
    ask: [200, "PUT", `${root}/dependencies`, { depends_on: [{ task_id: "other", on_failure: "fail" }] }]
  }
}
const inLayers: Record<string, Case> = {
  "fail, refused after that": { on_failure: "fail", prepare: failed, ask: move("fail", { reason: "r" }, 409) },
  "cancel, and all fail with it": { on_failure: "fail", ask: move("cancel") },
  "PATCH, and all fail with it": { on_failure: "fail", ask: [200, "PATCH", root, { queue: "failed" }] },
  "force-queue, and all fail with it": {
    on_failure: "fail",
    ask: move("force-queue", { queue: "failed", reason: "r" })
  },
  "redrive, and all have failed with it": { on_failure: "fail", prepare: failed, ask: move("redrive") },
  requeue: { on_failure: "wait", prepare: (send) => claimed(send), ask: move("requeue") },
  DELETE: { on_failure: "wait", ask: [200, "DELETE", root] },
  "change of what the first waits for, refused": {
    on_failure: "wait",
    ask: [409, "PUT", `${root}/dependencies`, { depends_on: ["1-0"] }]
  },
  graph: { on_failure: "wait", ask: [200, "GET", `${root}/graph?depth=10`] },
  explain: { on_failure: "wait", ask: [200, "GET", `${root}/explain`] },
  "leases run out, and all fail with the tasks": {
    on_failure: "fail",
    task: ({ blockers }) => blockers.length === 0 ? { max_lease_losses: 1 } : {},
    prepare: (send, nodes) =>
      Effect.forEach(nodes.filter(({ blockers }) => blockers.length === 0), ({ id }) => claimed(send, id)),
    ask: "cron"
  }
}

const cases = (Object.keys(shapes) as ReadonlyArray<keyof typeof shapes>).flatMap((shape) =>
  Object.entries({ ...everywhere, ...(shape === "layers" ? inLayers : {}) }).map((
    [name, one]
  ): [string, GraphCase] => [`${prefix}${shape}: ${name}`, { shape, ...one }])
)

export interface GraphCost {
  readonly name: string
  /** How many edges and tasks there are. */
  readonly depth: number
  readonly operation: string
  readonly trips: Recorded.Trips
}

const wipe = (db: D1Database) =>
  db.batch([
    db.prepare("PRAGMA defer_foreign_keys = on"),
    ...["tasks", "history", "dependencies", "queue_counts", "orchestrators", "sweeps", "messages"].map((table) =>
      db.prepare(`DELETE FROM ${table}`)
    )
  ])

type Server = Pick<Effect.Success<ReturnType<typeof server.make>>, "send">

const succeed = ({ send }: Server, ...[method, path, body]: Parameters<Send>) =>
  Effect.tap(
    send(method, `/api/v1${path}`, body),
    (answer) => answer.status < 300 ? Effect.void : Effect.die(new Error(`${path}: ${JSON.stringify(answer.body)}`))
  )

/** A database with the tasks of the graph. */
const make = Effect.fnUntraced(
  function*(nodes: ReadonlyArray<Node>, on_failure: string, task: GraphCase["task"]) {
    const { db, raw } = migrated()
    const local = yield* server.make({}, () => db)
    for (const node of nodes) {
      const depends_on = node.blockers.map((task_id) => ({ task_id, on_failure }))
      yield* succeed(local, "POST", "/tasks", {
        id: node.id,
        file_path: node.id,
        branch: "b",
        depends_on,
        ...task?.(node)
      })
    }
    return raw
  },
  Effect.scoped
)

export const measure = Effect.fnUntraced(function*(db: D1Database) {
  const { open, take } = Recorded.make(db)
  const real = yield* server.make({}, open)
  const send: Send = (method, path, body) => succeed(real, method, path, body)
  const made = new Map<string, DatabaseSync>()
  const costs: Array<GraphCost> = []
  for (const [name, { ask, on_failure, prepare, shape, task }] of cases) {
    for (const nodes of shapes[shape]) {
      const key = `${shape} ${nodes.length} ${on_failure} ${task === undefined ? "" : name}`
      const raw = made.get(key) ?? (yield* make(nodes, on_failure, task))
      made.set(key, raw)
      yield* Effect.promise(() => wipe(db))
      yield* Effect.promise(() => Filled.copy(raw, db))
      if (prepare !== undefined) yield* prepare(send, nodes)
      yield* TestClock.adjust("1 second")
      take()
      if (ask === "cron") {
        yield* TestClock.adjust("1 hour")
        yield* Effect.provide(Maintenance.use(({ tick }) => tick), Layer.orDie(servicesWith({}, open)))
      } else {
        const [status, method, path, body] = ask
        const answer = yield* real.send(method, `/api/v1${path}`, body)
        if (answer.status !== status) {
          return yield* Effect.die(new Error(`${name}: ${answer.status} ${JSON.stringify(answer.body)}`))
        }
      }
      const depth = nodes.reduce((sum, { blockers }) => sum + 1 + blockers.length, 0)
      const operation = ask === "cron" ? ask : operationOf(ask[1], `/api/v1${ask[2]}`)
      costs.push({ name, operation, depth, trips: take() })
    }
  }
  return costs
})
