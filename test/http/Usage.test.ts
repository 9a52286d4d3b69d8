/** What agents use is summed exactly, and at a cap nothing more is claimed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { MaxDays, MaxModel, MaxReportSeconds, MaxReportTokens, MaxReportUsd } from "../../src/domain/record/Usage.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const sums = (of: Record<string, unknown>) => [
  of.cost_usd,
  of.input_tokens,
  of.output_tokens,
  of.cached_tokens,
  of.wall_seconds
]

const start = Effect.gen(function*() {
  const { db, raw } = migrated()
  const { send } = yield* server.make({ BACKOFF_SECONDS: "0" }, () => db)
  const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    send("POST", `/api/v1/${path}`, body, headers)
  const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* post("projects", { id: "p", title: "p", branch: "b" })
  yield* post("tasks", { id: "a", file_path: "a", project_id: "p", branch: "b", priority: "P0" })
  yield* post("tasks", { id: "b", file_path: "b", branch: "b" })
  const claim = (rest: object = {}) =>
    post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60, ...rest })
  return { claim, get, post, raw, send }
})

const usage = {
  model: "opus",
  input_tokens: 10,
  output_tokens: 5,
  cached_tokens: 100,
  cost_usd: 0.1,
  wall_seconds: 1.5
}
const work = { commits_count: 1, turns_used: 1 }

describe("usage", () => {
  it.effect("is summed for the task in all attempts, its project, the day and the model", () =>
    Effect.gen(function*() {
      const { claim, get, post } = yield* start
      const first = (yield* claim()).body.fencing_token
      yield* post("tasks/a/renew", { fencing_token: first, usage })
      yield* post("tasks/a/requeue", { fencing_token: first, usage: { ...usage, cost_usd: 0.2 } })
      const second = (yield* claim()).body.fencing_token
      const leases = [{ task_id: "a", fencing_token: second, usage: { ...usage, model: null } }]
      yield* post("orchestrators/k-m/heartbeat", { leases })
      yield* TestClock.adjust("1 day")
      yield* post("tasks/a/renew", { fencing_token: second, usage })
      yield* post("tasks/a/submit", { ...work, fencing_token: second, usage })
      const third = yield* post("tasks/b/fail", { reason: "no", usage: { cost_usd: 0.000001 } })
      assert.deepStrictEqual(sums(third.body), [0.000001, 0, 0, 0, 0])
      assert.deepStrictEqual(sums(yield* get("tasks/a")), [0.6, 50, 25, 500, 7.5])
      const ofProjects = yield* get("usage?scope=default&by=project")
      assert.deepStrictEqual(ofProjects.usage.map(sums), [[0.6, 50, 25, 500, 7.5]])
      const ofDays = yield* get("usage?scope=default")
      assert.deepStrictEqual(ofDays.usage.map((one: any) => [one.day, ...sums(one)]), [
        ["1970-01-01", 0.4, 30, 15, 300, 4.5],
        ["1970-01-02", 0.200001, 20, 10, 200, 3]
      ])
      const ofModels = yield* get("usage?scope=default&by=model&from=1970-01-01&to=1970-01-01")
      assert.deepStrictEqual(ofModels.usage.map((one: any) => [one.model, one.cost_usd]), [["opus", 0.3], [
        "unknown",
        0.1
      ]])
    }))

  it.effect("is shown by its project, in the list too, which is no 304 after a report", () =>
    Effect.gen(function*() {
      const { claim, get, post, send } = yield* start
      const none = [0, 0, 0, 0, 0]
      assert.deepStrictEqual(sums(yield* get("projects/p")), none)
      const { fencing_token } = (yield* claim()).body
      for (const path of ["projects?scope=default", "projects"]) {
        const ask = (tag?: string) =>
          send("GET", `/api/v1/${path}`, undefined, tag === undefined ? {} : { "if-none-match": tag })
        const before = yield* ask()
        const tag = before.headers.get("etag")!
        assert.strictEqual((yield* ask(tag)).status, 304)
        yield* post("tasks/a/renew", { fencing_token, usage })
        const after = yield* ask(tag)
        assert.strictEqual(after.status, 200, path)
        assert.deepStrictEqual(sums(after.body.projects[0]), sums(yield* get("projects/p")))
        assert.strictEqual((yield* ask(after.headers.get("etag")!)).status, 304)
      }
      const known = (yield* send("GET", "/api/v1/projects?scope=default")).headers.get("etag")!
      yield* post("tasks/a/renew", { fencing_token })
      const still = yield* send("GET", "/api/v1/projects?scope=default", undefined, { "if-none-match": known })
      assert.strictEqual(still.status, 304, "a renewal without usage changes nothing")
      const used = [0.2, 20, 10, 200, 3]
      assert.deepStrictEqual(sums(yield* get("projects/p")), used)
      const patched = yield* send("PATCH", "/api/v1/projects/p", { title: "q" })
      assert.deepStrictEqual(sums(patched.body), used)
      assert.deepStrictEqual(sums((yield* post("projects", { id: "r", title: "r", branch: "b" })).body), none)
    }))

  it.effect("is imported with its project", () =>
    Effect.gen(function*() {
      const { claim, get, post } = yield* start
      yield* post("tasks/a/renew", { fencing_token: (yield* claim()).body.fencing_token, usage })
      const project = yield* get("projects/p")
      const imported = yield* post("scopes/other/import", { projects: [{ ...project, id: "q" }] })
      assert.strictEqual(imported.status, 200)
      assert.deepStrictEqual(sums(yield* get("projects/q")), [0.1, 10, 5, 100, 1.5])
      const wrong = yield* post("scopes/other/import", { projects: [{ ...project, id: "r", cost_usd: -1 }] })
      assert.include(JSON.stringify(wrong.body), "cost_usd")
      assert.strictEqual((yield* get("projects/r"))._tag, "ProjectNotFound")
    }))

  it.effect("is counted once under an idempotency key, and not at all by a refused request", () =>
    Effect.gen(function*() {
      const { claim, get, post } = yield* start
      const { fencing_token } = (yield* claim()).body
      for (const path of ["tasks/a/renew", "tasks/a/renew"]) {
        yield* post(path, { fencing_token, usage }, { "idempotency-key": "one" })
      }
      const leases = [{ task_id: "a", fencing_token, usage }]
      for (const key of ["two", "two"]) {
        yield* post("orchestrators/k-m/heartbeat", { leases }, { "idempotency-key": key })
      }
      assert.strictEqual((yield* post("tasks/a/renew", { fencing_token: 9, usage })).status, 409)
      assert.strictEqual((yield* post("tasks/a/submit", { ...work, fencing_token: 9, usage })).status, 409)
      for (const key of ["three", "three"]) {
        yield* post("tasks/a/submit", { ...work, fencing_token, usage }, { "idempotency-key": key })
      }
      assert.deepStrictEqual(sums(yield* get("tasks/a")), [0.3, 30, 15, 300, 4.5])
      assert.deepStrictEqual((yield* get("usage?scope=default")).usage.map(sums), [[0.3, 30, 15, 300, 4.5]])
    }))

  it.effect("of a lease that expired counts while its holder may still go on, and that of a superseded one does not", () =>
    Effect.gen(function*() {
      const { claim, get, post } = yield* start
      const { fencing_token } = (yield* claim()).body
      yield* TestClock.adjust("2 minutes")
      // Takes the lease back, and gets the other task.
      yield* claim({ role_filter: "nobody" })
      assert.strictEqual((yield* post("tasks/a/renew", { fencing_token, usage })).body.reattached, true)
      yield* TestClock.adjust("2 minutes")
      yield* claim()
      const lost = [{ task_id: "a", fencing_token, usage }]
      assert.strictEqual((yield* post("orchestrators/k-m/heartbeat", { leases: lost })).body.lost.length, 1)
      assert.deepStrictEqual(sums(yield* get("tasks/a")), [0.1, 10, 5, 100, 1.5])
    }))

  it.effect("has limits, and a number beyond them is refused by name", () =>
    Effect.gen(function*() {
      const { claim, post } = yield* start
      const { fencing_token } = (yield* claim()).body
      const statusOf = (usage: unknown) =>
        Effect.map(post("tasks/a/renew", { fencing_token, usage }), ({ status }) => status)
      for (
        const wrong of [
          { cost_usd: -1 },
          { cost_usd: MaxReportUsd + 1 },
          { cost_usd: "1" },
          { input_tokens: 0.5 },
          { output_tokens: MaxReportTokens + 1 },
          { cached_tokens: -1 },
          { wall_seconds: MaxReportSeconds + 1 },
          { model: "" }
        ]
      ) assert.strictEqual(yield* statusOf(wrong), 400, JSON.stringify(wrong))
      assert.strictEqual(yield* statusOf({ model: "x".repeat(MaxModel + 1) }), 413)
      assert.strictEqual(
        yield* statusOf({
          cost_usd: MaxReportUsd,
          input_tokens: MaxReportTokens,
          wall_seconds: MaxReportSeconds,
          model: "\"$.x"
        }),
        200
      )
    }))

  it.effect("stops at the largest number that JSON carries exactly", () =>
    Effect.gen(function*() {
      const { claim, get, post, raw } = yield* start
      const { fencing_token } = (yield* claim()).body
      raw.exec(
        `UPDATE tasks SET input_tokens = ${
          Number.MAX_SAFE_INTEGER - 3
        }; UPDATE projects SET input_tokens = ${Number.MAX_SAFE_INTEGER}`
      )
      assert.strictEqual((yield* post("tasks/a/renew", { fencing_token, usage })).status, 200)
      assert.strictEqual((yield* get("tasks/a")).input_tokens, Number.MAX_SAFE_INTEGER)
    }))

  it.effect("of many models is summed as other beyond 50 of a day", () =>
    Effect.gen(function*() {
      const { claim, get, post } = yield* start
      const { fencing_token } = (yield* claim()).body
      for (let n = 0; n < 53; n++) {
        yield* post("tasks/a/renew", { fencing_token, usage: { model: `m${n}`, input_tokens: 1 } })
      }
      const models = (yield* get("usage?scope=default&by=model")).usage
      assert.strictEqual(models.length, 51)
      assert.deepInclude(models.find((one: any) => one.model === "other"), { input_tokens: 3 })
    }))

  it.effect("of many models in one heartbeat is summed as other beyond 50, also as the first of a day", () =>
    Effect.gen(function*() {
      const { get, post } = yield* start
      const leases: Array<object> = []
      for (let n = 0; n < 70; n++) {
        yield* post("tasks", { id: `m${n}`, file_path: `TASK-m${n}.md`, branch: "b", priority: "P0" })
        const { fencing_token, id } = (yield* post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })).body
        leases.push({ task_id: id, fencing_token })
      }
      const report = (named: (n: number) => string) =>
        post("orchestrators/k-m/heartbeat", {
          leases: leases.map((lease, n) => ({ ...lease, usage: { model: named(n), input_tokens: 1 } }))
        })
      const models = Effect.map(
        get("usage?scope=default&by=model"),
        ({ usage }: any) => new Map<string, number>(usage.map((one: any) => [one.model, one.input_tokens]))
      )
      yield* report((n) => `x${n}`)
      const first = yield* models
      assert.deepStrictEqual([first.size, first.get("other")], [51, 20])
      // The models of the day are still told apart, and no others are.
      const known = [...first.keys()].filter((name) => name !== "other")
      yield* report((n) => n < 10 ? `a${n}` : known[n % 50]!)
      const second = yield* models
      assert.deepStrictEqual([second.size, second.get("other")], [51, 30])
      yield* TestClock.adjust("1 day")
      yield* report((n) => `y${n % 30}`)
      yield* report((n) => `z${n}`)
      const next = yield* get("usage?scope=default&by=model&from=1970-01-02&to=1970-01-02")
      assert.deepStrictEqual([
        next.usage.length,
        next.usage.find(({ model }: any) => model === "other").input_tokens,
        next.usage.filter(({ model }: any) => model.startsWith("y")).length
      ], [51, 50, 30])
    }))

  it.effect("is listed for at most a year of days, and days that do not exist are refused", () =>
    Effect.gen(function*() {
      const { send } = yield* start
      const statusOf = (query: string) =>
        Effect.map(send("GET", `/api/v1/usage?scope=default&${query}`), ({ status }) => status)
      assert.strictEqual(yield* statusOf("from=2026-01-02&to=2026-01-01"), 400)
      assert.strictEqual(yield* statusOf("from=2026-02-30"), 400)
      assert.strictEqual(yield* statusOf("from=2020-01-01&to=2026-01-01"), 400)
      assert.strictEqual(yield* statusOf("from=2025-01-01&to=2026-01-01"), 200)
      assert.strictEqual(MaxDays, 366)
    }))
})

describe("at a cap", () => {
  const all = [
    [
      "task",
      (send: any) => send("PATCH", "/api/v1/tasks/a", { max_cost_usd: 0.1 }),
      (send: any) => send("PATCH", "/api/v1/tasks/a", { max_cost_usd: 5 })
    ],
    [
      "project",
      (send: any) => send("PATCH", "/api/v1/projects/p", { max_tokens: 15 }),
      (send: any) => send("PATCH", "/api/v1/projects/p", { max_tokens: 16 })
    ],
    [
      "scope",
      (send: any) => send("PUT", "/api/v1/usage/caps", { scope: "default", max_cost_usd: 0.1 }),
      (send: any) => send("PUT", "/api/v1/usage/caps", { scope: "default" })
    ]
  ] as const

  for (const [cap, set, raise] of all) {
    it.effect(`of the ${cap} nothing more is claimed there, holders pause, and an operator raises it`, () =>
      Effect.gen(function*() {
        const { claim, get, post, send } = yield* start
        assert.isBelow((yield* set(send) as Effect.Effect<any>).status, 300)
        const { fencing_token } = (yield* claim()).body
        const renewed = yield* post("tasks/a/renew", {
          fencing_token,
          usage: { ...usage, cost_usd: 0.099999, output_tokens: 4 }
        })
        assert.deepInclude(renewed.body, { directive: "continue", pause_reason: null, pause_kind: null })
        const paused = yield* post("tasks/a/renew", { fencing_token, usage: { cost_usd: 0.000001, output_tokens: 1 } })
        assert.strictEqual(paused.body.directive, "pause")
        assert.include(paused.body.pause_reason, "has used as much")
        const beat = yield* post("orchestrators/k-m/heartbeat", { leases: [{ task_id: "a", fencing_token }] })
        assert.deepStrictEqual(beat.body.directives, [{
          task_id: "a",
          directive: "pause",
          reason: paused.body.pause_reason,
          pause_kind: cap
        }])
        yield* post("tasks/a/requeue", { fencing_token })
        const explained = yield* get("tasks/a/explain")
        assert.isFalse(explained.claimable)
        assert.include(explained.reasons.map(({ reason }: any) => reason), "capped")
        // The other task has another cap, unless it is that of the scope.
        const next = yield* claim()
        assert.strictEqual(next.status === 200 ? next.body.id : next.body.reason, cap === "scope" ? "capped" : "b")
        const empty = yield* claim()
        assert.deepInclude(empty.body, {
          message: "No tasks available",
          reason: "capped",
          error: paused.body.pause_reason
        })
        assert.isBelow((yield* raise(send) as Effect.Effect<any>).status, 300)
        assert.strictEqual((yield* claim()).body.id, "a")
      }))
  }

  it.effect("of a day, claims go on with the next day, which has the same cap", () =>
    Effect.gen(function*() {
      const { claim, post, send } = yield* start
      const set = yield* send("PUT", "/api/v1/usage/caps", { scope: "default", max_tokens: 15 })
      assert.deepStrictEqual(set.body, { scope: "default", max_cost_usd: null, max_tokens: 15 })
      for (let day = 0; day < 2; day++) {
        const { fencing_token } = (yield* claim()).body
        yield* post("tasks/a/requeue", { fencing_token, usage })
        assert.strictEqual((yield* claim()).body.reason, "capped")
        yield* TestClock.adjust("1 day")
      }
      assert.strictEqual((yield* claim()).body.id, "a")
    }))
})
