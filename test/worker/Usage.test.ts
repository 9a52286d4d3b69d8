/** A worker that reports usage, the session of its agent and evidence: each report counts once, whatever answers are lost. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
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
})
