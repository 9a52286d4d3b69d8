/** The answers if D1 fails: that it failed, whether the request may have had an effect, and when to repeat it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as OpenApi from "effect/http-api/OpenApi"
import * as TestClock from "effect/testing/TestClock"
import * as client from "../../src/client.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import * as Faulty from "../support/Faulty.ts"
import { servicesWith } from "../support/layers.ts"
import * as server from "../support/server.ts"

const passing = [
  "Network connection lost.",
  "D1 DB storage operation exceeded timeout which caused object to be reset.",
  "D1 DB is overloaded. Too many requests queued.",
  "D1 DB is overloaded. Requests queued for too long.",
  "D1 DB reset because its code was updated.",
  "Internal error while starting up D1 DB storage caused object to be reset.",
  "Internal error in D1 DB storage caused object to be reset.",
  "Cannot resolve D1 DB due to transient issue on remote node.",
  "internal error; reference = 0123456789abcdef",
  "Failed to parse body as JSON, got: error code: 1101"
]

const lasting = [
  "no such table: tasks: SQLITE_ERROR",
  "too many SQL variables at offset 412: SQLITE_ERROR",
  "CHECK constraint failed: internal error: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_CHECK)",
  "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)",
  "Exceeded maximum DB size.",
  "D1 DB exceeded its CPU time limit and was reset.",
  "The statement is too long"
]

const task = { id: "a", file_path: "a.md", branch: "main" }
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const immediately = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

const start = Effect.gen(function*() {
  const faulty = Faulty.make()
  /** Waits until so many batches in all were not answered. */
  const unanswered = Effect.fnUntraced(function*(batches: number) {
    while (faulty.silent() < batches) yield* immediately
    yield* immediately
  })
  /** The answer to a request whose batch is not answered, when as much time has passed. */
  const after = Effect.fnUntraced(function*<A, E>(time: "5 seconds" | "25 seconds", request: Effect.Effect<A, E>) {
    const before = faulty.silent()
    const fiber = yield* Effect.forkChild(request)
    yield* unanswered(before + 1)
    yield* TestClock.adjust(time)
    return yield* Fiber.join(fiber)
  })
  return { ...faulty, ...(yield* server.make({}, faulty.open)), after, unanswered }
})

describe("a failure of D1", () => {
  it.effect.each(passing)("that passes is a 503 with the time to wait: %s", (text) =>
    Effect.gen(function*() {
      const { faults, send } = yield* start
      faults.push(new Error(`D1_ERROR: ${text}`))
      const { body, headers, status } = yield* send("GET", "/api/v1/tasks")
      const seconds = text.includes("overloaded") ? 5 : 1
      assert.deepStrictEqual([status, headers.get("retry-after")], [503, String(seconds)])
      assert.deepStrictEqual(body, {
        _tag: "DatabaseUnavailable",
        error: `The database did not answer; nothing was changed. Ask again in ${seconds} s.`,
        retry_after_seconds: seconds
      })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).status, 200)
    }))

  it.effect.each(lasting)(
    "that does not pass is a 500 that does not show the failure: %s",
    (text) =>
      Effect.gen(function*() {
        const { faults, send } = yield* start
        faults.push(new Error(`D1_ERROR: ${text}`))
        const { body, headers, status } = yield* send("POST", "/api/v1/tasks", task)
        assert.deepStrictEqual([status, headers.get("retry-after"), body._tag], [500, null, "InternalError"])
        assert.notInclude(JSON.stringify(body), text)
      })
  )

  it.effect("answers that the effect of a change is unknown, and how to find out", () =>
    Effect.gen(function*() {
      const { faults, send } = yield* start
      const sentence = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
        faults.push("lost request")
        return Effect.map(send(method, path, body, headers), ({ body, status }) => {
          assert.strictEqual(status, 503)
          assert.notMatch(body.error, /network|timeout/i)
          return body.error as string
        })
      }
      const key = { "idempotency-key": "k" }
      const unknown = "The database did not answer, and whether the change was made is not known."
      const repeat = `${unknown} Repeat the request under the same Idempotency-Key in 1 s.`
      const read = `${unknown} Read what is there before you send the request again in 1 s.`
      assert.strictEqual(yield* sentence("POST", "/api/v1/tasks", task, key), repeat)
      assert.strictEqual(yield* sentence("POST", "/api/v1/tasks", task), read)
      // Only a POST has a key.
      assert.strictEqual(yield* sentence("PATCH", "/api/v1/tasks/a", { title: "x" }, key), read)
      assert.strictEqual(yield* sentence("DELETE", "/api/v1/tasks/a"), read)
    }))

  it.effect("may be a missing answer; the server answers before clients give up", () =>
    Effect.gen(function*() {
      const { after, faults, send } = yield* start
      faults.push("no answer")
      const read = yield* after("25 seconds", send("GET", "/api/v1/tasks"))
      assert.deepStrictEqual([read.status, read.body._tag], [503, "DatabaseUnavailable"])
      const key = { "idempotency-key": "k" }
      faults.push("committed without an answer")
      const created = yield* after("25 seconds", send("POST", "/api/v1/tasks", task, key))
      assert.strictEqual(created.status, 503)
      const again = yield* send("POST", "/api/v1/tasks", task, key)
      assert.deepStrictEqual([again.status, again.headers.get("idempotent-replayed")], [201, "true"])
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).body.total, 1)
    }))

  it.effect("has a limit of time for all batches of a request together", () =>
    Effect.gen(function*() {
      const { faults, release, send, unanswered } = yield* start
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
      // A claim that finds nothing looks a second time, for the reason.
      faults.push("late", "no answer")
      const claim = { orchestrator_id: "k-m", agent_name: "ann" }
      const fiber = yield* Effect.forkChild(send("POST", "/api/v1/tasks/claim", claim))
      yield* unanswered(1)
      yield* TestClock.adjust("20 seconds")
      yield* Effect.promise(release)
      yield* unanswered(2)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 503)
    }))

  it.effect("is reported soon by the health check", () =>
    Effect.gen(function*() {
      const { after, faults, send } = yield* start
      const failing = { status: "unhealthy", database: "disconnected", _tag: "Unhealthy" }
      faults.push("lost request")
      const lost = yield* send("GET", "/api/health")
      assert.strictEqual(lost.status, 503)
      assert.deepInclude(lost.body, failing)
      faults.push("no answer")
      const silent = yield* after("5 seconds", send("GET", "/api/health"))
      assert.strictEqual(silent.status, 503)
      assert.deepInclude(silent.body, failing)
      assert.strictEqual((yield* send("GET", "/api/health")).status, 200)
    }))

  it.effect("is an error class of the client, which repeats the request after the given time", () =>
    Effect.gen(function*() {
      const { connect, faults, sent, withFetch } = yield* start
      const payload = { ...task, id: client.TaskId.make("a") }
      const other = { ...task, id: client.TaskId.make("b"), file_path: "b.md" }
      const impatient = yield* connect({ retries: 0 })
      faults.push("lost answer")
      const failure = yield* Effect.flip(withFetch(impatient.tasks.create({ query: {}, payload })))
      assert.instanceOf(failure, client.DatabaseUnavailable)
      const patient = yield* connect()
      faults.push("lost answer", "lost request")
      const before = sent()
      const fiber = yield* Effect.forkChild(
        withFetch(patient.tasks.create({ query: {}, payload: other }))
      )
      for (const batches of [1, 2]) {
        while (sent() < before + batches) yield* immediately
        for (let i = 0; i < 10; i++) yield* immediately
        yield* TestClock.adjust("999 millis")
        for (let i = 0; i < 10; i++) yield* immediately
        assert.strictEqual(sent(), before + batches, "no sooner than it was told")
        yield* TestClock.adjust("1 millis")
      }
      assert.strictEqual((yield* Fiber.join(fiber)).id, "b")
    }))
})

describe("a cache of answers of the database", () => {
  const Secret = "a secret of the server"
  const keyed = Effect.gen(function*() {
    const faulty = Faulty.make()
    const { send } = yield* server.make({ API_SECRET_KEY: Secret }, faulty.open)
    const { body } = yield* send("POST", "/api/v1/scopes/red/keys", undefined, bearer(Secret))
    const list = Effect.map(send("GET", "/api/v1/tasks", undefined, bearer(body.api_key)), ({ status }) => status)
    return { ...faulty, id: String(body.id), list, send }
  })

  it.effect("does not take a failure for a refusal: a key that could not be checked stays valid", () =>
    Effect.gen(function*() {
      const { faults, list } = yield* keyed
      for (let i = 0; i < 30; i++) {
        faults.push("lost request")
        assert.strictEqual(yield* list, 503)
      }
      assert.strictEqual(yield* list, 200)
      // The check goes along with a batch from now on, and is lost with it.
      yield* TestClock.adjust("16 seconds")
      faults.push("lost answer")
      assert.strictEqual(yield* list, 503)
      assert.strictEqual(yield* list, 200)
      yield* TestClock.adjust("30 seconds")
      faults.push("lost answer")
      assert.strictEqual(yield* list, 503, "what was said half a minute ago counts no more")
      assert.strictEqual(yield* list, 200)
    }))

  it.effect("forgets a revoked key, even if the answer to the revocation was lost", () =>
    Effect.gen(function*() {
      const { faults, id, list, send } = yield* keyed
      assert.strictEqual(yield* list, 200)
      faults.push("lost answer")
      const revoked = yield* send("DELETE", `/api/v1/scopes/red/keys/${id}`, undefined, bearer(Secret))
      assert.strictEqual(revoked.status, 503)
      assert.strictEqual(yield* list, 401)
    }))

  it.effect("forgets a key that was replaced without overlap, even if the answer was lost", () =>
    Effect.gen(function*() {
      const { faults, id, list, send } = yield* keyed
      assert.strictEqual(yield* list, 200)
      faults.push("lost answer")
      const path = "/api/v1/orchestrators/scopes/red/rotate-key"
      const rotated = yield* send("POST", path, { key_id: id, overlap_seconds: 0 }, bearer(Secret))
      assert.strictEqual(rotated.status, 503)
      assert.strictEqual(yield* list, 401)
    }))
})

describe("the cron", () => {
  const faulty = Faulty.make()
  it.effect("does every due duty, even if the look or another duty failed", () =>
    Effect.gen(function*() {
      const { tick } = yield* Maintenance
      const { send } = yield* server.make({}, faulty.open)
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
      const claim = { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60 }
      for (const id of ["a", "b"]) yield* send("POST", "/api/v1/tasks", { ...task, id, file_path: id })
      yield* send("POST", "/api/v1/tasks/claim", claim)
      yield* TestClock.adjust("121 seconds")
      faulty.faults.push("lost request")
      assert.deepStrictEqual(yield* tick, { reaped: 1, silent: 1 })
      yield* send("POST", "/api/v1/tasks/claim", claim)
      yield* TestClock.adjust("121 seconds")
      faulty.faults.push(undefined, "lost request")
      assert.deepStrictEqual(yield* tick, { reaped: 1, silent: 0 })
      assert.deepStrictEqual(yield* tick, { reaped: 0, silent: 1 })
    }).pipe(Effect.provide(servicesWith({}, faulty.open), { local: true })))
})

describe("the OpenAPI document", () => {
  it("lists the 503 for every endpoint that reads the database", () => {
    const spec = OpenApi.fromApi(client.Api) as any
    for (const [path, methods] of Object.entries<any>(spec.paths)) {
      for (const { operationId, responses } of Object.values<any>(methods)) {
        assert.strictEqual("503" in responses, path !== "/", operationId)
        if (path.startsWith("/api/v1/")) {
          assert.include(JSON.stringify(responses[503].content), "#/components/schemas/DatabaseUnavailable")
        }
      }
    }
  })
})
