/** Keeps the built Worker under load and watches its errors, latency and memory: `npm run prove -- soak`. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { isDeepStrictEqual } from "node:util"
import { build, type Engine } from "../../test/support/Bundle.ts"
import { launch } from "../../test/support/Launcher.ts"
import { readingEach, violationsOf } from "../../test/support/Leftover.ts"
import { connect } from "../../test/support/Wire.ts"
import * as Flags from "../flags.ts"
import * as Client from "./soak/Client.ts"
import { judge } from "./soak/Verdict.ts"
import * as Windows from "./soak/Windows.ts"

const { values, ...flags } = Flags.read({
  run: "npm run prove -- soak",
  does:
    `Has clients create, claim, submit and accept tasks without a pause, against the built Worker in workerd. Exits with 1 if a
request fails, a counter is wrong at the end, memory keeps growing, or requests become slower or read more rows with time.
The load and the server share the machine; the column "load %" is the share of a processor that the load takes.`,
  takes: "as many minutes as --minutes says, and half a minute more",
  options: {
    minutes: { type: "string", value: "n", default: "5", says: "how long the load lasts" },
    clients: { type: "string", value: "n", default: "64", says: "how many clients send requests" },
    depth: { type: "string", value: "n", default: "500", says: "how many tasks wait in the queue" },
    engine: { type: "string", value: "engine", default: "d1", says: "d1, or objects: what the Worker runs on" },
    scopes: {
      type: "string",
      value: "n",
      says: "how many scopes the clients work in: 1 on D1 and 4 on objects, unless given"
    },
    json: { type: "boolean", default: false, says: "prints one JSON document instead of a table" }
  }
})
const minutes = Number(values.minutes)
if (!(minutes > 0)) flags.refuse(`--minutes is a number above 0, not ${values.minutes}.`)
const clients = flags.whole("clients", values.clients, 1)
const depth = flags.whole("depth", values.depth)
if (values.engine !== "d1" && values.engine !== "objects") flags.refuse("--engine is d1 or objects.")
const engine = values.engine as Engine
const scopeCount = flags.whole("scopes", values.scopes ?? (engine === "d1" ? "1" : "4"), 1)
const scopes = Array.from({ length: Math.min(scopeCount, clients) }, (_, i) => i === 0 ? "soak" : `soak-${i + 1}`)
const scopeOf = (client: number) => scopes[client % scopes.length]!
// At least ten windows, of half a minute where there is time.
const windowSeconds = Math.min(30, minutes * 6)
const say = values.json ? () => {} : console.log

const storage = mkdtempSync(join(tmpdir(), "octopoid-soak-"))
process.once("exit", () => rmSync(storage, { recursive: true, force: true }))
const problems: Array<string> = []
const server = await launch({
  code: await build(engine),
  engine,
  storage,
  env: { LOG_LEVEL: "Error" },
  log: (line) => void problems.push(`The Worker logged ${line}`)
})
const wire = connect(server.base)

let times: Array<number> = []
let [read, errors] = [0, 0]
const measure: Client.Measure = (call, answer, millis) => {
  times.push(millis)
  read += answer?.read ?? 0
  if (answer !== undefined && Client.isExpected(call, answer)) return
  errors += 1
  if (problems.length < 20) {
    problems.push(`${call.method} ${call.path}: ${answer?.status ?? "no answer"} ${JSON.stringify(answer?.body)}`)
  }
}

const machines = Array.from({ length: clients }, (_, i) => `m${i}`)
await Promise.all(machines.map(async (_, i) => {
  for (let n = i; n < depth; n += clients) await wire.send(Client.create(scopeOf(i), `first-${n}`))
}))

let over = false
const playing = machines.map((name, i) => Client.play({ scope: scopeOf(i), name, wire, measure, over: () => over }))
const memory: Array<number> = []
const windows: Array<Windows.Window> = []
const started = performance.now()
let ticked = started
say(Windows.header)
while (performance.now() - started < minutes * 60_000) {
  const begun = performance.now()
  const [busy, cpu, samples] = [server.busy(), process.cpuUsage(), memory.length]
  ;[times, read, errors] = [[], 0, 0]
  while (performance.now() - begun < windowSeconds * 1000) {
    await sleep(1000)
    const bytes = server.memory()
    if (bytes !== undefined) memory.push(bytes)
    if (performance.now() - ticked >= 60_000) {
      ticked = performance.now()
      await server.tick()
    }
  }
  const millis = performance.now() - begun
  const { system, user } = process.cpuUsage(cpu)
  const busyNow = server.busy()
  const window: Windows.Window = {
    until: (performance.now() - started) / 1000,
    requests: times.length,
    rps: times.length / millis * 1000,
    p50: Windows.quantile(times, 0.5),
    p95: Windows.quantile(times, 0.95),
    p99: Windows.quantile(times, 0.99),
    read: read / times.length,
    errors,
    memory: memory.length === samples ? undefined : Windows.median(memory.slice(samples)) / 2 ** 20,
    workerd: busy === undefined || busyNow === undefined ? undefined : (busyNow - busy) / millis * 100,
    generator: (system + user) / millis / 10
  }
  windows.push(window)
  say(Windows.line(window))
}
over = true
await Promise.all(playing)
const polled = new Map<string, Record<string, number>>()
for (const scope of scopes) {
  const { body } = await wire.send({ method: "GET", path: `/api/v1/scheduler/poll?scope=${scope}` })
  polled.set(scope, body.queue_counts)
}
await server.close()
wire.close()

const left = { tasks: {} as Record<string, number>, history: 0 }
readingEach(storage, (db) => {
  const rows = db.prepare("SELECT scope, queue, count(*) AS n FROM tasks GROUP BY scope, queue").all()
  for (const [scope, all] of Map.groupBy(rows, (row) => String(row["scope"]))) {
    const counted = Object.fromEntries(all.map(({ n, queue }) => [String(queue), Number(n)]))
    const told = Object.fromEntries(Object.entries(polled.get(scope) ?? {}).filter(([, n]) => n !== 0))
    if (!isDeepStrictEqual(told, counted)) {
      problems.push(`Poll of ${scope} tells ${JSON.stringify(told)}, and there are ${JSON.stringify(counted)}`)
    }
    for (const [queue, n] of Object.entries(counted)) left.tasks[queue] = (left.tasks[queue] ?? 0) + n
  }
  problems.push(...violationsOf(db))
  left.history += Number(db.prepare("SELECT count(*) AS n FROM history").get()?.["n"])
})
const findings = judge(windows, memory, problems)
const holds = findings.every((finding) => finding.holds)
if (values.json) {
  console.log(
    JSON.stringify({ minutes, engine, clients, scopes: scopes.length, depth, windows, left, findings, problems, holds })
  )
} else {
  for (const problem of problems.slice(0, 20)) console.error(problem)
  console.log(`In the end: ${JSON.stringify(left.tasks)}, ${left.history} history rows`)
  for (const { criterion, found, holds } of findings) console.log(`${holds ? "ok  " : "FAIL"} ${criterion}: ${found}`)
}
process.exitCode = holds ? 0 : 1
