/** Cancel, redrive, release and budgets over HTTP. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { defaultFlow } from "../support/flows.ts"
import * as server from "../support/server.ts"

const scope = "red"
const start = Effect.fnUntraced(function*(config: Record<string, string> = {}) {
  const { send } = yield* server.make(config)
  const post = (path: string, body?: unknown) => send("POST", `/api/v1/${path}`, body)
  yield* post("orchestrators/register", { scope, cluster: "k", machine_id: "m" })
  yield* post("tasks", { id: "a", scope, file_path: "a.md", branch: "b" })
  const claim = post("tasks/claim", { scope, orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60 })
  return { send, post, claim }
})

describe("POST /tasks/:id/cancel", () => {
  it.effect("cancels a task that nobody holds, with an empty body; a second call changes nothing", () =>
    Effect.gen(function*() {
      const { post } = yield* start()
      const cancelled = yield* post("tasks/a/cancel")
      assert.strictEqual(cancelled.status, 200)
      assert.deepInclude(cancelled.body, { queue: "cancelled", cancel_reason: null, version: 2 })
      const again = yield* post("tasks/a/cancel", { reason: "late" })
      assert.deepStrictEqual([again.status, again.body], [200, cancelled.body])
      yield* post("tasks", { id: "b", scope, file_path: "b.md", branch: "b", queue: "failed" })
      const refused = yield* post("tasks/b/cancel", {})
      assert.strictEqual(refused.status, 409)
      assert.strictEqual(
        refused.body.error,
        "Failed to cancel task b: it is in failed, and only a task that is in neither done, failed nor cancelled can be."
      )
    }))

  it.effect("asks the holder to stop, and keeps a result that is submitted nevertheless", () =>
    Effect.gen(function*() {
      const { claim, post } = yield* start()
      yield* claim
      const asked = yield* post("tasks/a/cancel", { reason: "changed plans", cancelled_by: "bob" })
      assert.strictEqual(asked.status, 200)
      assert.deepInclude(asked.body, {
        queue: "claimed",
        cancel_requested_at: "1970-01-01T00:00:00.000Z",
        cancel_reason: "changed plans"
      })
      assert.deepStrictEqual((yield* post("tasks/a/cancel", { reason: "again" })).body, asked.body)
      const submitted = yield* post("tasks/a/submit", { commits_count: 4, turns_used: 5 })
      assert.strictEqual(submitted.status, 200)
      assert.deepInclude(submitted.body, { queue: "cancelled", commits_count: 4, cancel_requested_at: null })
      assert.strictEqual((yield* claim).status, 404)
    }))

  it.effect("refuses another version, another lease and another content type", () =>
    Effect.gen(function*() {
      const { claim, post } = yield* start()
      yield* claim
      assert.strictEqual((yield* post("tasks/a/cancel", { version: 7 })).body._tag, "VersionConflict")
      assert.strictEqual((yield* post("tasks/a/cancel", { fencing_token: 2 })).body._tag, "LeaseLost")
      assert.strictEqual((yield* post("tasks/a/cancel", { reason: 5 })).status, 400)
      assert.strictEqual((yield* post("tasks/b/cancel")).status, 404)
      assert.strictEqual((yield* post("tasks/a/cancel", { fencing_token: 1, version: 2 })).status, 200)
    }))
})

describe("a spent budget", () => {
  it.effect("fails the task with a reason on it and in its history, and a redrive brings it back", () =>
    Effect.gen(function*() {
      const { claim, post, send } = yield* start({ MAX_ATTEMPTS: "2" })
      for (const reason of ["first", "second"]) {
        yield* claim
        yield* post("tasks/a/requeue", { reason })
      }
      const task = (yield* send("GET", "/api/v1/tasks/a")).body
      assert.deepInclude(task, {
        queue: "failed",
        attempt_count: 2,
        failure_reason: "The budget of 2 attempts is spent. Last: second"
      })
      const { history } = (yield* send("GET", "/api/v1/tasks/a/history")).body
      assert.deepInclude(history.at(-1), { event: "requeued", to_queue: "failed", reason: "second" })
      assert.deepStrictEqual(history.at(-1).details, { budget: "max_attempts", limit: 2 })
      const again = yield* post("tasks/a/redrive")
      assert.strictEqual(again.status, 200)
      assert.deepInclude(again.body, { queue: "incoming", attempt_count: 0, failure_reason: null })
      assert.strictEqual((yield* post("tasks/a/redrive", { reason: "again" })).status, 409)
    }))

  it.effect("applies after the flow: a move without a step is refused, others may fail or cancel the task", () =>
    Effect.gen(function*() {
      const { claim, post, send } = yield* start({ MAX_ATTEMPTS: "1" })
      const transitions = defaultFlow.transitions.filter(({ from, to }) => from !== "claimed" || to !== "incoming")
      yield* send("PUT", "/api/v1/flows/default", { scope, ...defaultFlow, transitions })
      yield* claim
      yield* post("tasks/a/cancel")
      const refused = yield* post("tasks/a/requeue")
      assert.strictEqual(refused.status, 409)
      assert.include(refused.body.error, "no step from there to incoming")
      yield* send("PUT", "/api/v1/flows/default", { scope, ...defaultFlow })
      assert.strictEqual((yield* post("tasks/a/requeue")).body.queue, "cancelled")
      yield* post("tasks/a/redrive")
      yield* claim
      assert.strictEqual((yield* post("tasks/a/requeue")).body.queue, "failed")
    }))

  it.effect("is not used by a release", () =>
    Effect.gen(function*() {
      const { claim, post, send } = yield* start({ MAX_ATTEMPTS: "1", BACKOFF_SECONDS: "30" })
      yield* claim
      const released = yield* post("tasks/a/requeue", { release: true, reason: "wrong machine" })
      assert.deepInclude(released.body, { queue: "incoming", attempt_count: 0, available_at: null })
      const { history } = (yield* send("GET", "/api/v1/tasks/a/history")).body
      assert.deepInclude(history.at(-1), { event: "released", reason: "wrong machine", actor: "ann" })
      assert.strictEqual((yield* claim).status, 200)
    }))
})

describe("backoff", () => {
  it.effect("shows until when a task waits; a claim gets it after that", () =>
    Effect.gen(function*() {
      const { claim, post } = yield* start({ BACKOFF_SECONDS: "30" })
      yield* claim
      const { available_at } = (yield* post("tasks/a/requeue")).body
      assert.isAtLeast(Date.parse(available_at), 15_000)
      assert.isAtMost(Date.parse(available_at), 30_000)
      assert.strictEqual((yield* claim).status, 404)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* claim).body.id, "a")
    }))
})
