/** How often a worker asks: in the test's time, where minutes take no time. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { memory } from "../../src/client/Outbox.ts"
import * as Worker from "../../src/client/Worker.ts"
import type { Page } from "../support/OnTheWay.ts"
import { answered, machine, make, makeLine, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann" }

const pass = (seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds }),
    () => Effect.andThen(TestClock.adjust("1 second"), answered),
    { discard: true }
  )

const counting = (calls: ReadonlyArray<string>) => (end: string) => calls.filter((call) => call.endsWith(end)).length

const busy = (status: number): Page => () => new Response("busy", { status, headers: { "retry-after": "60" } })

/** The answer to a heartbeat without leases. */
const heardOnly: Page = () => Response.json({ success: true, last_heartbeat: "2026-01-01T00:00:00.000Z" })

/** An error of the server that says to ask again in a day. */
const dayLong = (tag: string): Page => () =>
  Response.json(
    {
      _tag: tag,
      error: "Later.",
      message: "No tasks available",
      reason: tag === "AtCapacity" ? "at_capacity" : "held",
      counts: {},
      waiting: { ready: 0, held: 1, blocked: 0, backing_off: 0 },
      orchestrator_id: "k-m",
      claimed: 1,
      max_claimed: 1,
      retry_after_seconds: 86_400
    },
    { status: { NoTasksAvailable: 404, AtCapacity: 429 }[tag] ?? 503 }
  )

describe("the pace of a worker", () => {
  it.effect("without work: a claim when the server said, which is its sign of life", () =>
    Effect.gen(function*() {
      const { calls, throughFaults } = yield* make()
      const count = counting(calls)
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(600)
      assert.isAtLeast(count("/claim"), 30)
      assert.isAtMost(count("/claim"), 42)
      assert.isAtMost(count("/heartbeat"), 1)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("without work, where claims may wait: three requests a minute, and a task is claimed when it comes", () =>
    Effect.gen(function*() {
      const line = makeLine()
      const { calls, create, send, task, throughFaults } = yield* make({}, line)
      const count = counting(calls)
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(590)
      assert.isAtLeast(count("/claim"), 28)
      assert.isAtMost(count("/claim"), 31)
      assert.strictEqual(count("/heartbeat"), 0)
      const { body } = yield* send("GET", "/api/v1/orchestrators")
      assert.strictEqual(body.orchestrators[0].status, "active")
      yield* create("a")
      line.changed()
      yield* answered
      assert.strictEqual((yield* task("a")).queue, "provisional")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("that stops while its claim waits: it ends at once, and the server grants it nothing afterwards", () =>
    Effect.gen(function*() {
      const line = makeLine()
      const { calls, create, goOn, task, throughFaults } = yield* make({}, line)
      // The server does not see that its client is gone.
      goOn()
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(5)
      assert.strictEqual(counting(calls)("/claim"), 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(counting(calls)("/claim"), 2)
      yield* create("a")
      line.changed()
      yield* pass(30)
      assert.deepInclude(yield* task("a"), { queue: "incoming", claimed_by: null, version: 1 })
    }))

  it.effect("that stops while its claim is granted: what it got is released", () =>
    Effect.gen(function*() {
      const line = makeLine()
      const { create, events, fail, goOn, throughFaults } = yield* make({}, line)
      goOn()
      fail((_method, path, times) => path.endsWith("/claim") && times === 1 ? "lost" : "none")
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(1)
      yield* create("a")
      line.changed()
      yield* answered
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "released"])
    }))

  it.effect("with work: short leases do not make it claim more often", () =>
    Effect.gen(function*() {
      const { calls, create, throughFaults } = yield* make()
      yield* create("a")
      const count = counting(calls)
      const fiber = yield* Effect.forkChild(
        throughFaults(Worker.run({ ...options, concurrency: 2, leaseSeconds: 6 }, () => Effect.never))
      )
      yield* pass(60)
      assert.isAtLeast(count("/heartbeat"), 25)
      assert.isAtMost(count("/heartbeat"), 40)
      assert.isAtMost(count("/claim"), 7)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("with work: a handler that renews all the time does not burden the server", () =>
    Effect.gen(function*() {
      const { calls, create, throughFaults } = yield* make()
      yield* create("a")
      const fiber = yield* Effect.forkChild(
        throughFaults(Worker.run(options, ({ checkpoint, renew }) =>
          Effect.forever(Effect.andThen(Effect.orDie(checkpoint({ notes: "still at it" })), renew))))
      )
      yield* pass(60)
      assert.isAtLeast(counting(calls)("/heartbeat"), 20)
      assert.isAtMost(counting(calls)("/heartbeat"), 35)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("after a lost lease: a handler that does not stop is no longer renewed", () =>
    Effect.gen(function*() {
      const { calls, create, send, throughFaults } = yield* make()
      yield* create("a")
      const count = counting(calls)
      const state = { working: true }
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () =>
        Effect.uninterruptible(Effect.as(
          Effect.gen(function*() {
            while (state.working) yield* Effect.sleep("1 second")
          }),
          result
        )))))
      yield* pass(2)
      yield* send("POST", "/api/v1/tasks/a/fail", { reason: "an operator" })
      yield* pass(300)
      assert.isAtMost(count("/heartbeat"), 8)
      state.working = false
      yield* pass(2)
      assert.strictEqual(count("/submit"), 0)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("with reviews that fail: it rests before the next one", () =>
    Effect.gen(function*() {
      const { calls, create, send, task, throughFaults } = yield* make()
      yield* create("a")
      yield* send("PATCH", "/api/v1/tasks/a", { queue: "provisional" })
      const review = Worker.run({ ...options, queue: "provisional" }, () => Effect.fail("no checkout"))
      const fiber = yield* Effect.forkChild(throughFaults(review))
      yield* pass(60)
      assert.isAtLeast(counting(calls)("/claim"), 3)
      assert.isAtMost(counting(calls)("/claim"), 5)
      assert.deepInclude(yield* task("a"), { queue: "provisional", claimed_by: null, attempt_count: 0 })
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("without a server: it waits longer and longer, and says so once", () =>
    Effect.gen(function*() {
      const { calls, create, fail, task, throughFaults } = yield* make()
      yield* create("a")
      fail(() => "down")
      const said: Array<string> = []
      const listening = Logger.layer([Logger.make(({ message }) => void said.push(String(message)))])
      const down = { ...options, client: { baseUrl: "http://server", retries: 0 } }
      const worker = Effect.provide(Worker.run(down, () => Effect.succeed(result)), listening)
      const fiber = yield* Effect.forkChild(throughFaults(worker))
      yield* pass(300)
      assert.isAtMost(calls.length, 20)
      assert.deepStrictEqual(said, ["the server does not answer; asking again"])
      fail(() => "none")
      yield* pass(40)
      assert.strictEqual((yield* task("a")).queue, "provisional")
      assert.include(said, "the server answers again")
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("with a claim that says when to repeat it: nothing makes the worker claim sooner", () =>
    Effect.gen(function*() {
      const { calls, create, fail, throughFaults } = yield* make()
      yield* create("a", "b")
      fail((_method, path, times) =>
        (path.endsWith("/claim") && times > 2) || path.endsWith("/submit") ? { instead: busy(429) } : "none"
      )
      // The first attempt ends, and the outbox asks for its results, while the claim waits.
      const fiber = yield* Effect.forkChild(throughFaults(
        Worker.run(
          { ...options, concurrency: 3 },
          ({ task }) =>
            Effect.sleep(task.id === "a" ? "20 seconds" : "40 seconds").pipe(
              Effect.andThen(task.id === "a" ? Effect.fail("no checkout") : Effect.succeed(result))
            )
        )
      ))
      yield* pass(50)
      assert.strictEqual(counting(calls)("/claim"), 3)
      assert.strictEqual(counting(calls)("/a/fail"), 1)
      assert.strictEqual(counting(calls)("/b/submit"), 1)
      yield* pass(30)
      assert.strictEqual(counting(calls)("/claim"), 4)
      fail(() => "none")
      yield* pass(120)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect("with waiting results: the outbox never tries sooner than the answer said", () =>
    Effect.gen(function*() {
      const { calls, create, fail, throughFaults } = yield* make()
      yield* create("b")
      const store = memory()
      const entry = {
        key: "k",
        task_id: "x",
        fencing_token: 1,
        verb: "submit",
        payload: { ...result, fencing_token: 1 }
      }
      const finished_at = "2026-01-01T00:00:00.000Z"
      yield* store.set("finished-k", JSON.stringify({ ...entry, finished_at, refused: null }))
      fail((_method, path) => path.endsWith("/x/submit") ? { instead: busy(503) } : "none")
      // The end of an attempt wakes the outbox.
      const fiber = yield* Effect.forkChild(throughFaults(
        Worker.run({ ...options, outbox: store }, () => Effect.as(Effect.sleep("20 seconds"), result))
      ))
      yield* pass(50)
      assert.strictEqual(counting(calls)("/b/submit"), 1)
      assert.strictEqual(counting(calls)("/x/submit"), 1)
      yield* pass(30)
      assert.strictEqual(counting(calls)("/x/submit"), 2)
      yield* Fiber.interrupt(fiber)
    }))

  it.effect.each(["NoTasksAvailable", "AtCapacity", "DatabaseUnavailable"])(
    "after %s that demands a day: it waits a minute at most",
    (tag) =>
      Effect.gen(function*() {
        const { calls, create, fail, task, throughFaults } = yield* make()
        yield* create("a")
        fail((_method, path, times) => path.endsWith("/claim") && times === 1 ? { instead: dayLong(tag) } : "none")
        const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () => Effect.succeed(result))))
        yield* pass(40)
        assert.strictEqual(counting(calls)("/claim"), 1)
        yield* pass(25)
        assert.strictEqual((yield* task("a")).queue, "provisional")
        yield* Fiber.interrupt(fiber)
      })
  )

  it.effect("after a heartbeat whose answer does not mention its leases: it repeats the heartbeat, and keeps the checkpoint", () =>
    Effect.gen(function*() {
      const { create, fail, send, throughFaults } = yield* make()
      yield* create("a")
      let failing = true
      let kept = false
      fail((_method, path) => failing && path.endsWith("/heartbeat") ? { instead: heardOnly } : "none")
      const fiber = yield* Effect.forkChild(throughFaults(
        Worker.run(options, ({ checkpoint, renew }) =>
          Effect.gen(function*() {
            yield* Effect.orDie(checkpoint({ notes: "half of it" }))
            yield* renew
            kept = true
            return yield* Effect.never
          }))
      ))
      yield* pass(30)
      assert.isFalse(kept)
      failing = false
      yield* pass(60)
      assert.isTrue(kept)
      const { body } = yield* send("GET", "/api/v1/tasks/a/handoff")
      assert.strictEqual(body.checkpoint.notes, "half of it")
      yield* Fiber.interrupt(fiber)
    }))
})
