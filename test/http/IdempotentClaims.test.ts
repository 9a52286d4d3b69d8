/** A claim repeated under its idempotency key: the same lease for as long as it is held, and the truth afterwards. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const setup = Effect.gen(function*() {
  const faulty = Faulty.make()
  const { send } = yield* server.make({}, faulty.open)
  const post = (path: string, body: object = {}, key?: string) =>
    send("POST", `/api/v1${path}`, body, key === undefined ? {} : { "idempotency-key": key })
  yield* post("/orchestrators/register", { cluster: "k", machine_id: "m" })
  for (const id of ["a", "b", "c"]) yield* post("/tasks", { id, file_path: id, branch: "b" })
  const claim = (key?: string, rest: object = {}) =>
    post("/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", ...rest }, key)
  const grants = () => Faulty.everything(faulty.raw).history!.filter(({ event }: any) => event === "claimed").length
  return { ...faulty, send, post, claim, grants }
})

const replayed = ({ headers }: server.Answer) => headers.get("idempotent-replayed") === "true"

describe("a claim under a key", () => {
  it.effect("gets the same task, as it is now, although others are ready", () =>
    Effect.gen(function*() {
      const { claim, grants, send } = yield* setup
      const first = yield* claim("1")
      const again = yield* claim("1")
      assert.deepStrictEqual(again.body, first.body)
      assert.isTrue(replayed(again))
      yield* send("PATCH", "/api/v1/tasks/a", { title: "t" })
      const changed = yield* claim("1")
      assert.include(changed.body, { id: "a", fencing_token: 1, title: "t", version: 3 })
      assert.strictEqual(grants(), 1)
    }))

  it.effect("gets the same task if no other is ready, in one round trip", () =>
    Effect.gen(function*() {
      const { claim, grants } = yield* setup
      yield* claim()
      yield* claim()
      const last = yield* claim("1")
      const again = yield* claim("1")
      assert.deepStrictEqual([again.body, replayed(again)], [last.body, true])
      assert.match(String(again.headers.get("server-timing")), /trips=1 /)
      assert.strictEqual(grants(), 3)
      // Nothing was granted under this key, so it is free to be tried again.
      const empty = yield* claim("2")
      assert.strictEqual(empty.status, 404)
    }))

  it.effect("may wait for another time when it is repeated, and for nothing else", () =>
    Effect.gen(function*() {
      const { claim, grants } = yield* setup
      const first = yield* claim("1", { wait_seconds: 20 })
      const again = yield* claim("1", { wait_seconds: 0 })
      assert.deepStrictEqual([again.body, replayed(again)], [first.body, true])
      assert.strictEqual((yield* claim("1", { wait_seconds: 0, queue: "incoming" })).status, 422)
      assert.strictEqual(grants(), 1)
    }))

  it.effect("two claims of one agent in the same millisecond are two leases", () =>
    Effect.gen(function*() {
      const { claim } = yield* setup
      const both = yield* Effect.all([claim("1"), claim("2")], { concurrency: 2 })
      const again = yield* Effect.all([claim("2"), claim("1")], { concurrency: 2 })
      assert.deepStrictEqual(again.map(({ body }) => body), both.map(({ body }) => body).toReversed())
      assert.sameMembers(both.map(({ body }) => body.id), ["a", "b"])
    }))

  it.effect("an empty claim is tried again", () =>
    Effect.gen(function*() {
      const { claim } = yield* setup
      const empty = yield* claim("1", { queue: "provisional" })
      assert.strictEqual(empty.status, 404)
      // Nothing was kept, so the key is free for any request.
      assert.strictEqual((yield* claim("1")).body.id, "a")
    }))

  it.effect("a review is also claimed once", () =>
    Effect.gen(function*() {
      const { claim, post } = yield* setup
      yield* post("/tasks", { id: "r", file_path: "r", branch: "b", queue: "provisional" })
      const first = yield* claim("1", { queue: "provisional" })
      assert.include(first.body, { id: "r", queue: "provisional" })
      assert.deepStrictEqual((yield* claim("1", { queue: "provisional" })).body, first.body)
    }))

  it.effect("a lease that is over is not granted again", () =>
    Effect.gen(function*() {
      const { claim, grants, post, send } = yield* setup
      yield* claim("1")
      yield* post("/tasks/a/submit", { commits_count: 1, turns_used: 1 })
      const submitted = yield* claim("1")
      assert.strictEqual(submitted.status, 409)
      assert.include(submitted.body, { _tag: "LeaseLost", task_id: "a", queue: "provisional", claimed_by: null })
      yield* post("/tasks/a/reject", { reason: "r", rejected_by: "x" })
      const other = yield* claim("2", { agent_name: "bob" })
      assert.include(other.body, { id: "a", fencing_token: 2 })
      const taken = yield* claim("1")
      assert.include(taken.body, { _tag: "LeaseLost", claimed_by: "bob" })
      yield* send("DELETE", "/api/v1/tasks/a")
      const deleted = yield* claim("1")
      assert.deepStrictEqual([deleted.status, deleted.body._tag], [404, "TaskNotFound"])
      assert.strictEqual(grants(), 2)
    }))

  it.effect("a lease that expired and was taken back is over", () =>
    Effect.gen(function*() {
      const { claim, grants } = yield* setup
      yield* claim()
      yield* claim()
      yield* claim("1", { lease_duration_seconds: 60 })
      yield* TestClock.adjust("2 minutes")
      const lapsed = yield* claim("1", { lease_duration_seconds: 60 })
      // The task is claimable again, and so this would have been a grant, had it not been the same claim.
      assert.include([200, 409], lapsed.status)
      assert.strictEqual(lapsed.body.id ?? lapsed.body.task_id, "c")
      assert.strictEqual(grants(), 3)
      assert.strictEqual((yield* claim()).body.id, "c")
      const lost = yield* claim("1", { lease_duration_seconds: 60 })
      assert.include(lost.body, { _tag: "LeaseLost", task_id: "c", claimed_by: "ann" })
    }))

  it.effect("a role that claims from another queue gets its task once", () =>
    Effect.gen(function*() {
      const { claim, grants, post } = yield* setup
      yield* post("/roles/register", { orchestrator_id: "k-m", roles: [{ name: "qa", claims_from: "tested" }] })
      for (const id of ["q1", "q2"]) {
        yield* post("/tasks", { id, file_path: id, branch: "b", queue: "tested", role: "qa" })
      }
      const first = yield* claim("1", { role_filter: "qa" })
      assert.strictEqual(first.body.id, "q1")
      assert.deepStrictEqual((yield* claim("1", { role_filter: "qa" })).body, first.body)
      assert.strictEqual(grants(), 1)
    }))

  it.effect("a lost answer leaves no unknown lease", () =>
    Effect.gen(function*() {
      const { claim, faults, grants } = yield* setup
      faults.push("lost answer")
      assert.strictEqual((yield* claim("1")).status, 503)
      assert.strictEqual(grants(), 1)
      assert.strictEqual((yield* claim("1")).body.id, "a")
      assert.strictEqual(grants(), 1)
    }))

  it.effect("is answered that its lease expired, and that a renewal re-attaches it", () =>
    Effect.gen(function*() {
      const { claim, post } = yield* setup
      const { body: { fencing_token, id } } = yield* claim("1")
      yield* TestClock.adjust("300 seconds")
      // The claim of another agent takes the lease back, and gets another task.
      yield* claim(undefined, { queue: "provisional" })
      const again = yield* claim("1")
      assert.deepInclude(again.body, { _tag: "LeaseLost", task_id: id, reason: "expired", queue: "incoming" })
      assert.include(again.body.error, "Renew it")
      assert.strictEqual((yield* post(`/tasks/${id}/renew`, { fencing_token })).body.reattached, true)
    }))

  it.effect("learns nothing of a task of another scope with the old id", () =>
    Effect.gen(function*() {
      const { claim, post, send } = yield* setup
      const { body: { id } } = yield* claim("1")
      yield* send("DELETE", `/api/v1/tasks/${id}`)
      yield* post("/orchestrators/register", { cluster: "k", machine_id: "m", scope: "other" })
      yield* post("/tasks", { id, file_path: id, branch: "b", scope: "other" })
      yield* claim(undefined, { scope: "other", agent_name: "eve" })
      const again = yield* claim("1")
      assert.deepStrictEqual([again.status, again.body._tag], [404, "TaskNotFound"])
    }))
})
