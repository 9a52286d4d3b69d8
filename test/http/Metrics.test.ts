/** Metrics: the format, the figures, who sees which scopes, and the counters of events that the cron makes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { exposition } from "../../src/domain/feed/Metrics.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { type Family, parse } from "../support/Exposition.ts"
import { migrated, servicesWith } from "../support/layers.ts"
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

const total = (values: Record<string, number>) => Object.values(values).reduce((sum, n) => sum + n, 0)

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
      assert.strictEqual(ofRed("octopoid_usage_cost_dollars_total"), 0.25)
      assert.strictEqual(ofRed("octopoid_usage_seconds_total"), 1.5)
      assert.deepInclude(valuesOf(families, "octopoid_usage_tokens_total"), {
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
        INSERT INTO queue_counts (scope, counts) SELECT 's' || i, '{"incoming": 1}' FROM n;
        INSERT INTO event_counts (scope, event, n) SELECT scope, 'claimed', 1 FROM queue_counts`)
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

describe("the counters of events", () => {
  it.effect("count every change of every scope once, also those of the same minute", () =>
    Effect.gen(function*() {
      const { claim, create, metrics, post, raw, tick } = yield* start
      const inFeed = () =>
        Object.fromEntries(
          raw.prepare("SELECT scope || '/' || event AS label, count(*) AS n FROM history GROUP BY 1").all()
            .map(({ label, n }) => [String(label), Number(n)])
        )
      for (const scope of ["red", "blue"]) {
        yield* post("orchestrators/register", { scope, cluster: "k", machine_id: "m" })
        yield* create(scope, `${scope}-a`)
        yield* claim(scope)
      }
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_total"), {})
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_uncounted"), { blue: 2, red: 2 })
      yield* tick
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_total"), inFeed())
      // The cron takes the leases back and counts that.
      yield* TestClock.adjust("2 minutes")
      yield* tick
      const families = yield* metrics()
      assert.deepInclude(valuesOf(families, "octopoid_events_total"), {
        "red/lease_expired": 1,
        "blue/lease_expired": 1
      })
      assert.deepStrictEqual(valuesOf(families, "octopoid_events_total"), inFeed())
      yield* tick
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_total"), inFeed())
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_uncounted"), { blue: 0, red: 0 })
    }))

  it.effect("catch up with a long feed, and pass numbers that are missing", () =>
    Effect.gen(function*() {
      const { create, metrics, raw, tick } = yield* start
      yield* create("red", "a")
      // After a restored database, numbers go on far above the last one.
      raw.exec(`WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 1201)
        INSERT INTO history (task_id, version, scope, event, grants, at, seq)
          SELECT 'a', i, 'red', 'edited', 0, 0, iif(i < 300, i, 1000000 + i) FROM n;
        UPDATE queue_counts SET seq = 2000000 WHERE scope = 'red'`)
      const counted: Array<number> = []
      for (let minute = 0; minute < 5; minute++) {
        yield* tick
        counted.push(total(valuesOf(yield* metrics(), "octopoid_events_total")))
      }
      assert.deepStrictEqual(counted, [299, 799, 1201, 1201, 1201])
      assert.deepStrictEqual(valuesOf(yield* metrics(), "octopoid_events_uncounted"), { red: 0 })
    }))

  it.effect("cost a request no written row: only the cron writes them", () =>
    Effect.gen(function*() {
      const { create, raw } = yield* start
      yield* create("red", "a")
      assert.deepStrictEqual(raw.prepare("SELECT count(*) AS n FROM event_counts").get()?.n, 0)
    }))
})
