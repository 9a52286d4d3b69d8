/** A worker with the server: what it claims, hands in, fails and releases. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as client from "../../src/client.ts"
import * as Worker from "../../src/client/Worker.ts"
import { pages } from "../support/OnTheWay.ts"
import { machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann" }
class Notes extends Context.Service<Notes, string>()("test/Notes") {}
class Broken extends Schema.TaggedError<Broken>()("Broken", { what: Schema.String }) {}

describe("a worker", () => {
  it.live("hands in the results of its handler, and never exceeds its concurrency", () =>
    Effect.gen(function*() {
      const { create, events, task, throughFaults } = yield* make()
      const names = ["a", "b", "c", "d", "e", "f", "g"]
      yield* create(...names)
      let now = 0
      let most = 0
      const seen: Array<string> = []
      const three = yield* Deferred.make<void>()
      yield* throughFaults(Worker.run({ ...options, concurrency: 3, until: "idle" }, ({ task }) =>
        Effect.gen(function*() {
          now += 1
          most = Math.max(most, now)
          seen.push(task.id)
          // Three work at once as soon as three were claimed, however slow the machine is.
          if (now === 3) yield* Deferred.succeed(three, undefined)
          yield* Deferred.await(three)
          yield* Effect.sleep("20 millis")
          now -= 1
          return { ...result, execution_notes: `did ${task.id}` }
        })))
      assert.strictEqual(most, 3)
      assert.sameMembers(seen, names)
      for (const name of names) {
        assert.deepInclude(yield* task(name), {
          queue: "provisional",
          claimed_by: null,
          commits_count: 1,
          execution_notes: `did ${name}`
        })
        assert.deepStrictEqual(yield* events(name), ["created", "claimed", "submitted"])
      }
    }))

  it.live(
    "fails a task whose handler fails or dies, with a reason, or requeues it if configured",
    () =>
      Effect.gen(function*() {
        const { create, task, throughFaults } = yield* make()
        yield* create("fails", "dies", "retries")
        const before: Array<string> = []
        yield* throughFaults(Worker.run(
          { ...options, until: "idle", onFailure: (_cause, { task }) => task.id === "retries" ? "retry" : "fail" },
          ({ handoff, task }) => {
            if (task.id === "dies") return Effect.die(new Error("a defect"))
            if (task.id === "fails") return Effect.fail(new Broken({ what: "x".repeat(5000) }))
            before.push(...handoff.setbacks.map(({ event, reason }) => `${event}: ${reason?.slice(0, 6)}`))
            return before.length === 0 ? Effect.fail(new Broken({ what: "once" })) : Effect.succeed(result)
          }
        ))
        const failed = yield* task("fails")
        assert.deepInclude(failed, { queue: "failed", attempt_count: 0 })
        assert.match(failed.failure_reason, /^Broken/)
        assert.isAtMost(failed.failure_reason.length, 2000)
        assert.match((yield* task("dies")).failure_reason, /a defect/)
        assert.deepStrictEqual(before, ["requeued: Broken"])
        assert.deepInclude(yield* task("retries"), { queue: "provisional", attempt_count: 1 })
      })
  )

  it.live("fails a task whose result the server refuses", () =>
    Effect.gen(function*() {
      const { create, task, throughFaults } = yield* make()
      yield* create("a", "b")
      yield* throughFaults(Worker.run(
        { ...options, until: "idle" },
        ({ task }) => Effect.succeed(task.id === "a" ? { commits_count: -1, turns_used: 0 } : undefined as never)
      ))
      for (const name of ["a", "b"]) {
        const failed = yield* task(name)
        assert.strictEqual(failed.queue, "failed")
        assert.match(failed.failure_reason, /could not be submitted/)
      }
    }))

  it.live("hands the checkpoint of an attempt that failed to the next one", () =>
    Effect.gen(function*() {
      const { calls, create, throughFaults } = yield* make()
      yield* create("a")
      const found: Array<string | null | undefined> = []
      yield* throughFaults(
        Worker.run({ ...options, until: "idle", onFailure: () => "retry" }, ({ checkpoint, handoff, renew }) =>
          Effect.gen(function*() {
            found.push(handoff.checkpoint?.notes)
            if (found.length === 1) {
              yield* checkpoint({ notes: "too early" })
              yield* checkpoint({ notes: "half done" })
              return yield* new Broken({ what: "first" })
            }
            if (found.length === 2) {
              yield* checkpoint({ notes: "nearly done" })
              yield* renew
              assert.strictEqual(calls.at(-1), "POST /api/v1/orchestrators/k-m/heartbeat")
              return yield* new Broken({ what: "second" })
            }
            const large = yield* Effect.flip(checkpoint({ notes: "x".repeat(20_000) }))
            assert.instanceOf(large, client.CheckpointTooLarge)
            return result
          }))
      )
      assert.deepStrictEqual(found, [undefined, "half done", "nearly done"])
      assert.strictEqual(
        calls.filter((call) =>
          call.endsWith("/renew")
        ).length,
        1
      )
    }))

  it.live("reviews: sends the verdict, and releases reviews that fail", () =>
    Effect.gen(function*() {
      const { create, send, task, throughFaults } = yield* make()
      yield* create("good", "bad", "odd")
      for (const name of ["good", "bad", "odd"]) yield* send("PATCH", `/api/v1/tasks/${name}`, { queue: "provisional" })
      const stopped = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(throughFaults(
        Worker.run({ ...options, queue: "provisional", concurrency: 3 }, ({ task }) =>
          task.id === "good"
            ? Effect.succeed<Worker.Result>({ verdict: "accept" })
            : task.id === "bad"
            ? Effect.succeed<Worker.Result>({ verdict: "reject", reason: "no test" })
            : Effect.ensuring(Effect.never, Deferred.succeed(stopped, undefined)))
      ))
      yield* Effect.sleep("500 millis")
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(stopped)
      assert.strictEqual((yield* task("good")).queue, "done")
      assert.deepInclude(yield* task("bad"), { queue: "incoming", last_rejection_reason: "no test" })
      assert.deepInclude(yield* task("odd"), { queue: "provisional", claimed_by: null })
    }))

  it.live(
    "holds at most as many tasks as its machine may, and uses the services of its environment",
    () =>
      Effect.gen(function*() {
        const { api, create, task, throughFaults } = yield* make()
        yield* create("a", "b", "c")
        let now = 0
        let most = 0
        const worker: Effect.Effect<void, Worker.WorkerError, Notes> = Worker.run(
          { ...options, client: api, machine: { ...machine, max_claimed: 1 }, concurrency: 3, until: "idle" },
          () =>
            Effect.gen(function*() {
              most = Math.max(most, ++now)
              yield* Effect.sleep("30 millis")
              now -= 1
              return { ...result, execution_notes: yield* Notes }
            })
        )
        yield* throughFaults(Effect.provideService(worker, Notes, "from outside"))
        assert.strictEqual(most, 1)
        for (const name of ["a", "b", "c"]) {
          assert.deepInclude(yield* task(name), { queue: "provisional", execution_notes: "from outside" })
        }
      })
  )

  it.live("refuses a concurrency above what one heartbeat can renew", () =>
    Effect.gen(function*() {
      for (const concurrency of [0, 1.5, 201]) {
        const exit = yield* Effect.exit(Worker.run({ ...options, concurrency }, () => Effect.succeed(result)))
        assert.match(String(exit), /concurrency/)
      }
    }))

  it.live("ends with the error of a server that refuses it", () =>
    Effect.gen(function*() {
      const { throughFaults } = yield* make({ API_SECRET_KEY: "sixteen characters" })
      const error = yield* Effect.flip(throughFaults(Worker.run(options, () => Effect.succeed(result))))
      assert.instanceOf(error, client.Unauthorized)
    }))

  it.live("passes the first key of its scope to onRegistered", () =>
    Effect.gen(function*() {
      const { throughFaults } = yield* make({ API_SECRET_KEY: "sixteen characters" })
      const keys: Array<string | undefined> = []
      yield* throughFaults(Worker.run({
        ...options,
        client: { baseUrl: "http://server", token: "sixteen characters", scope: "red" },
        until: "idle",
        onRegistered: ({ api_key }) => Effect.sync(() => void keys.push(api_key))
      }, () => Effect.succeed(result)))
      assert.match(String(keys[0]), /^oct_/)
    }))

  it.live.each(["lost", { after: pages["a captive portal's page"]! }] as const)(
    "passes the first key of an open server's scope to onRegistered, even if the first answer is lost",
    (fault) =>
      Effect.gen(function*() {
        const { calls, fail, throughFaults } = yield* make()
        fail((_method, path, times) => path.endsWith("/register") && times === 1 ? fault : "none")
        const keys: Array<string | undefined> = []
        yield* throughFaults(Worker.run({
          ...options,
          client: { baseUrl: "http://server", scope: "red" },
          until: "idle",
          onRegistered: ({ api_key }) => Effect.sync(() => void keys.push(api_key))
        }, () => Effect.succeed(result)))
        assert.strictEqual(calls.filter((call) => call.endsWith("/register")).length, 2)
        assert.strictEqual(keys.length, 1)
        assert.match(String(keys[0]), /^oct_/)
      })
  )
})
