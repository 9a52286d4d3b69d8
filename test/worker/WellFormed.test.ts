/** What an agent made is handed in, also where a text was cut in the middle of a character. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Worker from "../../src/client/Worker.ts"
import { machine, make, result } from "./support.ts"

const options = { client: { baseUrl: "http://server" }, machine, agentName: "ann", until: "idle" } as const
// A log whose end is half of an octopus.
const log = "done 🐙".slice(0, 6)

describe("a worker whose handler cuts a text within a character", () => {
  it.live("hands in the result and the checkpoint with U+FFFD there", () =>
    Effect.gen(function*() {
      const { create, send, task, throughFaults } = yield* make()
      yield* create("a")
      yield* throughFaults(Worker.run(options, ({ checkpoint }) =>
        Effect.as(checkpoint({ notes: log, open_questions: [log] }), {
          ...result,
          execution_notes: log,
          check_results: JSON.stringify({ [log]: [log, "🐙"] })
        })))
      const handed = yield* task("a")
      assert.deepInclude(handed, { queue: "provisional", execution_notes: "done \ufffd" })
      assert.deepStrictEqual(JSON.parse(handed.check_results), { "done \ufffd": ["done \ufffd", "🐙"] })
      const { body } = yield* send("GET", "/api/v1/tasks/a/handoff")
      assert.deepInclude(body.checkpoint, { notes: "done \ufffd", open_questions: ["done \ufffd"] })
    }))

  it.live("sends its reason when it rejects a result, and when it fails", () =>
    Effect.gen(function*() {
      const { create, send, task, throughFaults } = yield* make()
      yield* create("a", "b")
      yield* send("PATCH", "/api/v1/tasks/a", { queue: "provisional" })
      let reviews = 0
      yield* throughFaults(Worker.run({ ...options, queue: "provisional" }, () => {
        reviews += 1
        return Effect.succeed({ verdict: "reject", reason: log })
      }))
      assert.strictEqual(reviews, 1)
      assert.strictEqual((yield* task("a")).last_rejection_reason, "done \ufffd")
      yield* throughFaults(Worker.run(options, () => Effect.die(new Error(log))))
      assert.include((yield* task("b")).failure_reason, "done \ufffd")
    }))
})
