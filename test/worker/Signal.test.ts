/** A worker that waits for work on a WebSocket: in the test's time, where minutes take no time. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Socket from "effect/socket/Socket"
import * as TestClock from "effect/testing/TestClock"
import * as Worker from "../../src/client/Worker.ts"
import * as Objects from "../objects/Objects.ts"
import * as Wires from "../objects/Wires.ts"
import { machine, result } from "./support.ts"

// The objects are in the time of the machine. A claim that waits there would wait for real.
const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", waitSeconds: 0 }

const make = () => {
  const objects = Objects.make()
  const calls: Array<string> = []
  let underWay = 0
  const fetch = (async (input: string | URL | Request, init?: RequestInit) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input)
    calls.push(`${init?.method} ${pathname}`)
    underWay++
    try {
      return await objects.fetch(input, init)
    } finally {
      underWay--
    }
  }) as typeof globalThis.fetch
  const sockets: Array<Wires.ClientEnd> = []
  const connect = Wires.constructorOf(fetch)
  const construct = (url: string, given: unknown) => {
    const socket = connect(url, given)
    sockets.push(socket)
    return socket
  }
  /** Waits until every request is answered, which is a matter of the machine's time, and who made it has gone on. */
  const settled = Effect.promise(async () => {
    for (let idle = 0; idle < 5; idle = underWay === 0 ? idle + 1 : 0) await new Promise((done) => setTimeout(done, 1))
  })
  return {
    ...objects,
    sockets,
    settled,
    pass: (seconds: number) =>
      Effect.forEach(
        Array.from({ length: seconds }),
        () => Effect.andThen(TestClock.adjust("1 second"), settled),
        { discard: true }
      ),
    count: (end: string) => calls.filter((call) => call.endsWith(end)).length,
    create: (id: string, rest: object = {}) =>
      Effect.promise(() => objects.ask("POST", "tasks", { id, file_path: `${id}.md`, branch: "b", ...rest })),
    queueOf: (id: string) => Effect.promise(async () => (await objects.ask("GET", `tasks/${id}`)).body.queue as string),
    connected: <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      effect.pipe(
        Effect.provideService(FetchHttpClient.Fetch, fetch),
        Effect.provideService(Socket.WebSocketConstructor, construct as never)
      )
  }
}

describe("a worker that waits for the signal of the server", () => {
  it.effect("claims once a minute without work, and at once when a task is ready", () =>
    Effect.gen(function*() {
      const { connected, count, create, pass, queueOf, settled, sockets } = make()
      const fiber = yield* Effect.forkChild(connected(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(600)
      assert.isAtLeast(count("/claim"), 10)
      assert.isAtMost(count("/claim"), 14)
      assert.isAtMost(count("/heartbeat"), 1)
      assert.lengthOf(sockets, 1)
      const before = count("/claim")
      yield* create("a")
      yield* settled
      assert.strictEqual(yield* queueOf("a"), "provisional")
      // It claimed that task, and looked for another.
      assert.isAtMost(count("/claim"), before + 2)
      yield* create("b")
      yield* settled
      assert.strictEqual(yield* queueOf("b"), "provisional")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(sockets[0]!.readyState, 3)
    }))

  it.effect("is not called for tasks of other roles and types", () =>
    Effect.gen(function*() {
      const { ask, connected, count, create, pass, queueOf, settled } = make()
      yield* Effect.promise(() => ask("POST", "roles", { name: "front", claims_from: "incoming" }))
      const worker = Worker.run({ ...options, roles: ["front"], types: ["bug"] }, () => Effect.succeed(result))
      const fiber = yield* Effect.forkChild(connected(worker))
      yield* pass(3)
      const before = count("/claim")
      yield* create("a")
      yield* create("b", { role: "front", type: "feature" })
      yield* settled
      assert.strictEqual(count("/claim"), before)
      yield* create("c", { role: "front", type: "bug" })
      yield* settled
      assert.strictEqual(yield* queueOf("c"), "provisional")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("claims when its connection has ended, and connects again", () =>
    Effect.gen(function*() {
      const { connected, create, pass, queueOf, settled, sockets } = make()
      const fiber = yield* Effect.forkChild(connected(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(3)
      const socket = sockets[0]!
      // The last messages of the connection are lost.
      socket.get = () => {}
      yield* create("a")
      yield* settled
      assert.strictEqual(yield* queueOf("a"), "incoming")
      socket.close(1006)
      yield* pass(3)
      assert.lengthOf(sockets, 2)
      assert.strictEqual(yield* queueOf("a"), "provisional")
      yield* create("b")
      yield* settled
      assert.strictEqual(yield* queueOf("b"), "provisional")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("takes a connection that answers no ping for ended", () =>
    Effect.gen(function*() {
      const { connected, pass, sockets } = make()
      const fiber = yield* Effect.forkChild(connected(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(3)
      // From now on its messages reach nobody.
      sockets[0]!.send = () => {}
      yield* pass(70)
      assert.lengthOf(sockets, 2)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("begins a task at once though a breaker stops another, and is not called for that one", () =>
    Effect.gen(function*() {
      const { ask, connected, count, create, pass, queueOf, settled } = make()
      const send = (method: string, path: string, body: object) => Effect.promise(() => ask(method, path, body))
      yield* send("POST", "projects", { id: "p", title: "p", branch: "b" })
      yield* send("PUT", "breakers", { project_id: "p", threshold: 2, window_seconds: 3600, wait_seconds: 3600 })
      yield* send("POST", "orchestrators/register", { cluster: "k", machine_id: "other" })
      for (const id of ["fails", "too"]) {
        yield* create(id, { project_id: "p" })
        const { body } = yield* send("POST", "tasks/claim", { orchestrator_id: "k-other", agent_name: "o" })
        yield* send("POST", `tasks/${id}/fail`, { reason: "x", fencing_token: body.fencing_token })
      }
      yield* create("stopped", { project_id: "p" })
      const fiber = yield* Effect.forkChild(connected(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(3)
      const before = count("/claim")
      yield* pass(30)
      assert.strictEqual(count("/claim"), before)
      yield* create("a")
      yield* settled
      assert.strictEqual(yield* queueOf("a"), "provisional")
      assert.strictEqual(yield* queueOf("stopped"), "incoming")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("asks as the server says while its machine is in maintenance", () =>
    Effect.gen(function*() {
      const { ask, connected, count, create, pass } = make()
      yield* Effect.promise(() => ask("POST", "orchestrators/register", machine))
      yield* Effect.promise(() => ask("PATCH", "orchestrators/k-m/status", { status: "maintenance" }))
      const fiber = yield* Effect.forkChild(connected(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(60)
      yield* create("a")
      yield* pass(60)
      assert.isAtLeast(count("/claim"), 4)
      assert.isAtMost(count("/claim"), 16)
      yield* Fiber.interrupt(fiber)
    }))
})
