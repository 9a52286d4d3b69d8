/** What only workerd and D1 can show: migrations, the cron, contention, and what requests cost. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { connect } from "node:net"
import { isRefusal, transientFailure } from "../../src/sql/Database.ts"
import { testingFlow } from "../support/flows.ts"
import { type Cost, engine, Workerd } from "../support/harness.ts"

const task = (id: string, scope: string, rest: object = {}) => ({
  id,
  scope,
  file_path: `${id}.md`,
  branch: "b",
  ...rest
})
const claim = (scope: string, rest: object = {}) => ({ scope, orchestrator_id: "k-m", agent_name: "ann", ...rest })
const machine = { cluster: "k", machine_id: "m" }

const within = (what: string, cost: Cost, limit: Cost) => {
  assert.isAtMost(cost.trips, limit.trips, `${what}: trips`)
  assert.isAtMost(cost.read, limit.read, `${what}: rows read`)
  assert.isAtMost(cost.written, limit.written, `${what}: rows written`)
}

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("in workerd", (it) => {
  it.effect("the database is migrated and healthy", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const health = yield* send("GET", "/api/health")
      assert.include(health.body, { status: "healthy", version: "2.0.0", database: "connected" })
    }))

  it.effect("20 simultaneous claims of 20 tasks are 20 grants", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      const numbers = Array.from({ length: 20 }, (_, i) => i)
      yield* Effect.forEach(numbers, (i) => send("POST", "/api/v1/tasks", task(`race-${i}`, "race")), {
        concurrency: 20
      })
      const grants = yield* Effect.forEach(numbers, () => send("POST", "/api/v1/tasks/claim", claim("race")), {
        concurrency: 20
      })
      assert.deepStrictEqual(grants.map(({ status }) => status), numbers.map(() => 200))
      assert.strictEqual(new Set(grants.map(({ body }) => body.id)).size, 20)
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/claim", claim("race"))).status, 404)
    }))

  it.effect("the cron takes expired leases back, of work and of reviews", () =>
    Effect.gen(function*() {
      const { send, tick } = yield* Workerd
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      yield* send("POST", "/api/v1/tasks", task("work", "cron"))
      yield* send("POST", "/api/v1/tasks", task("review", "cron", { queue: "provisional" }))
      const lease = { lease_duration_seconds: 1 }
      yield* send("POST", "/api/v1/tasks/claim", claim("cron", lease))
      yield* send("POST", "/api/v1/tasks/claim", claim("cron", { ...lease, queue: "provisional" }))
      yield* Effect.sleep("1100 millis")
      yield* tick
      const work = yield* send("GET", "/api/v1/tasks/work")
      assert.include(work.body, { queue: "incoming", claimed_by: null, attempt_count: 1, lease_losses: 1 })
      const review = yield* send("GET", "/api/v1/tasks/review")
      assert.include(review.body, { queue: "provisional", claimed_by: null, attempt_count: 0 })
    }))

  it.effect("no input causes a 500 on D1 either", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const odd = ["\u0000", "\ud800", "😀".repeat(40), "'; DROP TABLE tasks; --", "%", "a/b"]
      yield* Effect.forEach(odd, (text) =>
        Effect.gen(function*() {
          const created = yield* send(
            "POST",
            "/api/v1/tasks",
            task("odd", "odd", { id: text, file_path: text, title: text, content: text })
          )
          assert.include([201, 400], created.status, text)
          const listed = yield* send("GET", `/api/v1/tasks?scope=odd&role=${encodeURIComponent(text.toWellFormed())}`)
          assert.strictEqual(listed.status, 200, text)
        }))
    }))

  it.effect("a path that cannot be percent-decoded is refused by the bundled Worker too", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      for (const path of ["/api/v1/tasks/%ff", "/api/v1/tasks/%", "/%", "/api/v1/tasks?role=%ED%A0%80"]) {
        const { body, status } = yield* send("GET", path)
        assert.deepInclude({ status, tag: body._tag }, { status: 400, tag: "InvalidRequest" }, path)
      }
    }))

  it.effect.skipIf(engine === "objects")(
    "D1's error for a wrong statement is no transient failure",
    () =>
      Effect.gen(function*() {
        const { database } = yield* Workerd
        const db = database
        const columns = "INSERT INTO queue_counts (scope, counts)"
        const wrong: Record<string, string> = {
          unique: `${columns} VALUES ('twice', '{}'), ('twice', '{}')`,
          null: `${columns} VALUES ('internal error', NULL)`,
          type: `${columns} VALUES ('connection lost', x'00')`,
          missing: "SELECT * FROM internal_error",
          syntax: "SELEC 1",
          variables: `SELECT ${Array.from({ length: 101 }, (_, index) => `?${index + 1}`)}`
        }
        for (const [name, text] of Object.entries(wrong)) {
          const error = yield* Effect.promise(() =>
            db.batch([db.prepare(text)]).then(() => undefined, (error) => error)
          )
          assert.instanceOf(error, Error, name)
          assert.isTrue(isRefusal(error), `${name}: ${error}`)
          assert.isUndefined(transientFailure(error), `${name}: ${error}`)
        }
      })
  )

  it.effect("an address that is no URL after its host is answered like any other", () =>
    Effect.gen(function*() {
      const { base } = yield* Workerd
      const ask = (path: string) =>
        Effect.promise(() =>
          new Promise<string>((done, failed) => {
            let answer = ""
            const socket = connect(Number(base.port), base.hostname, () =>
              socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`))
            socket.on("data", (data) =>
              answer += String(data))
            socket.on("close", () =>
              done(answer))
            socket.on("error", failed)
          })
        )
      const roots = ["/", "//", "/\\", "/\\/", "/..", "/.", "/%2e%2E/.", "//../..", "/api/../..", "/api/health/../.."]
      const health = ["/api/v1/../health", "/../api/./health", "/\\api\\x\\%2e.\\health", "/api/health#/../x"]
      for (const path of [...roots, ...health]) assert.match(yield* ask(path), /^HTTP\/1.1 200 /, path)
      assert.match(yield* ask("/\\evil.example"), /^HTTP\/1.1 404 /)
    }))

  it.effect("requests cost what the design allows, at any depth", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      const life = Effect.fnUntraced(function*(id: string) {
        const write = { trips: 1, read: 38, written: 6 }
        const granted = { ...write, read: 36 }
        const created = yield* send("POST", "/api/v1/tasks", task(id, "cost", { priority: "P0", role: "build" }))
        // The first of a scope is counted as one whose totals nobody has counted yet.
        within("create", created.cost, { trips: 1, read: 10, written: 8 })
        const claimed = yield* send("POST", "/api/v1/tasks/claim", claim("cost"))
        assert.strictEqual(claimed.body.id, id)
        within("claim", claimed.cost, granted)
        within(
          "submit",
          (yield* send("POST", `/api/v1/tasks/${id}/submit`, { commits_count: 1, turns_used: 1 })).cost,
          write
        )
        within(
          "reject",
          (yield* send("POST", `/api/v1/tasks/${id}/reject`, { reason: "r", rejected_by: "x" })).cost,
          write
        )
        within(
          "claim",
          (yield* send("POST", "/api/v1/tasks/claim", claim("cost", { role_filter: "build" }))).cost,
          granted
        )
        within("requeue", (yield* send("POST", `/api/v1/tasks/${id}/requeue`)).cost, write)
        yield* send("POST", "/api/v1/tasks/claim", claim("cost"))
        within("accept", (yield* send("POST", `/api/v1/tasks/${id}/accept`, { accepted_by: "x" })).cost, write)
        const page = yield* send("GET", "/api/v1/tasks?scope=cost&queue=incoming&limit=10")
        within("list", page.cost, { trips: 1, read: page.body.tasks.length + 20, written: 0 })
        const urgent = yield* send("GET", "/api/v1/tasks?scope=cost&queue=incoming&limit=10&sort=priority")
        within("list by priority", urgent.cost, { trips: 1, read: urgent.body.tasks.length + 15, written: 0 })
        within("heartbeat", (yield* send("POST", "/api/v1/orchestrators/k-m/heartbeat")).cost, {
          trips: 1,
          read: 8,
          written: 1
        })
        yield* send("POST", "/api/v1/tasks", task(`review-${id}`, "cost", { queue: "provisional", flow: "qa" }))
        const poll = yield* send("GET", "/api/v1/scheduler/poll?scope=cost&orchestrator_id=k-m")
        const reviews: number = poll.body.provisional_tasks.length
        within("poll", poll.cost, { trips: 1, read: reviews + 15, written: 0 })
        // Tasks that a flow leaves behind are looked for only in queues where there may be some, so depth costs nothing.
        const flow = yield* send("PUT", "/api/v1/flows/qa?scope=cost", testingFlow)
        within("register a flow", flow.cost, { trips: 1, read: 30, written: 3 })
        const removed = yield* send("DELETE", "/api/v1/flows/qa")
        within("delete a flow", removed.cost, { trips: 1, read: 40, written: 2 })
      })
      yield* life("first")
      yield* Effect.forEach(Array.from({ length: 120 }, (_, i) => i), (i) =>
        send(
          "POST",
          "/api/v1/tasks",
          task(`deep-${i}`, "cost", i % 3 === 0 ? { blocked_by: "nobody" } : { role: "build" })
        ), {
        concurrency: 10
      })
      yield* life("last")
    }))
})
