/**
 * The same lives of tasks on both engines, side by side: both servers stay up and take turns, so that other work of the machine
 * slows both. Each number of scopes has servers of its own, and each number of clients plays on them in turn.
 */
import { fork } from "node:child_process"
import { join } from "node:path"
import { build, type Engine } from "../../test/support/Bundle.ts"
import { launch } from "../../test/support/Launcher.ts"
import { type Call, connect } from "../../test/support/Wire.ts"
import { succeeded } from "../Case.ts"
import * as Machine from "../Machine.ts"
import * as Storage from "../Storage.ts"
import type { Order, Result, Scope } from "./Clients.ts"

export const engines = ["d1", "objects"] as const satisfies ReadonlyArray<Engine>

export interface Options {
  readonly clients: ReadonlyArray<number>
  readonly scopes: ReadonlyArray<number>
  /** How long the clients begin lives on each engine. */
  readonly seconds: number
  /** How many lives each server has had, over all scopes, when its memory is taken for the first time. */
  readonly lives: number
  readonly say?: (what: string) => void
}

export interface Cell extends Result {
  readonly engine: Engine
  readonly clients: number
  readonly scopes: number
  /** The processor time of workerd, in milliseconds. */
  readonly busy: number
  /** The most memory that workerd had in use meanwhile, in bytes. */
  readonly memory: number
}

export interface Matrix {
  /** What it was measured on, and the load before. */
  readonly machine: ReturnType<typeof Machine.describe>
  readonly options: Options
  readonly cells: ReadonlyArray<Cell>
  /** The memory of workerd after the same lives on each number of scopes, in bytes. */
  readonly warm: ReadonlyArray<{ readonly engine: Engine; readonly scopes: number; readonly memory: number }>
}

const secret = "a-secret-of-the-benchmark"
const orchestrator = "bench-m"

/** Has the clients play in a process of their own. */
const play = (order: Order): Promise<Result> =>
  new Promise((done, fail) => {
    const child = fork(join(import.meta.dirname, "Clients.ts"))
    child.once("message", (result) => done(result as Result))
    child.once("error", fail)
    child.once("exit", (code) => fail(new Error(`The clients ended with ${code}`)))
    child.send(order)
  })

const start = async (engine: Engine, code: string, scopes: number) => {
  const server = await launch({
    code,
    engine,
    storage: Storage.directory(),
    env: { LOG_LEVEL: "Error", API_SECRET_KEY: secret }
  })
  const wire = connect(server.base, { authorization: `Bearer ${secret}` })
  const post = async (path: string, body: object) => {
    const call: Call = { method: "POST", path: `/api/v1/${path}`, body }
    return succeeded(call, await wire.send(call))
  }
  const made: Array<Scope> = []
  for (let n = 0; n < scopes; n++) {
    const name = `s${n}`
    await post("orchestrators/register", { scope: name, cluster: "bench", machine_id: "m" })
    made.push({ name, key: (await post(`scopes/${name}/keys`, { name: "bench", rank: "manage" })).api_key })
  }
  wire.close()
  return { ...server, scopes: made }
}

type Running = Awaited<ReturnType<typeof start>>

/** Plays one cell, and watches the server meanwhile. */
const watched = async (server: Running, order: Omit<Order, "base" | "machine" | "scopes">) => {
  const before = server.busy() ?? Number.NaN
  let memory = 0
  const look = () => void (memory = Math.max(memory, server.memory() ?? Number.NaN))
  look()
  const watch = setInterval(look, 250)
  try {
    const result = await play({ base: server.base.href, machine: orchestrator, scopes: server.scopes, ...order })
    look()
    return { ...result, memory, busy: (server.busy() ?? Number.NaN) - before }
  } finally {
    clearInterval(watch)
  }
}

export const run = async (options: Options): Promise<Matrix> => {
  const { clients, lives, say = () => {}, scopes, seconds } = options
  const machine = Machine.describe()
  const code = { d1: await build("d1"), objects: await build("objects") }
  const cells: Array<Cell> = []
  const warm: Array<Matrix["warm"][number]> = []
  for (const [row, count] of scopes.entries()) {
    const running: Array<readonly [Engine, Running]> = []
    try {
      for (const engine of engines) {
        const server = await start(engine, code[engine], count)
        running.push([engine, server])
        // The same work on each number of scopes, so that the difference in memory is that of the scopes.
        await watched(server, { prefix: "warm", clients: 8, seconds, lives })
        warm.push({ engine, scopes: count, memory: server.memory() ?? Number.NaN })
      }
      for (const [column, those] of clients.entries()) {
        // Neither engine is always first.
        for (const [engine, server] of (row + column) % 2 === 0 ? running : running.toReversed()) {
          const found = await watched(server, { prefix: `c${those}`, clients: those, seconds })
          cells.push({ engine, clients: those, scopes: count, ...found })
          say(`${engine}: ${those} clients, ${count} scopes: ${found.lives} lives in ${Math.round(found.millis)} ms`)
        }
      }
    } finally {
      for (const [, server] of running) await server.close()
    }
  }
  return { machine, options, cells, warm }
}
