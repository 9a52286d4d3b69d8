/** Sockets that wait for work, through random sequences of claims, breaks, evictions and time. */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { setImmediate as turn } from "node:timers/promises"
import { Patience } from "../../src/objects/push/Waiting.ts"
import * as Chance from "../support/Chance.ts"
import { runs } from "../support/runs.ts"
import * as Objects from "./Objects.ts"
import * as Wires from "./Wires.ts"

const server = Objects.serverOf({})
const realNow = Date.now
afterEach(() => {
  Date.now = realNow
})

const settled = async () => {
  for (let n = 0; n < 5; n++) await turn()
}

/** What a worker looks for. */
const kinds = [
  { name: "any", claim: {}, ready: "queue = 'incoming'" },
  { name: "back", claim: { role_filter: ["back"] }, ready: "queue = 'incoming' AND role = 'back'" },
  {
    name: "bugs",
    claim: { role_filter: ["back", "front"], type_filter: ["bug"] },
    ready: "queue = 'incoming' AND role IN ('back', 'front') AND type = 'bug'"
  },
  { name: "reviews", claim: { queue: "provisional" }, ready: "queue = 'provisional'" }
] as const
type Kind = (typeof kinds)[number]

interface Worker {
  readonly kind: Kind
  socket: Wires.ClientEnd
  state: "idle" | "waiting" | "called"
  /** Whether the connection is broken, which neither end knows. */
  isBroken: boolean
}

const play = async (seed: number) => {
  const chance = Chance.make(`waiting ${seed}`)
  let now = realNow()
  Date.now = () => now
  let timers: Array<{ readonly at: number; readonly act: () => void }> = []
  const objects = Objects.make({}, { server, later: (millis, act) => void timers.push({ at: now + millis, act }) })
  const { ask, evict, open, raw } = objects
  const log: Array<string> = []
  const workers: Array<Worker> = []
  /** When sockets of a kind were called, without those for which a claim has got a task since. */
  const called = new Map<Kind, Array<number>>(kinds.map((kind) => [kind, []]))
  const held: Array<{ readonly id: string; readonly token: number }> = []
  let tasks = 0

  const connect = async (worker: Worker) => {
    const socket = await open("scope=red&feed=false")
    if (!(socket instanceof Wires.ClientEnd)) throw new Error(`no socket: ${socket.status}`)
    // Also a message that a broken connection loses was sent.
    const { get } = socket
    socket.get = (text) => {
      called.get(worker.kind)!.push(now)
      log.push(`a socket for ${worker.kind.name} is called${worker.isBroken ? ", and does not hear it" : ""}`)
      assert.strictEqual(worker.state, "waiting", log.join("\n"))
      worker.state = "called"
      if (!worker.isBroken) get.call(socket, text)
    }
    worker.socket = socket
    worker.isBroken = false
    worker.state = "idle"
  }
  const wait = (worker: Worker) => {
    worker.state = "waiting"
    if (!worker.isBroken) worker.socket.send(JSON.stringify({ type: "wait", ...worker.kind.claim }))
  }
  const claim = async (kind: Kind): Promise<boolean> => {
    const { body, status } = await ask("POST", "tasks/claim", {
      scope: "red",
      orchestrator_id: "k-m",
      agent_name: "ann",
      ...kind.claim
    })
    if (status !== 200) return false
    called.get(kind)!.shift()
    held.push({ id: body.id, token: body.fencing_token })
    return true
  }
  const create = () =>
    ask("POST", "tasks", {
      id: `t${++tasks}`,
      scope: "red",
      file_path: `t${tasks}`,
      branch: "b",
      role: chance.pick([null, "back", "front"]),
      type: chance.pick([null, "bug"])
    })
  const pass = async (millis: number) => {
    const end = now + millis
    for (;;) {
      const next = timers.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      timers = timers.filter((timer) => timer !== next)
      now = Math.max(now, next.at)
      next.act()
      await settled()
    }
    now = end
  }
  const readyFor = ({ ready }: Kind) =>
    Number(raw("red").prepare(`SELECT count(*) AS n FROM tasks WHERE claimed_by IS NULL AND ${ready}`).get()!["n"])
  const waitingFor = (kind: Kind) =>
    workers.filter((worker) => worker.kind === kind && worker.state === "waiting" && !worker.isBroken)

  const check = () => {
    for (const kind of kinds) {
      const coming = called.get(kind)!.filter((at) => at > now - Patience).length
      if (readyFor(kind) <= coming) continue
      assert.lengthOf(
        waitingFor(kind),
        0,
        `${readyFor(kind)} tasks are ready for ${kind.name}, ${coming} claims are coming:\n${log.join("\n")}`
      )
    }
  }

  await ask("POST", "orchestrators/register", { cluster: "k", machine_id: "m", scope: "red" })
  for (const name of ["back", "front"]) await ask("POST", "roles", { name, scope: "red", claims_from: "incoming" })
  for (let n = 0; n < 8; n++) {
    const worker = { kind: chance.pick(kinds), isBroken: false, state: "idle" } as Worker
    workers.push(worker)
    await connect(worker)
  }

  const steps: Readonly<Record<string, () => Promise<unknown>>> = {
    create,
    "create, create": async () => {
      await create()
      await create()
    },
    wait: async () => workers.filter(({ state }) => state === "idle").slice(0, 1).forEach(wait),
    "wait, all": async () => workers.filter(({ state }) => state === "idle").forEach(wait),
    "a called worker claims": async () => {
      const worker = workers.find(({ isBroken, state }) => state === "called" && !isBroken)
      if (worker === undefined) return
      worker.state = "idle"
      while (await claim(worker.kind)) if (chance.happens(0.7)) return
      wait(worker)
    },
    "another client claims": () => claim(chance.pick(kinds)),
    submit: async () => {
      const task = held.shift()
      if (task === undefined) return
      await ask("POST", `tasks/${task.id}/submit`, { commits_count: 1, turns_used: 1, fencing_token: task.token })
    },
    requeue: async () => {
      const task = held.shift()
      if (task !== undefined) await ask("POST", `tasks/${task.id}/requeue`, { reason: "again" })
    },
    break: async () => {
      const worker = chance.pick(workers)
      worker.isBroken = true
    },
    close: async () => {
      const worker = chance.pick(workers)
      worker.socket.close(1006)
      await connect(worker)
    },
    // Its timer is lost too, so it looks at the next change, and when a socket begins to wait.
    "evict, create": async () => {
      evict("red")
      timers = []
      await create()
    },
    "evict, wait": async () => {
      const worker = workers.find(({ isBroken, state }) => state === "idle" && !isBroken)
      if (worker === undefined) return
      evict("red")
      timers = []
      wait(worker)
    },
    "a second passes": () => pass(1000),
    "time passes": () => pass(chance.between(1, 3 * Patience))
  }
  const names = Object.keys(steps)
  for (let n = 0; n < 60; n++) {
    const name = chance.pick(names)
    log.push(name)
    await steps[name]!()
    await settled()
    check()
  }
  // Nobody claims any more: then all that wait for a task that is ready are called, one after the other.
  await create()
  await pass((workers.length + 1) * 2 * Patience)
  for (const kind of kinds) if (readyFor(kind) > 0) assert.lengthOf(waitingFor(kind), 0, log.join("\n"))
  return log
}

describe("sockets that wait", () => {
  it("are called once, in time, and for every task that is ready, whatever befalls them", async () => {
    const seen: Array<string> = []
    for (let seed = 1; seed <= runs(20, 10); seed++) seen.push(...await play(seed))
    const count = (text: string) => seen.filter((line) => line.includes(text)).length
    assert.isAbove(count("is called"), 40)
    assert.isAbove(count("does not hear it"), 5)
  })
})
