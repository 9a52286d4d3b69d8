/** Fencing tokens over HTTP: a call under a lost lease changes nothing, and its answer says so. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as server from "../support/server.ts"

const claim = (agent_name: string) => ({ orchestrator_id: "k-m", agent_name, lease_duration_seconds: 60 })
const work = { commits_count: 1, turns_used: 3 }

const start = (config: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const { send } = yield* server.make(config)
    const post = (path: string, body: unknown = {}) => send("POST", `/api/v1/${path}`, body)
    yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
    yield* post("tasks", { id: "a", file_path: "a", branch: "b", hooks: [{ name: "lint" }] })
    return { send, post }
  })

describe("a fencing token", () => {
  it.effect("A2: of a lost lease changes nothing, in any call", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start()
      const ann = (yield* post("tasks/claim", claim("ann"))).body.fencing_token
      yield* TestClock.adjust("61 seconds")
      const bob = (yield* post("tasks/claim", claim("bob"))).body
      const before = (yield* send("GET", "/api/v1/tasks/a")).body
      const stale = { fencing_token: ann }
      for (
        const answer of [
          yield* post("tasks/a/submit", { ...work, ...stale }),
          yield* post("tasks/a/accept", { accepted_by: "x", ...stale }),
          yield* post("tasks/a/reject", { reason: "r", rejected_by: "x", ...stale }),
          yield* post("tasks/a/requeue", stale),
          yield* post("tasks/a/fail", { reason: "r", ...stale }),
          yield* post("tasks/a/force-queue", { queue: "incoming", reason: "r", ...stale }),
          yield* post("tasks/a/hooks/lint/complete", { status: "passed", ...stale }),
          yield* send("PATCH", "/api/v1/tasks/a", { lease_expires_at: "1970-01-01T00:10:00Z", ...stale })
        ]
      ) {
        assert.strictEqual(answer.status, 409, JSON.stringify(answer.body))
        assert.deepInclude(answer.body, {
          _tag: "LeaseLost",
          task_id: "a",
          queue: "claimed",
          claimed_by: "bob",
          reason: "taken"
        })
        assert.include(answer.body.error, "bob holds the task now")
      }
      assert.deepStrictEqual((yield* send("GET", "/api/v1/tasks/a")).body, before)
      assert.strictEqual(
        (yield* post("tasks/a/submit", { ...work, fencing_token: bob.fencing_token })).body.queue,
        "provisional"
      )
      const late = yield* post("tasks/a/submit", { ...work, fencing_token: bob.fencing_token })
      assert.include(late.body.error, "the task is in provisional, and nobody holds it")
    }))

  it.effect("is accepted after the lease expired, until someone else is granted the task", () =>
    Effect.gen(function*() {
      const { post } = yield* start()
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      yield* TestClock.adjust("61 seconds")
      yield* post("tasks/claim", { ...claim("bob"), role_filter: "none" })
      assert.strictEqual((yield* post("tasks/a/submit", { ...work, fencing_token })).body.queue, "provisional")
    }))

  it.effect("is required for a held task if the server is configured so", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start({ REQUIRE_FENCING_TOKEN: "true" })
      const { fencing_token } = (yield* post("tasks/claim", claim("ann"))).body
      const unnamed = yield* post("tasks/a/submit", work)
      assert.deepStrictEqual([unnamed.status, unnamed.body._tag], [409, "LeaseLost"])
      assert.include(unnamed.body.error, "Send the fencing_token")
      assert.strictEqual((yield* post("tasks/a/hooks/lint/complete", { status: "passed" })).status, 409)
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/a", { queue: "incoming" })).status, 409)
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/a", { title: "anybody's" })).status, 200)
      assert.strictEqual((yield* post("tasks/a/submit", { ...work, fencing_token })).status, 200)
      assert.strictEqual((yield* post("tasks/a/accept", { accepted_by: "x" })).body.queue, "done", "nobody holds it")
    }))

  it.effect("is required for a late call after an expired lease", () =>
    Effect.gen(function*() {
      const { post } = yield* start({ REQUIRE_FENCING_TOKEN: "true" })
      const { fencing_token } = (yield* post("tasks/claim", { ...claim("ann"), lease_duration_seconds: 60 })).body
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* post("tasks/claim", { ...claim("bob"), queue: "provisional" })).status, 404)
      for (const stranger of [post("tasks/a/submit", work), post("tasks/a/accept", { accepted_by: "x" })]) {
        const refused = yield* stranger
        assert.deepInclude(refused.body, { _tag: "LeaseLost", reason: "unnamed", queue: "incoming" })
      }
      assert.strictEqual((yield* post("tasks/a/submit", { ...work, fencing_token })).body.queue, "provisional")
    }))
})
