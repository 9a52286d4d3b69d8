/** What stops work on a task for good: terminal failures, and caps on review rounds. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const start = Effect.gen(function*() {
  const { db } = migrated()
  const { send } = yield* server.make({ BACKOFF_SECONDS: "0", MAX_REJECTIONS: "3" }, () => db)
  const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    send("POST", `/api/v1/${path}`, body, headers)
  const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* post("projects", { id: "p", title: "p", branch: "b", max_review_rounds: 2 })
  const add = (id: string, rest: object = {}) =>
    post("tasks", { id, file_path: id, branch: "b", priority: "P0", ...rest })
  const claim = Effect.map(post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" }), ({ body }) => body)
  const last = (id: string) => Effect.map(get(`tasks/${id}/history`), ({ history }) => history.at(-1))
  return { add, claim, get, last, post, send }
})

describe("a terminal failure", () => {
  it.effect("is redriven only by a redrive that says so", () =>
    Effect.gen(function*() {
      const { add, claim, get, last, post } = yield* start
      yield* add("a")
      const { fencing_token } = yield* claim
      const failed = yield* post("tasks/a/fail", { reason: "no such repository", terminal: true, fencing_token })
      assert.deepInclude(failed.body, { queue: "failed", terminal: 1, failure_reason: "no such repository" })
      assert.deepStrictEqual((yield* last("a")).details, { terminal: true })
      const refused = yield* post("tasks/a/redrive")
      assert.strictEqual(refused.status, 409)
      assert.strictEqual(refused.body._tag, "TerminalFailure")
      assert.include(refused.body.error, "no such repository")
      const bulk = yield* post("tasks/bulk", { action: "redrive", ids: ["a"] })
      assert.strictEqual(bulk.body.outcomes[0].error._tag, "TerminalFailure")
      assert.include((yield* get("tasks/a/explain")).summary, "no retry mends")
      const redriven = yield* post("tasks/a/redrive", { terminal: true })
      assert.deepInclude(redriven.body, { queue: "incoming", terminal: 0 })
    }))

  it.effect("ends with a PATCH or a forced move to another queue, and a usual failure is not terminal", () =>
    Effect.gen(function*() {
      const { add, last, post, send } = yield* start
      yield* add("a")
      const fail = (terminal?: boolean) => post("tasks/a/fail", { reason: "r", ...(terminal ? { terminal } : {}) })
      yield* fail(true)
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/a", { title: "t" })).body.terminal, 1)
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/a", { queue: "incoming" })).body.terminal, 0)
      yield* fail(true)
      assert.strictEqual((yield* post("tasks/a/force-queue", { queue: "incoming", reason: "r" })).body.terminal, 0)
      assert.strictEqual((yield* fail()).body.terminal, 0)
      assert.isNull((yield* last("a")).details)
      assert.strictEqual((yield* post("tasks/a/redrive")).status, 200)
    }))
})

describe("the review rounds of a project", () => {
  const rounds = Effect.fnUntraced(function*(
    { claim, post }: Effect.Success<typeof start>,
    id: string
  ) {
    yield* claim
    yield* post(`tasks/${id}/submit`, { commits_count: 1, turns_used: 1 })
    return (yield* post(`tasks/${id}/reject`, { reason: "wrong", rejected_by: "rev" })).body
  })

  it.effect("fail the task at the cap, which the task and its history name", () =>
    Effect.gen(function*() {
      const bench = yield* start
      yield* bench.add("a", { project_id: "p" })
      assert.strictEqual((yield* rounds(bench, "a")).queue, "incoming")
      assert.deepInclude(yield* rounds(bench, "a"), {
        queue: "failed",
        failure_reason: "The cap of 2 review rounds of the project is reached. Last: wrong"
      })
      assert.deepStrictEqual((yield* bench.last("a")).details, { budget: "max_review_rounds", limit: 2 })
      assert.include((yield* bench.get("tasks/a/explain")).summary, "review rounds of the project")
    }))

  it.effect("leave the limit of the task, if that is shorter or the project has no cap", () =>
    Effect.gen(function*() {
      const bench = yield* start
      const { add, last, send } = bench
      yield* add("a", { project_id: "p", max_rejections: 1 })
      assert.strictEqual((yield* rounds(bench, "a")).failure_reason, "The budget of 1 rejection is spent. Last: wrong")
      assert.deepStrictEqual((yield* last("a")).details, { budget: "max_rejections", limit: 1 })
      yield* add("b", { project_id: "p", max_rejections: 0 })
      yield* rounds(bench, "b")
      assert.strictEqual((yield* rounds(bench, "b")).queue, "failed")
      const patch = (max_review_rounds: unknown) => send("PATCH", "/api/v1/projects/p", { max_review_rounds })
      assert.strictEqual((yield* patch(0)).status, 400)
      assert.strictEqual((yield* patch(null)).body.max_review_rounds, null)
      yield* add("c", { project_id: "p" })
      yield* rounds(bench, "c")
      yield* rounds(bench, "c")
      assert.strictEqual(
        (yield* rounds(bench, "c")).failure_reason,
        "The budget of 3 rejections is spent. Last: wrong"
      )
    }))
})
