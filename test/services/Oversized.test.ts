/**
 * Records that are larger than this version makes them, as an older one may have left them: up to the last bytes that D1
 * stores. They block no other work, are left as they are where a change would make them grow, and can be made smaller.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as Server from "../support/server.ts"

const start = Effect.gen(function*() {
  const { db, raw } = migrated()
  const { send } = yield* Server.make({ BACKOFF_BASE_SECONDS: "0" }, () => db)
  const post = (path: string, body: object = {}, headers: Record<string, string> = {}) =>
    send("POST", `/api/v1/${path}`, body, headers)
  const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  const create = (id: string, rest: object = {}) =>
    Effect.map(post("tasks", { id, file_path: `TASK-${id}.md`, branch: "b", ...rest }), ({ body, status }) => {
      assert.strictEqual(status, 201, JSON.stringify(body))
    })
  const claim = (rest: object = {}, headers = {}) =>
    post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60, ...rest }, headers)
  /** Lets the task grow until D1 stores no more of it than this many bytes. */
  const grow = (id: string, spare = 0) => {
    const write = raw.prepare("UPDATE tasks SET content = ? WHERE id = ?")
    let [fits, fails] = [1_990_000, 2_000_000]
    while (fails - fits > 1) {
      const length = Math.floor((fits + fails) / 2)
      try {
        write.run("x".repeat(length), id)
        fits = length
      } catch {
        fails = length
      }
    }
    write.run("x".repeat(fits - spare), id)
  }
  const tick = Maintenance.use((maintenance) => maintenance.tick).pipe(
    Effect.provide(servicesWith({ BACKOFF_BASE_SECONDS: "0" }, () => db))
  )
  const states = () =>
    Object.fromEntries(
      raw.prepare("SELECT id, queue, claimed_by FROM tasks").all().map(({ claimed_by, id, queue }) => [
        String(id),
        claimed_by === null ? queue : `${queue} by ${claimed_by}`
      ])
    )
  return { raw, send, post, get, create, claim, grow, tick, states }
})

const ids = (tasks: ReadonlyArray<any>) => tasks.map(({ id }) => id).toSorted()
const key = (name: string) => ({ "idempotency-key": name })

describe("A task that is too large to be granted", () => {
  for (const headers of [{}, key("one")]) {
    it.effect(`is passed over by claims${"idempotency-key" in headers ? " under a key" : ""}`, () =>
      Effect.gen(function*() {
        const { claim, create, grow } = yield* start
        for (const id of ["big", "huge", "good"]) yield* create(id)
        grow("big")
        grow("huge")
        const { body, status } = yield* claim({}, headers)
        assert.deepStrictEqual([status, body.id], [200, "good"])
        const again = yield* claim({}, headers)
        if ("idempotency-key" in headers) assert.strictEqual(again.body.id, "good")
        else assert.strictEqual(again.status, 404)
      }))
  }

  it.effect("is skipped by claims for roles, types and priorities, and by review claims", () =>
    Effect.gen(function*() {
      const { claim, create, grow } = yield* start
      yield* create("big", { role: "build", type: "fix", priority: "P0" })
      yield* create("good", { role: "build", type: "fix", priority: "P1" })
      yield* create("big-review", { queue: "provisional" })
      yield* create("review", { queue: "provisional" })
      grow("big")
      grow("big-review")
      const filters = { role_filter: ["build", "test"], type_filter: ["fix"], priority_order: ["P0", "P1"] }
      assert.strictEqual((yield* claim(filters)).body.id, "good")
      assert.strictEqual((yield* claim({ queue: "provisional" })).body.id, "review")
    }))

  it.effect("is the reason of an empty claim, is explained, and is claimed once it is smaller", () =>
    Effect.gen(function*() {
      const { claim, create, get, grow, send } = yield* start
      yield* create("big")
      grow("big")
      const empty = yield* claim()
      assert.deepInclude(empty.body, { message: "No tasks available", reason: "too_large" })
      assert.include(empty.body.error, "big")
      const explained = yield* get("tasks/big/explain")
      assert.isFalse(explained.claimable)
      assert.strictEqual(explained.reasons[0].reason, "too_large")
      const smaller = yield* send("PATCH", "/api/v1/tasks/big", { content: "less" })
      assert.strictEqual(smaller.status, 200)
      assert.isTrue((yield* get("tasks/big/explain")).claimable)
      assert.strictEqual((yield* claim()).body.id, "big")
    }))

  it.effect("does not keep a claim from taking other expired leases back", () =>
    Effect.gen(function*() {
      const { claim, create, grow, states } = yield* start
      yield* create("held")
      yield* claim()
      yield* create("big")
      yield* create("good")
      grow("held")
      grow("big")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* claim()).body.id, "good")
      assert.strictEqual(states().held, "incoming")
    }))
})

describe("A lease of a task that is too large", () => {
  it.effect("is renewed without its checkpoint, and other leases with theirs", () =>
    Effect.gen(function*() {
      const { claim, create, get, grow, post } = yield* start
      for (const id of ["a", "big", "c"]) yield* create(id)
      const leases: Array<object> = []
      for (let i = 0; i < 3; i++) {
        const { body } = yield* claim()
        leases.push({ task_id: body.id, fencing_token: body.fencing_token, checkpoint: { notes: `of ${body.id}` } })
      }
      grow("big")
      yield* TestClock.adjust("10 seconds")
      const { body, status } = yield* post("orchestrators/k-m/heartbeat", { leases })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body.renewed.map((lease: any) => [lease.task_id, lease.checkpoint_version]), [
        ["a", 1],
        ["big", null],
        ["c", 1]
      ])
      assert.deepStrictEqual(body.refused.map((one: any) => one.task_id), ["big"])
      assert.deepStrictEqual(body.lost, [])
      assert.strictEqual((yield* get("tasks/c/handoff")).checkpoint.notes, "of c")
      const { checkpoint, ...bare } = leases[1] as any
      const { fencing_token } = bare
      const refused = yield* post("tasks/big/renew", { fencing_token, checkpoint })
      assert.deepInclude(refused.body, { _tag: "TooLarge", field: "record" })
      assert.strictEqual((yield* post("tasks/big/renew", { fencing_token })).status, 200)
    }))

  it.effect("is lost if it expired, and other leases are not", () =>
    Effect.gen(function*() {
      const { claim, create, grow, post, states, tick } = yield* start
      const leases: Array<object> = []
      for (const id of ["a", "big"]) {
        yield* create(id)
        const { body } = yield* claim()
        leases.push({ task_id: body.id, fencing_token: body.fencing_token })
      }
      yield* TestClock.adjust("60 seconds")
      yield* tick
      grow("big")
      const { body, status } = yield* post("orchestrators/k-m/heartbeat", { leases })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual([body.renewed.length, body.lost.length], [1, 1])
      assert.deepStrictEqual(states(), { a: "claimed by ann", big: "incoming" })
    }))

  it.effect("is taken back when it expires, wherever the task goes", () =>
    Effect.gen(function*() {
      const { claim, create, grow, post, states, tick } = yield* start
      yield* create("usual")
      yield* create("spent", { max_lease_losses: 1 })
      yield* create("cancelled")
      yield* create("late", { max_attempt_seconds: 30 })
      yield* create("good")
      for (let i = 0; i < 5; i++) yield* claim()
      yield* create("review", { queue: "provisional" })
      yield* claim({ queue: "provisional" })
      yield* post("tasks/cancelled/cancel", { reason: "no more" })
      for (const id of ["usual", "spent", "cancelled", "late", "review"]) grow(id)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* tick).reaped, 6)
      assert.deepStrictEqual(states(), {
        usual: "incoming",
        spent: "failed",
        cancelled: "cancelled",
        late: "incoming",
        good: "incoming",
        review: "provisional"
      })
    }))

  it.effect("fifty of them do not hold up fifty others", () =>
    Effect.gen(function*() {
      const { claim, create, grow, raw, states, tick } = yield* start
      for (let i = 0; i < 100; i++) {
        yield* create(`t${i}`)
        yield* claim()
        yield* TestClock.adjust("1 millis")
      }
      grow("t49", 2)
      const first = "id GLOB 't[0-9]' OR id GLOB 't[1-4][0-9]'"
      raw.exec(`UPDATE tasks SET content = (SELECT content FROM tasks WHERE id = 't49') WHERE ${first}`)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* tick).reaped, 100)
      assert.deepStrictEqual(new Set(Object.values(states())), new Set(["incoming"]))
    }))
})

describe("A blocker of a task that is too large", () => {
  for (const verb of ["fail", "cancel"]) {
    it.effect(`can be ended: ${verb}`, () =>
      Effect.gen(function*() {
        const { create, grow, post, states } = yield* start
        yield* create("up")
        yield* create("fails", { depends_on: [{ task_id: "up", on_failure: "fail" }] })
        yield* create("skips", { depends_on: [{ task_id: "up", on_failure: "skip" }] })
        yield* create("below", { depends_on: [{ task_id: "fails", on_failure: "fail" }] })
        for (const id of ["fails", "skips"]) grow(id)
        assert.strictEqual((yield* post(`tasks/up/${verb}`, { reason: "broken" })).status, 200)
        const { up, ...rest } = states()
        assert.strictEqual(up, verb === "fail" ? "failed" : "cancelled")
        assert.deepStrictEqual(rest, { fails: "failed", skips: "incoming", below: "failed" })
      }))
  }

  it.effect("can be accepted, deleted, and brought back", () =>
    Effect.gen(function*() {
      const { create, get, grow, post, send } = yield* start
      for (const id of ["one", "two"]) yield* create(id)
      yield* create("waits", { depends_on: ["one", "two"] })
      grow("waits", 200)
      yield* post("tasks/one/force-queue", { queue: "done", reason: "by hand" })
      assert.strictEqual((yield* get("tasks/waits?content=false")).blocked_by, "two")
      const back = yield* post("tasks/one/force-queue", { queue: "incoming", reason: "by hand" })
      assert.strictEqual(back.status, 200)
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/two")).status, 200)
      assert.strictEqual((yield* get("tasks/waits?content=false")).blocked_by, "one")
    }))
})

describe("A record that is too large", () => {
  it.effect("is listed, polled, read, exported and deleted like any other", () =>
    Effect.gen(function*() {
      const { create, get, grow, send, states } = yield* start
      for (const id of ["big", "good"]) yield* create(id, { queue: "provisional" })
      // A sorted list has the records and the columns that sort them.
      grow("big", 1000)
      for (
        const query of ["", "?content=false", "?queue=provisional", "?sort=priority", "?limit=1"]
      ) {
        const page = yield* get(`tasks${query}`)
        assert.isAtLeast(page.tasks?.length ?? 0, 1, query)
      }
      assert.deepStrictEqual(ids((yield* get("scheduler/poll")).provisional_tasks), ["big", "good"])
      assert.isAbove((yield* get("tasks/big")).content.length, 1_900_000)
      assert.strictEqual((yield* get("tasks/big/history")).total, 1)
      assert.isDefined((yield* get("export")).records)
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/big")).status, 200)
      assert.deepStrictEqual(states(), { good: "provisional" })
    }))

  it.effect("is moved if that does not make it larger; under a key the repetition gets the same answer", () =>
    Effect.gen(function*() {
      const { create, grow, post, states } = yield* start
      for (const id of ["accepted", "requeued"]) {
        yield* create(id, { queue: "provisional" })
        grow(id, 200)
      }
      for (
        const [id, verb, body] of [
          ["accepted", "accept", { accepted_by: "ann" }],
          ["requeued", "requeue", {}]
        ] as const
      ) {
        const first = yield* post(`tasks/${id}/${verb}`, body, key(id))
        assert.strictEqual(first.status, 200, JSON.stringify(first.body).slice(0, 300))
        const again = yield* post(`tasks/${id}/${verb}`, body, key(id))
        assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
        assert.deepStrictEqual(again.body, first.body)
      }
      assert.deepStrictEqual(states(), { accepted: "done", requeued: "incoming" })
    }))

  it.effect("gets 413 if a change would make it larger, and stays unchanged", () =>
    Effect.gen(function*() {
      const { claim, create, get, grow, post, send } = yield* start
      yield* create("big")
      const { fencing_token } = (yield* claim()).body
      grow("big")
      const before = yield* get("tasks/big")
      const refused = [
        yield* post("tasks/big/submit", { commits_count: 1, turns_used: 1, execution_notes: "x".repeat(1000) }),
        yield* post(
          "tasks/big/submit",
          { commits_count: 1, turns_used: 1, execution_notes: "x".repeat(1000) },
          key("s")
        ),
        yield* send("PATCH", "/api/v1/tasks/big", { title: "x".repeat(1000) }),
        yield* send("PATCH", "/api/v1/tasks/big", { metadata: { a: "x".repeat(1000) } }),
        yield* post("tasks/big/fail", { reason: "x".repeat(1000), fencing_token })
      ]
      for (const { body, status } of refused) {
        assert.strictEqual(status, 413, JSON.stringify(body).slice(0, 300))
        assert.deepInclude(body, { _tag: "TooLarge", field: "record" })
      }
      assert.deepStrictEqual(yield* get("tasks/big"), before)
      const less = yield* send("PATCH", "/api/v1/tasks/big", { content: "less" })
      assert.strictEqual(less.status, 200)
      assert.strictEqual((yield* post("tasks/big/submit", { commits_count: 1, turns_used: 1 })).status, 200)
    }))

  it.effect("is found by the doctor", () =>
    Effect.gen(function*() {
      const { create, grow, raw } = yield* start
      yield* create("good")
      yield* create("big")
      const check = integrity.find(({ name }) => name === "no task is larger than claims hand out")!
      assert.deepStrictEqual(raw.prepare(check.sql).all(), [])
      grow("big")
      assert.deepStrictEqual(raw.prepare(check.sql).all().map(({ id }) => id), ["big"])
    }))

  it.effect("can be shortened, whichever field is too large", () =>
    Effect.gen(function*() {
      const { create, raw, send } = yield* start
      const fields = ["title", "metadata", "hooks", "checks", "execution_notes", "branch", "staging_url"]
      for (const field of fields) {
        yield* create(field)
        raw.prepare(`UPDATE tasks SET ${field} = ? WHERE id = ?`).run(`"${"\\\"".repeat(900_000)}"`, field)
        const { body, status } = yield* send("PATCH", `/api/v1/tasks/${field}`, { [field]: "less" })
        assert.strictEqual(status, 200, `${field}: ${JSON.stringify(body).slice(0, 300)}`)
      }
    }))
})
