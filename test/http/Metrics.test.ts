/** Metrics: the format, the figures, who sees which scopes, and the counters of events, webhooks and costs. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { exposition } from "../../src/domain/feed/Metrics.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { type Family, parse } from "../support/Exposition.ts"
import { serving } from "../support/hooked.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import { receiver } from "../support/receiver.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

const start = Effect.gen(function*() {
  const { db, raw } = migrated()
  const config = { API_SECRET_KEY: Secret, BACKOFF_SECONDS: "0" }
  const { connect, send } = yield* server.make(config, () => db)
  const { tick } = yield* Effect.provide(Maintenance, servicesWith(config, () => db))
  const post = (path: string, body: unknown = {}) => send("POST", `/api/v1/${path}`, body, bearer(Secret))
  const metrics = (query = "", token = Secret) =>
    Effect.map(send("GET", `/metrics${query}`, undefined, bearer(token)), ({ body }) => parse(body))
  const create = (scope: string, id: string, rest: object = {}) =>
    post("tasks", { id, scope, file_path: id, branch: "b", ...rest })
  const claim = (scope: string, rest: object = {}) =>
    Effect.map(
      post("tasks/claim", { scope, orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60, ...rest }),
      ({ body }) => body
    )
  return { claim, connect, create, metrics, post, raw, send, tick }
})

/** The values of a family by their labels: `{"red/incoming": 1}`. */
const valuesOf = (families: ReadonlyArray<Family>, name: string) => {
  const family = families.find((family) => family.name === name)
  assert.isDefined(family, name)
  return Object.fromEntries(family!.samples.map(({ labels, value }) => [Object.values(labels).join("/"), value]))
}

describe("the text format", () => {
  it("escapes labels and help, and a strict reader gets them back", () => {
    const samples = [{ labels: { scope: "a\"b\\c\nd,e=\"{}" }, value: 0.5 }, { labels: {}, value: 3 }]
    const family = { name: "octopoid_x", help: "One\\two\nthree.", type: "gauge" as const, samples }
    assert.deepStrictEqual(parse(exposition([family])), [{
      ...family,
      samples: samples.map((sample) => ({ name: "octopoid_x", ...sample }))
    }])
  })

  it.each([
    "# HELP a b\n# TYPE a gauge\na 1",
    "# TYPE a gauge\na 1\n",
    "# HELP a b\n# TYPE a counter\na 1\n",
    "# HELP a b\n# TYPE a gauge\nb 1\n",
    "# HELP a b\n# TYPE a gauge\na{x=\"\"y\"} 1\n",
    "# HELP a b\n# TYPE a gauge\na{x=\"1\"} 1\na{x=\"1\"} 2\n",
    "# HELP a b\n# TYPE a gauge\na null\n",
    "# HELP a b\n# TYPE a gauge\n# HELP a b\n# TYPE a gauge\n"
  ])("is refused by the reader where it is wrong: %j", (text) => {
    assert.throws(() => parse(text))
  })
})

describe("GET /metrics", () => {
  it.effect("has the figures of every scope for the administrator, in one round trip", () =>
    Effect.gen(function*() {
      const { claim, create, metrics, post, send } = yield* start
      yield* TestClock.setTime(Date.parse("2026-03-02T10:00:00Z"))
      yield* create("red", "a")
      yield* create("odd \"\\ scope", "x")
      yield* TestClock.adjust("10 seconds")
      yield* create("red", "b", { priority: "P0" })
      yield* create("red", "c", { priority: "P3" })
      yield* create("red", "d", { blocked_by: "a" })
      yield* post("orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
      const { fencing_token, id } = yield* claim("red")
      yield* post(`tasks/${id}/renew`, {
        fencing_token,
        usage: { cost_usd: 0.25, input_tokens: 3, output_tokens: 2, cached_tokens: 1, wall_seconds: 1.5 }
      })
      yield* TestClock.adjust("61 seconds")
      const answer = yield* send("GET", "/metrics", undefined, bearer(Secret))
      assert.strictEqual(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
      const families = parse(answer.body)
      assert.deepStrictEqual(valuesOf(families, "octopoid_tasks"), {
        "odd \"\\ scope/incoming": 1,
        "red/claimed": 1,
        "red/incoming": 3
      })
      const ofRed = (name: string) => valuesOf(families, name).red
      assert.strictEqual(ofRed("octopoid_ready_tasks"), 2)
      assert.strictEqual(ofRed("octopoid_oldest_ready_age_seconds"), 71)
      assert.strictEqual(ofRed("octopoid_leases"), 1)
      assert.strictEqual(ofRed("octopoid_leases_overdue"), 1)
      assert.strictEqual(ofRed("octopoid_usage_today_cost_dollars"), 0.25)
      assert.strictEqual(ofRed("octopoid_usage_today_seconds"), 1.5)
      assert.deepInclude(valuesOf(families, "octopoid_usage_today_tokens"), {
        "red/input": 3,
        "red/output": 2,
        "red/cached": 1
      })
      assert.deepStrictEqual(valuesOf(yield* metrics("?scope=blue"), "octopoid_tasks"), {})
    }))

  it.effect("has the scope of a key, and no other one", () =>
    Effect.gen(function*() {
      const { create, metrics, post, send } = yield* start
      yield* create("red", "a")
      yield* create("blue", "b")
      const { body: { api_key } } = yield* post("scopes/red/keys", { rank: "read" })
      assert.deepStrictEqual(valuesOf(yield* metrics("", api_key), "octopoid_tasks"), { "red/incoming": 1 })
      assert.strictEqual((yield* send("GET", "/metrics?scope=blue", undefined, bearer(api_key))).status, 403)
      assert.strictEqual((yield* send("GET", "/metrics")).status, 401)
    }))

  it.effect("has at most 200 scopes, and says that there are more", () =>
    Effect.gen(function*() {
      const { metrics, raw } = yield* start
      raw.exec(`WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
        INSERT INTO queue_counts (scope, counts, events) SELECT 's' || i, '{"incoming": 1}', '{"claimed": 1}' FROM n`)
      const families = yield* metrics()
      assert.deepStrictEqual(valuesOf(families, "octopoid_scopes_truncated"), { "": 1 })
      for (const name of ["octopoid_tasks", "octopoid_events_total"]) {
        assert.strictEqual(Object.keys(valuesOf(families, name)).length, 200)
      }
      raw.exec("DELETE FROM queue_counts WHERE scope = 's1200'")
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_scopes_truncated"), { "": 0 })
    }))

  it.effect("is read by the typed client", () =>
    Effect.gen(function*() {
      const { connect, create } = yield* start
      yield* create("red", "a")
      const client = yield* connect({ token: Secret, scope: "red" })
      assert.deepStrictEqual(valuesOf(parse(yield* client.metrics.read({ query: {} })), "octopoid_tasks"), {
        "red/incoming": 1
      })
    }))
})

/** How often each event is in the feeds. */
const feedsOf = (raw: ReturnType<typeof migrated>["raw"]) =>
  Object.fromEntries(
    raw.prepare("SELECT scope || '/' || event AS label, count(*) AS n FROM history GROUP BY 1").all()
      .map(({ label, n }) => [String(label), Number(n)])
  )

describe("the counters of events", () => {
  it.effect("count every change of every scope with the change, also those of the cron", () =>
    Effect.gen(function*() {
      const { claim, create, metrics, post, raw, tick } = yield* start
      for (const scope of ["red", "blue"]) {
        yield* post("orchestrators/register", { scope, cluster: "k", machine_id: "m" })
        yield* post("projects", { id: `${scope}-p`, scope, title: "t", branch: "b" })
        yield* create(scope, `${scope}-a`, { project_id: `${scope}-p` })
        yield* create(scope, `${scope}-b`, { depends_on: [{ task_id: `${scope}-a`, on_failure: "fail" }] })
        yield* claim(scope)
      }
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_total"), feedsOf(raw))
      // The cron takes the leases back.
      yield* TestClock.adjust("2 minutes")
      yield* tick
      yield* claim("red")
      // Three changes in one batch, of two kinds.
      yield* post("tasks/red-a/fail", { reason: "No." })
      const counted = valuesOf(yield* metrics(), "octopoid_events_total")
      assert.deepInclude(counted, { "red/lease_expired": 1, "blue/lease_expired": 1, "red/dependency_failed": 1 })
      assert.deepStrictEqual(counted, feedsOf(raw))
      // The counters of a project are those of its queues.
      assert.deepStrictEqual(
        raw.prepare("SELECT DISTINCT events, lives FROM queue_counts WHERE scope < ' '").all().map(Object.values),
        [["{}", "{}"]]
      )
    }))

  it.effect("stay when retention removes what they counted", () =>
    Effect.gen(function*() {
      const { create, metrics, post, raw } = yield* start
      yield* create("red", "a")
      yield* post("tasks/a/cancel", {})
      const before = valuesOf(yield* metrics(), "octopoid_events_total")
      raw.exec("DELETE FROM history")
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_total"), before)
      assert.deepStrictEqual(before, { "red/created": 1, "red/cancelled": 1 })
    }))
})

describe("the metrics of webhooks", () => {
  it.effect("say how far each is behind, and how many messages were not accepted", () =>
    Effect.gen(function*() {
      const { create, register, send, tick } = yield* serving()
      const target = yield* receiver
      target.react = () => 500
      const { id } = yield* register(target.url)
      for (const id of ["a", "b", "c"]) yield* create(id)
      const values = (name: string) => Effect.map(send("GET", "/metrics"), ({ body }) => valuesOf(parse(body), name))
      const label = `red/${id}`
      assert.deepStrictEqual(yield* values("octopoid_webhook_backlog"), { [label]: 3 })
      yield* tick
      yield* TestClock.adjust("1 minute")
      yield* tick
      assert.deepStrictEqual(yield* values("octopoid_webhook_failures_total"), { [label]: 2 })
      target.react = () => 200
      yield* TestClock.adjust("5 minutes")
      yield* tick
      assert.deepStrictEqual(yield* values("octopoid_webhook_backlog"), { [label]: 0 })
      assert.deepStrictEqual(yield* values("octopoid_webhook_attempts_total"), { [label]: 5 })
      assert.deepStrictEqual(yield* values("octopoid_webhook_failures_total"), { [label]: 2 })
      target.react = () => 503
      yield* send("POST", `/api/v1/webhooks/${id}/test`)
      yield* send("PATCH", `/api/v1/webhooks/${id}`, { enabled: false })
      assert.deepStrictEqual(yield* values("octopoid_webhook_failures_total"), { [label]: 3 })
      assert.deepStrictEqual(yield* values("octopoid_webhook_enabled"), { [label]: 0 })
    }))
})

describe("the costs in D1", () => {
  it.effect("are those of every request and turn of the cron, stored once a minute and shown to the administrator", () =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      let batches = 0
      const counting: typeof db = Object.assign(Object.create(db), {
        batch: (statements: Parameters<typeof db.batch>[0]) => (batches++, db.batch(statements))
      })
      const { create, read, send, settle, tick } = yield* serving({}, { db: counting, raw })
      const stored = () => raw.prepare("SELECT trips, statements FROM d1_costs").get()
      yield* create("a", {}, true)
      yield* settle
      assert.isUndefined(stored())
      yield* TestClock.adjust("1 minute")
      yield* read("/tasks/a")
      yield* settle
      // All but the one that stored them.
      assert.strictEqual(stored()?.trips, batches - 1)
      // Nothing is written again within the minute, nor by a turn of the cron that changes nothing.
      const before = { ...stored() }
      yield* read("/tasks/a")
      yield* settle
      yield* TestClock.adjust("10 minutes")
      yield* tick
      assert.deepStrictEqual({ ...stored() }, before)
      yield* read("/tasks/a")
      yield* settle
      assert.isAbove(Number(stored()?.trips), Number(before.trips))
      assert.notInclude((yield* send("GET", "/metrics?scope=red")).body, "octopoid_d1")
      const families = parse((yield* send("GET", "/metrics")).body)
      assert.strictEqual(valuesOf(families, "octopoid_d1_statements_total")[""], stored()?.statements)
      assert.hasAllKeys(valuesOf(families, "octopoid_d1_rows_total"), ["read", "written"])
    }))
})
