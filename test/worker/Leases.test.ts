/** A worker and its leases, in real time: renewals, losses, directives, answers that are lost, and a server that is down. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Worker from "../../src/client/Worker.ts"
import { faultless, machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", leaseSeconds: 2 }

/** A handler that works until it is stopped, and says why it was. */
const lasting = () => {
  const stops: Array<{ readonly signal: unknown; readonly cause: unknown }> = []
  const begun: Array<string> = []
  const handler = (attempt: Worker.Attempt): Effect.Effect<Worker.Result> =>
    Effect.onExit(
      Effect.andThen(Effect.sync(() => void begun.push(attempt.task.id)), Effect.never),
      (exit) =>
        Effect.sync(() => {
          const cause = exit._tag === "Failure"
            ? Context.getOrUndefined(Cause.annotations(exit.cause), Worker.Stopped)
            : 0
          stops.push({ signal: attempt.signal.reason, cause })
        })
    )
  return { stops, begun, handler }
}

describe.concurrent("a worker's leases", () => {
  it.live("are renewed beyond their length, all by one heartbeat", () =>
    Effect.gen(function*() {
      const { calls, create, events, task, throughFaults } = yield* make()
      yield* create("a", "b")
      yield* throughFaults(Worker.run(
        { ...options, concurrency: 2, until: "idle" },
        () => Effect.as(Effect.sleep("4500 millis"), result)
      ))
      for (const name of ["a", "b"]) {
        assert.deepStrictEqual(yield* events(name), ["created", "claimed", "submitted"])
        assert.deepInclude(yield* task(name), { queue: "provisional", lease_losses: 0 })
      }
      assert.isAtMost(calls.filter((call) => call.endsWith("/heartbeat")).length, 7)
      assert.isEmpty(calls.filter((call) => call.endsWith("/renew")))
    }))

  it.live(
    "are given up if they are lost: the handler is interrupted, and nothing is submitted",
    () =>
      Effect.gen(function*() {
        const { create, calls, claim, send, task, throughFaults, until } = yield* make()
        yield* create("a")
        const { begun, handler, stops } = lasting()
        const losses: Array<string> = []
        const fiber = yield* Effect.forkChild(throughFaults(Worker.run({
          ...options,
          onLost: ({ reason }, { task }) => Effect.sync(() => void losses.push(`${task.id} ${reason}`))
        }, handler)))
        yield* until("it works", Effect.sync(() => begun.length === 1))
        yield* send("POST", "/api/v1/tasks/a/requeue", { reason: "an operator" })
        assert.strictEqual((yield* claim()).body.id, "a")
        yield* until("it stops", Effect.sync(() => losses.length === 1))
        assert.deepStrictEqual(losses, ["a taken"])
        assert.deepInclude(stops[0]?.signal, { why: "lost", reason: "taken" })
        assert.strictEqual(stops[0]?.cause, stops[0]?.signal)
        yield* Fiber.interrupt(fiber)
        assert.deepInclude(yield* task("a"), { queue: "claimed", claimed_by: "other" })
        assert.isEmpty(calls.filter((call) => call.startsWith("POST /api/v1/tasks/a/")))
      })
  )

  it.live(
    "end after a cancellation: the handler is interrupted, and the task is cancelled",
    () =>
      Effect.gen(function*() {
        const { create, send, task, throughFaults, until } = yield* make()
        yield* create("a")
        const { begun, handler, stops } = lasting()
        const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, handler)))
        yield* until("it works", Effect.sync(() => begun.length === 1))
        yield* send("POST", "/api/v1/tasks/a/cancel", { reason: "not needed" })
        yield* until("it is cancelled", Effect.map(task("a"), ({ queue }) => queue === "cancelled"))
        assert.deepStrictEqual(stops[0]?.signal, { why: "cancel", reason: "not needed" })
        yield* Fiber.interrupt(fiber)
      })
  )

  it.live(
    "are kept while the machine is in maintenance, and nothing new is claimed until that is lifted",
    () =>
      Effect.gen(function*() {
        const { calls, create, send, task, throughFaults, until } = yield* make()
        yield* create("a")
        const directives: Array<string> = []
        const fiber = yield* Effect.forkChild(throughFaults(Worker.run({ ...options, concurrency: 2 }, (attempt) =>
          attempt.task.id === "b" ? Effect.succeed(result) : SubscriptionRef.changes(attempt.directive).pipe(
            Stream.runForEach((directive) =>
              Effect.sync(() =>
                void directives.push(directive)
              )
            ),
            Effect.as(result)
          ))))
        yield* until(
          "it works",
          Effect.sync(() =>
            directives.length === 1
          )
        )
        yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "maintenance" })
        yield* until(
          "it pauses",
          Effect.sync(() => directives.includes("pause"))
        )
        yield* create("b")
        const claims = () => calls.filter((call) => call.endsWith("/claim")).length
        const before = claims()
        yield* Effect.sleep("2500 millis")
        assert.strictEqual(claims(), before)
        assert.deepInclude(yield* task("a"), { queue: "claimed", claimed_by: "ann" })
        yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "active" })
        yield* until("it goes on", Effect.map(task("b"), ({ queue }) => queue === "provisional"))
        assert.deepStrictEqual(directives, ["continue", "pause", "continue"])
        yield* Fiber.interrupt(fiber)
      })
  )

  it.live("are all released if the worker is interrupted, and another worker gets the tasks at once", () =>
    Effect.gen(function*() {
      const { claim, create, events, task, throughFaults, until } = yield* make()
      yield* create("a", "b", "c")
      const { begun, handler, stops } = lasting()
      const fiber = yield* Effect.forkChild(
        throughFaults(
          Worker.run(
            { ...options, concurrency: 3 },
            (attempt) =>
              Effect.andThen(Effect.orDie(attempt.checkpoint({ notes: `begun ${attempt.task.id}` })), handler(attempt))
          )
        )
      )
      yield* until(
        "it works",
        Effect.sync(() => begun.length === 3)
      )
      const started = Date.now()
      yield* Fiber.interrupt(fiber)
      assert.isBelow(Date.now() - started, 1500)
      assert.deepStrictEqual(stops.map(({ signal }) => signal), [{ why: "drain" }, { why: "drain" }, { why: "drain" }])
      for (const name of ["a", "b", "c"]) {
        assert.deepInclude(yield* task(name), {
          queue: "incoming",
          claimed_by: null,
          attempt_count: 0,
          lease_losses: 0
        })
        assert.deepStrictEqual(yield* events(name), ["created", "claimed", "released"])
      }
      const { body } = yield* claim()
      assert.strictEqual(body.handoff.checkpoint.notes, `begun ${body.id}`)
    }))

  it.live("go on during the grace period, and finished results are handed in", () =>
    Effect.gen(function*() {
      const { create, task, throughFaults, until } = yield* make()
      yield* create("quick", "slow", "too late")
      const begun: Array<string> = []
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(
        { ...options, concurrency: 2, grace: "8 seconds" },
        ({ task }) =>
          Effect.as(
            Effect.andThen(
              Effect.sync(() => void begun.push(task.id)),
              Effect.sleep(task.id === "quick" ? 2500 : 60_000)
            ),
            result
          )
      )))
      yield* until("it works", Effect.sync(() => begun.length === 2))
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(yield* task("quick"), { queue: "provisional", lease_losses: 0 })
      assert.deepInclude(yield* task("slow"), { queue: "incoming", claimed_by: null, lease_losses: 0 })
      assert.sameMembers(begun, ["quick", "slow"])
    }))

  it.live("are released even if a handler does not stop", () =>
    Effect.gen(function*() {
      const { create, task, throughFaults, until } = yield* make()
      yield* create("a")
      let begun = false
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () =>
        Effect.uninterruptible(Effect.andThen(
          Effect.sync(() => begun = true),
          Effect.as(Effect.sleep("20 seconds"), result)
        )))))
      yield* until(
        "it works",
        Effect.sync(() => begun)
      )
      yield* Fiber.interrupt(fiber)
      assert.deepInclude(yield* task("a"), { queue: "incoming", claimed_by: null })
    }))

  it.live("are found again if the answer to a claim is lost", () =>
    Effect.gen(function*() {
      const { create, events, fail, throughFaults } = yield* make()
      yield* create("a", "b")
      fail((_method, path, times) => path.endsWith("/claim") && times === 1 ? "lost" : "none")
      const worked: Array<string> = []
      yield* throughFaults(Worker.run(
        { ...options, until: "idle" },
        ({ task }) => Effect.sync(() => void worked.push(task.id)).pipe(Effect.as(result))
      ))
      assert.sameMembers(worked, ["a", "b"])
      for (const name of ["a", "b"]) assert.deepStrictEqual(yield* events(name), ["created", "claimed", "submitted"])
    }))

  it.live("are released if the worker is interrupted before it knows them", () =>
    Effect.gen(function*() {
      const { calls, create, events, fail, throughFaults, until } = yield* make()
      yield* create("a")
      fail((_method, path) => path.endsWith("/claim") ? "lost" : "none")
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, () => Effect.never)))
      yield* until("it claims", Effect.sync(() => calls.some((call) => call.endsWith("/claim"))))
      fail(faultless)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "released"])
    }))

  it.live(
    "survive an outage of the server: the worker gets them back, and hands in the results",
    () =>
      Effect.gen(function*() {
        const { create, events, fail, send, task, throughFaults, until } = yield* make()
        yield* create("a")
        let begun = false
        let done = false
        const fiber = yield* Effect.forkChild(throughFaults(Worker.run({ ...options, until: "idle" }, () =>
          Effect.gen(function*() {
            begun = true
            yield* until("it is done", Effect.sync(() => done))
            return result
          }))))
        yield* until(
          "it works",
          Effect.sync(() =>
            begun
          )
        )
        fail(() => "down")
        yield* Effect.sleep("2500 millis")
        // The claim of another machine takes expired leases back, and finds nothing for its role.
        yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "o" })
        yield* send("POST", "/api/v1/tasks/claim", { orchestrator_id: "k-o", agent_name: "bob", role_filter: "none" })
        assert.deepInclude(yield* task("a"), { queue: "incoming", claimed_by: null })
        fail(faultless)
        yield* until("it is re-attached", Effect.map(task("a"), ({ claimed_by }) => claimed_by === "ann"))
        done = true
        yield* Fiber.join(fiber)
        assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "lease_expired", "reattached", "submitted"])
      })
  )

  it.live("are ended once, even if the answer is lost", () =>
    Effect.gen(function*() {
      const { create, events, fail, throughFaults } = yield* make()
      yield* create("a")
      fail((_method, path, times) => path.endsWith("/submit") && times === 1 ? "lost" : "none")
      yield* throughFaults(Worker.run({ ...options, until: "idle" }, () => Effect.succeed(result)))
      assert.deepStrictEqual(yield* events("a"), ["created", "claimed", "submitted"])
    }))

  it.live("go on if the server forgets the machine: it registers again", () =>
    Effect.gen(function*() {
      const { create, send, task, throughFaults, until } = yield* make()
      yield* create("a")
      const { begun, handler } = lasting()
      const fiber = yield* Effect.forkChild(throughFaults(Worker.run(options, handler)))
      yield* until("it works", Effect.sync(() => begun.length === 1))
      yield* send("DELETE", "/api/v1/orchestrators/k-m")
      yield* until(
        "it registers",
        Effect.map(send("GET", "/api/v1/orchestrators/k-m"), ({ status }) => status === 200)
      )
      yield* Effect.sleep("1500 millis")
      assert.deepInclude(yield* task("a"), { claimed_by: "ann", lease_losses: 0 })
      yield* Fiber.interrupt(fiber)
    }))
})
