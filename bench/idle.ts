/**
 * What idle workers cost, and how soon they begin a task: `node bench/idle.ts [workers] [seconds]`. Workers find nothing
 * for so many seconds; then 40 tasks are created, one after another. On D1 a worker asks as often as the server says,
 * on objects its claims wait (`push: false`), or it waits on a WebSocket. The workers are in this process.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as References from "effect/References"
import { setTimeout as sleep } from "node:timers/promises"
import * as Worker from "../src/client/Worker.ts"
import { build, type Engine } from "../test/support/Bundle.ts"
import { launch } from "../test/support/Launcher.ts"
import * as Storage from "./Storage.ts"

const [workers = 20, seconds = 120] = process.argv.slice(2).map(Number)
const Tasks = 40
/** A claim waits 20 s at most, so after this time every worker has its usual pace. */
const WarmUp = 45

const ways: ReadonlyArray<readonly [name: string, engine: Engine, push: boolean]> = [
  ["D1", "d1", false],
  ["objects, claims wait", "objects", false],
  ["objects, WebSockets", "objects", true]
]

const percentile = (sorted: ReadonlyArray<number>, share: number) =>
  Math.round(sorted[Math.floor(sorted.length * share)]!)

const measure = async (engine: Engine, push: boolean) => {
  const server = await launch({
    code: await build(engine),
    engine,
    storage: Storage.directory(),
    env: { LOG_LEVEL: "Error" }
  })
  let requests = 0
  const counted = ((...asked: Parameters<typeof fetch>) => {
    requests++
    return fetch(...asked)
  }) as typeof fetch
  const created = new Map<string, number>()
  const delays: Array<number> = []
  const running = Array.from({ length: workers }, (_, n) =>
    Effect.runFork(
      Worker.run({
        client: { baseUrl: server.base.origin, scope: "idle" },
        machine: { cluster: "bench", machine_id: `m${n}` },
        agentName: `a${n}`,
        push
      }, ({ task }) =>
        Effect.sync(() => {
          delays.push(performance.now() - created.get(task.id)!)
          return { commits_count: 1, turns_used: 1 }
        })).pipe(
          Effect.provideService(FetchHttpClient.Fetch, counted),
          Effect.provideService(References.MinimumLogLevel, "None")
        )
    ))
  try {
    await sleep(WarmUp * 1000)
    const [busy, before] = [server.busy() ?? Number.NaN, requests]
    await sleep(seconds * 1000)
    const idle = { busy: (server.busy() ?? Number.NaN) - busy, requests: requests - before }
    for (let n = 0; n < Tasks; n++) {
      created.set(`t${n}`, performance.now())
      const answer = await fetch(new URL("/api/v1/tasks?scope=idle", server.base), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ id: `t${n}`, file_path: `t${n}.md`, branch: "b" })
      })
      if (answer.status !== 201) throw new Error(await answer.text())
      await sleep(150)
    }
    // On D1 a worker waits up to 19 s between claims.
    for (let left = 40; delays.length < Tasks && left > 0; left--) await sleep(500)
    const sorted = delays.toSorted((a, b) => a - b)
    return { ...idle, tasks: sorted.length, median: percentile(sorted, 0.5), p95: percentile(sorted, 0.95) }
  } finally {
    await Promise.all(running.map((fiber) => Effect.runPromise(Fiber.interrupt(fiber))))
    await server.close()
  }
}

console.log(`${workers} workers, ${seconds} s without a task, then ${Tasks} tasks\n`)
console.log("| | requests | CPU of workerd | begun | median | p95 |\n|---|--:|--:|--:|--:|--:|")
for (const [name, engine, push] of ways) {
  const { busy, median, p95, requests, tasks } = await measure(engine, push)
  console.log(`| ${name} | ${requests} | ${Math.round(busy)} ms | ${tasks} | ${median} ms | ${p95} ms |`)
}
