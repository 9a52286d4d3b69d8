/** How often a worker asks: in the test's time, where minutes take no time. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import * as Worker from "../../src/client/Worker.ts"
import { answered, machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann" }

const pass = (seconds: number) =>
  Effect.forEach(
    Array.from({ length: seconds }),
    () => Effect.andThen(TestClock.adjust("1 second"), answered),
    { discard: true }
  )

const counting = (calls: ReadonlyArray<string>) => (end: string) => calls.filter((call) => call.endsWith(end)).length

describe("the pace of a worker", () => {
  it.effect("without work: a claim when the server said, and a heartbeat a minute", () =>
    Effect.gen(function*() {
      const { calls, throughFaults } = yield* make()
      const count = counting(calls)
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () => Effect.succeed(result))))
      yield* pass(300)
      assert.isAtLeast(count("/heartbeat"), 4)
      assert.isAtMost(count("/heartbeat"), 6)
      assert.isAtLeast(count("/claim"), 15)
      assert.isAtMost(count("/claim"), 26)
      yield* Fiber.interrupt(fiber)
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

  it.effect("after a loss: a handler that does not stop is not asked about", () =>
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
})
