/** What a request says is repeated in part: in errors, in the history of a task and in logs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { excerpt } from "../../src/domain/Excerpt.ts"
import * as LogLines from "../../src/services/LogLines.ts"
import * as Server from "../support/server.ts"

const Long = 300_000
// A cut after an odd number of UTF-16 units would fall within a pair.
const octopuses = "🐙".repeat(Long / 2)
const texts = ["x".repeat(Long), octopuses, `x${octopuses}`]

const task = { scope: "red", id: "t", file_path: "TASK-t.md", branch: "b" }

const serving = Effect.gen(function*() {
  const { send } = yield* Server.make()
  const ask = (method: string, path: string, body?: object) => send(method, `/api/v1${path}`, body)
  yield* ask("POST", "/orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
  yield* ask("POST", "/roles/register", { orchestrator_id: "k-m", roles: [{ name: "build" }] })
  yield* ask("POST", "/tasks", task)
  yield* ask("POST", "/tasks", { ...task, id: "held", file_path: "TASK-held.md" })
  return ask
})

describe("a long text", () => {
  it.effect("is shortened in an error", () =>
    Effect.gen(function*() {
      const ask = yield* serving
      const claim = { scope: "red", orchestrator_id: "k-m", agent_name: "ann" }
      for (const text of texts) {
        const refused = [
          yield* ask("POST", "/tasks/claim", { ...claim, role_filter: text }),
          yield* ask("POST", "/tasks/claim", { ...claim, orchestrator_id: text }),
          yield* ask("POST", "/tasks/claim", { ...claim, queue: text }),
          yield* ask("POST", "/tasks", { ...task, id: "u", file_path: "u", project_id: text }),
          yield* ask("POST", "/tasks", { ...task, id: text }),
          yield* ask("POST", "/tasks", { ...task, id: "u", file_path: "u", priority: { [text.slice(0, 30_000)]: 1 } }),
          yield* ask("PUT", "/flows/f", { scope: "red", states: ["incoming", text], transitions: [] }),
          yield* ask("PUT", "/flows/f", {
            scope: "red",
            states: ["incoming", "claimed", "done"],
            transitions: Array.from({ length: 400 }, () => ({ from: "x".repeat(100), to: "y".repeat(100) }))
          }),
          yield* ask("POST", "/messages", {
            scope: "red",
            task_id: "t",
            from_actor: "a",
            type: "comment",
            content: "c",
            parent_message_id: text
          }),
          yield* ask("GET", `/tasks?cursor=${"y".repeat(4000)}`),
          yield* ask("GET", `/no-such-thing/${"y".repeat(Long)}`)
        ]
        for (const [i, { body, status }] of refused.entries()) {
          assert.include([400, 404, 413], status, `${i}: ${JSON.stringify(body).slice(0, 300)}`)
          assert.isAtMost(body.error.length, 1010, `${i}`)
          assert.isTrue(body.error.isWellFormed(), `${i}`)
          assert.isBelow(JSON.stringify(body).length, 20_000, `${i}`)
        }
        const imported = yield* ask("POST", "/scopes/red/import", {
          tasks: [{ id: text, title: { [text.slice(0, 30_000)]: 1 } }]
        })
        assert.isBelow(JSON.stringify(imported.body).length, 5000)
      }
    }))

  it.effect("is shortened in the history if it is a reason, with a mark", () =>
    Effect.gen(function*() {
      const ask = yield* serving
      for (const whole of texts) {
        // As much as each of these fields holds.
        const text = excerpt(whole, 7000)
        for (const field of ["execution_notes", "context", "reason"]) {
          const patched = yield* ask("PATCH", "/tasks/t", { [field]: text, title: `${field} ${text.length}` })
          assert.strictEqual(patched.status, 200)
          if (field !== "reason") assert.strictEqual(patched.body.execution_notes, text)
          const { body: { history } } = yield* ask("GET", "/tasks/t/history")
          const { reason } = history.at(-1)
          assert.isAtMost(reason.length, 2000)
          assert.isTrue(reason.isWellFormed())
          assert.match(reason, / …$/)
          assert.isTrue(text.startsWith(reason.slice(0, -2)))
        }
        yield* ask("POST", "/tasks/held/fail", { reason: text })
        const failed = yield* ask("GET", "/tasks/held")
        assert.strictEqual(failed.body.failure_reason, text)
        yield* ask("POST", "/tasks/held/redrive", { reason: text })
        const { body: { history } } = yield* ask("GET", "/tasks/held/history")
        for (const { reason } of history) assert.isAtMost(reason?.length ?? 0, 2000)
      }
    }))

  it("makes no log line longer than log services accept", () => {
    const short = JSON.stringify({ message: "request", annotations: { path: "/" } })
    assert.strictEqual(LogLines.shortened(short), short)
    const long = LogLines.shortened(JSON.stringify({ message: "transition", annotations: { actor: octopuses, n: 1 } }))
    assert.isBelow(long.length, 4000)
    const { annotations } = JSON.parse(long)
    assert.isTrue(annotations.actor.isWellFormed() && annotations.actor.endsWith(" …"))
    assert.strictEqual(annotations.n, 1)
  })
})
