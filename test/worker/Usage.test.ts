/** A worker that reports usage, the session of its agent and evidence: each report counts once, whatever answers are lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Worker from "../../src/client/Worker.ts"
import { machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", leaseSeconds: 2 }

describe.concurrent("a worker's handler", () => {
  it.live("reports usage with renewals and at its end, and each report counts once", () =>
    Effect.gen(function*() {
      const { create, send, task, throughFaults } = yield* make()
      yield* create("a")
      yield* throughFaults(Worker.run({ ...options, until: "idle" }, (attempt) =>
        Effect.gen(function*() {
          yield* attempt.use({ model: "opus", input_tokens: 3, cost_usd: 0.1 })
          yield* attempt.use({ model: "opus", input_tokens: 3, cost_usd: 0.1 })
          yield* attempt.renew
          yield* attempt.use({ output_tokens: 2, cost_usd: 0.1 })
          return { ...result, usage: { output_tokens: 1 } }
        })))
      assert.deepInclude(yield* task("a"), { queue: "provisional", cost_usd: 0.3, input_tokens: 6, output_tokens: 3 })
      const { body } = yield* send("GET", "/api/v1/usage?scope=default")
      assert.deepInclude(body.usage[0], { cost_usd: 0.3, input_tokens: 6, output_tokens: 3 })
    }))

  it.live("names its session with renewals and its result, and hands in evidence", () =>
    Effect.gen(function*() {
      const { create, task, throughFaults } = yield* make()
      yield* create("a")
      yield* throughFaults(Worker.run({ ...options, until: "idle" }, (attempt) =>
        Effect.gen(function*() {
          yield* attempt.session({ session_url: "https://s" })
          yield* attempt.renew
          yield* attempt.session({ resume_command: "resume" })
          const summary = "x".repeat(40_000)
          return { ...result, head_commit: "c1", evidence: [{ kind: "test", exit_code: 0 }, { kind: "long", summary }] }
        })))
      const done = yield* task("a")
      assert.deepInclude(done, {
        queue: "provisional",
        session_url: "https://s",
        resume_command: "resume",
        head_commit: "c1",
        submitted_by: "ann"
      })
      // The item that is too large is left out: the rest is worth more than nothing.
      assert.deepStrictEqual((done as any).evidence.map(({ kind }: any) => kind), ["test"])
    }))

  it.live("claims other tasks while one is at a cap of its own, and none at the cap of the scope", () =>
    Effect.gen(function*() {
      const { calls, create, send, task, throughFaults, until } = yield* make()
      yield* create("a")
      yield* send("PATCH", "/api/v1/tasks/a", { max_tokens: 1 })
      const seen: Array<string> = []
      const fiber = yield* Effect.forkChild(
        throughFaults(Worker.run({ ...options, concurrency: 2 }, (attempt) =>
          Effect.gen(function*() {
            if (attempt.task.id !== "a") return result
            yield* attempt.use({ input_tokens: 1 })
            yield* attempt.renew
            yield* SubscriptionRef.changes(attempt.directive).pipe(
              Stream.runForEach((directive) => Effect.sync(() => void seen.push(directive)))
            )
            return result
          })))
      )
      yield* until("it pauses", Effect.sync(() => seen.includes("pause")))
      yield* create("b")
      yield* until("it goes on", Effect.map(task("b"), ({ queue }) => queue === "provisional"))
      assert.deepInclude(yield* task("a"), { queue: "claimed", claimed_by: "ann" })
      yield* send("PUT", "/api/v1/usage/caps", { scope: "default", max_tokens: 1 })
      yield* send("PATCH", "/api/v1/tasks/a", { max_tokens: null })
      yield* Effect.sleep("1500 millis")
      yield* create("c")
      const claims = () => calls.filter((call) => call.endsWith("/claim")).length
      const before = claims()
      yield* Effect.sleep("2500 millis")
      assert.strictEqual(claims(), before)
      yield* send("PUT", "/api/v1/usage/caps", { scope: "default" })
      yield* until("it goes on", Effect.map(task("c"), ({ queue }) => queue === "provisional"))
      yield* Fiber.interrupt(fiber)
    }))
})
