/** The sockets of a scope, in process. `test/workerd/objects.test.ts` has those of workerd. */
import type { DurableObjectState, WebSocket } from "@cloudflare/workers-types"
import { assert, describe, it } from "@effect/vitest"
import { setTimeout as sleep } from "node:timers/promises"
import * as Sockets from "../../src/objects/push/Sockets.ts"
import { MaxKinds } from "../../src/objects/push/Waiting.ts"
import * as Objects from "./Objects.ts"
import * as Wires from "./Wires.ts"

/** What the runtime has of a socket, which may fail to send. */
const socketWith = (attachment: unknown, fails = false) => {
  const messages: Array<any> = []
  let kept = attachment
  let code: number | undefined
  const socket = {
    readyState: 1,
    deserializeAttachment: () => kept,
    serializeAttachment: (next: unknown) => {
      kept = next
    },
    send: (text: string) => {
      if (fails) throw new TypeError("Can't call WebSocket send() after close().")
      messages.push(JSON.parse(text))
    },
    close: (with_: number) => {
      code = with_
      if (fails) throw new TypeError("Can't call WebSocket close() after close().")
    }
  } as unknown as WebSocket
  return { socket, messages, code: () => code }
}

const wait = (since: number) => ({ queue: "incoming", roles: [], types: [], since })
const attached = { query: "", after: 0, key: null, wait: null }

/** The scope `red` with a machine that has room for as many tasks as it likes. */
const red = async () => {
  const objects = Objects.make()
  const { ask, open } = objects
  await ask("POST", "orchestrators/register", { cluster: "k", machine_id: "m", scope: "red" })
  return {
    ...objects,
    create: (id: string, rest: object = {}) =>
      ask("POST", "tasks", { id, scope: "red", file_path: `${id}.md`, branch: "b", ...rest }),
    claim: async (rest: object = {}) =>
      (await ask("POST", "tasks/claim", { scope: "red", orchestrator_id: "k-m", agent_name: "ann", ...rest })).body.id,
    /** A socket that waits, unless `wanted` is null, and what it gets. */
    wait: async (wanted: object | null = {}) => {
      const socket = await open("scope=red&feed=false")
      if (!(socket instanceof Wires.ClientEnd)) throw new Error(`no socket: ${socket.status}`)
      const messages: Array<any> = []
      socket.addEventListener("message", (event) => messages.push(JSON.parse((event as MessageEvent).data)))
      const send = async (message: object) => {
        socket.send(JSON.stringify(message))
        await sleep(1)
      }
      if (wanted !== null) await send({ type: "wait", ...wanted })
      return { socket, messages, send, waitAgain: () => send({ type: "wait", ...wanted }) }
    }
  }
}

const counts = (all: ReadonlyArray<{ readonly messages: ReadonlyArray<unknown> }>) =>
  all.map(({ messages }) => messages.length)

describe("the sockets of a scope", () => {
  it("get the feed and are called though others of them have failed", async () => {
    const empty = socketWith(null)
    const broken = socketWith({ ...attached, wait: wait(1) }, true)
    const good = socketWith(attached)
    const worker = socketWith({ ...attached, wait: wait(2) })
    const work: Array<Promise<unknown>> = []
    const sockets = Sockets.make({
      state: {
        getWebSockets: (tag?: string) =>
          [empty, broken, good, ...(tag === "feed" ? [] : [worker])].map(({ socket }) => socket),
        waitUntil: (one: Promise<unknown>) => work.push(one),
        getWebSocketAutoResponseTimestamp: () => null
      } as unknown as DurableObjectState,
      platform: Wires.make({ heard: () => {} }).platform,
      readyTasks: () => 1,
      serve: () => Promise.reject(new Error("no request is sent")),
      page: async () => ({ scope: "red", events: [], after: 0, next: 1, latest: 1, gap: true })
    })
    sockets.changed(true)
    await sleep(1)
    await Promise.all(work)
    assert.deepStrictEqual(good.messages.map(({ type }) => type), ["events"])
    assert.deepStrictEqual(worker.messages, [{ type: "work" }])
    assert.deepStrictEqual([empty.code(), broken.code(), good.code(), worker.code()], [
      1011,
      1011,
      undefined,
      undefined
    ])
  })
})

describe("sockets that wait for work", () => {
  it("are called once for each ready task, those first that have waited longest", async () => {
    const { ask, claim, create, wait } = await red()
    const all = [await wait(), await wait(), await wait()]
    await create("a")
    await sleep(1)
    assert.deepStrictEqual(counts(all), [1, 0, 0])
    assert.deepStrictEqual(all[0]!.messages, [{ type: "work" }])
    // A change of something else calls nobody, because the first claim is still to come.
    await ask("POST", "drafts", { title: "d", scope: "red" })
    await sleep(1)
    assert.deepStrictEqual(counts(all), [1, 0, 0])
    assert.strictEqual(await claim(), "a")
    await create("b")
    await create("c")
    await sleep(1)
    assert.deepStrictEqual(counts(all), [1, 1, 1])
    // It waits again, and both tasks are expected to be claimed by the others.
    await all[0]!.waitAgain()
    assert.deepStrictEqual(counts(all), [1, 1, 1])
    await create("d")
    await sleep(1)
    assert.deepStrictEqual(counts(all), [2, 1, 1])
  })

  it("are called only for tasks of their queue, roles and types", async () => {
    const { ask, create, wait } = await red()
    await ask("POST", "roles", { name: "back", scope: "red", claims_from: "incoming" })
    await ask("POST", "roles", { name: "front", scope: "red", claims_from: "incoming" })
    const all = [
      await wait({ queue: "provisional" }),
      await wait({ role_filter: "front" }),
      await wait({ role_filter: ["back", "front"], type_filter: ["bug"] }),
      await wait({ queue: "incoming", type_filter: "bug" }),
      await wait()
    ]
    await create("b", { role: "back" })
    await sleep(1)
    assert.deepStrictEqual(counts(all), [0, 0, 0, 0, 1])
    await create("f", { role: "front", type: "bug" })
    await sleep(1)
    assert.deepStrictEqual(counts(all), [0, 1, 1, 1, 1])
  })

  it("are called when they begin to wait, if a task is ready that was not there when they were last called", async () => {
    const { claim, create, wait } = await red()
    const worker = await wait()
    await create("a")
    await sleep(2)
    assert.deepStrictEqual(counts([worker]), [1])
    // It does not claim, for example because its account is parked: it is not called again for the same task.
    await claim({ role_filter: "nobody" })
    await worker.waitAgain()
    assert.deepStrictEqual(counts([worker]), [1])
    // Another task becomes ready between its claim and its wait.
    assert.strictEqual(await claim(), "a")
    await create("b")
    const late = await wait()
    assert.deepStrictEqual(counts([worker, late]), [2, 0])
  })

  it("are still known after the object was evicted", async () => {
    const { create, evict, wait } = await red()
    const worker = await wait()
    evict("red")
    await create("a")
    await sleep(1)
    assert.deepStrictEqual(counts([worker]), [1])
  })

  it("are not called for a task that they have claimed in vain, and others are", async () => {
    const { ask, create, wait } = await red()
    const [first, second] = [await wait(), await wait()]
    await create("a")
    await sleep(1)
    assert.deepStrictEqual(counts([first, second]), [1, 0])
    // Its claim got nothing, for example because it was for a parked account.
    await first.waitAgain()
    await sleep(1)
    assert.deepStrictEqual(counts([first, second]), [1, 1])
    await second.waitAgain()
    await ask("GET", "tasks?scope=red")
    await sleep(1)
    assert.deepStrictEqual(counts([first, second]), [1, 1])
    await create("b")
    await sleep(1)
    assert.deepStrictEqual(counts([first, second]), [2, 2])
  })

  it("need a key that may claim, and are closed when it has ended", async () => {
    const { ask, create, open, ring } = await red()
    const key = async (rank: string) =>
      (await ask("POST", "scopes/red/keys", { rank })).body as { readonly api_key: string; readonly id: string }
    const opened = async (api_key: string) => {
      const socket = await open("scope=red&feed=false", api_key)
      if (!(socket instanceof Wires.ClientEnd)) throw new Error(`no socket: ${socket.status}`)
      const messages: Array<any> = []
      socket.addEventListener("message", (event) => messages.push(JSON.parse((event as MessageEvent).data)))
      socket.send(JSON.stringify({ type: "wait" }))
      await sleep(2)
      return { socket, messages }
    }
    const [reads, works] = [await key("read"), await key("work")]
    const [reader, worker] = [await opened(reads.api_key), await opened(works.api_key)]
    assert.match(reader.messages[0].error, /rank "read"/)
    await create("a")
    await sleep(1)
    assert.deepStrictEqual(worker.messages, [{ type: "work" }])
    await ask("DELETE", `scopes/red/keys/${works.id}`)
    await ring("red")
    await sleep(1)
    assert.strictEqual(worker.socket.readyState, 3)
    assert.strictEqual(reader.socket.readyState, 1)
  })

  it("that have not pinged for a while are passed over", async () => {
    const { create, wait } = await red()
    const [asleep, awake] = [await wait(), await wait()]
    asleep.socket.pingedAt = Date.now() - 76_000
    awake.socket.pingedAt = Date.now() - 30_000
    await create("a")
    await sleep(1)
    assert.deepStrictEqual(counts([asleep, awake]), [0, 1])
    assert.strictEqual(asleep.socket.readyState, 3)
  })

  it("wait for 100 different things at most", async () => {
    const { create, wait } = await red()
    const all: Array<Awaited<ReturnType<typeof wait>>> = []
    for (let n = 0; n < MaxKinds + 1; n++) all.push(await wait({ type_filter: `type ${n}` }))
    assert.match(all.at(-1)!.messages[0].error, /100 different things/)
    await create("a", { type: "type 0" })
    await sleep(1)
    assert.deepStrictEqual(all[0]!.messages, [{ type: "work" }])
  })

  it("are told why a message of theirs cannot be read, and go on", async () => {
    const { create, wait } = await red()
    const worker = await wait(null)
    await worker.send({ type: "wait", role_filter: 7 })
    assert.strictEqual(worker.messages[0].type, "error")
    assert.match(worker.messages[0].error, /role_filter/)
    await worker.send({ type: "else" })
    assert.match(worker.messages[1].error, /type/)
    await worker.send({ type: "wait", queue: "incoming" })
    await create("a")
    await sleep(1)
    assert.deepStrictEqual(worker.messages[2], { type: "work" })
    await worker.send({ type: "wait", type_filter: Array.from({ length: 400 }, (_, n) => `type ${n}`) })
    assert.strictEqual(worker.socket.readyState, 3)
  })
})
