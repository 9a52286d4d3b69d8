/** Breakers stop claims when many different tasks fail alike, and let single tasks through until one succeeds. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { MaxSeconds, MaxThreshold } from "../../src/domain/record/Breaker.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const work = { commits_count: 1, turns_used: 1 }

const start = Effect.gen(function*() {
  const { db, raw } = migrated()
  const { send } = yield* server.make({ BACKOFF_SECONDS: "0" }, () => db)
  const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    send("POST", `/api/v1/${path}`, body, headers)
  const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
  const set = (body: object) => send("PUT", "/api/v1/breakers", body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  for (const id of ["p", "q"]) yield* post("projects", { id, title: id, branch: "b" })
  const create = (id: string, rest: object = {}) =>
    post("tasks", { id, file_path: `TASK-${id}.md`, branch: "b", ...rest })
  const claim = (rest: object = {}) =>
    post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60, ...rest })
  /** Claims the next task and ends the attempt. */
  const end = Effect.fnUntraced(function*(how: "fail" | "requeue" | "submit", body: object) {
    const task = (yield* claim()).body
    return yield* post(`tasks/${task.id}/${how}`, { fencing_token: task.fencing_token, ...body })
  })
  const events = Effect.map(
    get("events?types=breaker_opened,breaker_closed"),
    ({ events }: any) => events.map(({ event, project_id, reason }: any) => [event, project_id, reason])
  )
  const breaker = Effect.map(get("breakers"), ({ breakers }: any) => breakers[0])
  return { breaker, claim, create, end, events, get, post, raw, send, set }
})

const reason = (n: number) => `Rate limit 429 after ${n}s for "task ${n}" in /work/tree-${n}/x.ts`

describe("a breaker", () => {
  it.effect("opens when different tasks fail alike, and nothing is claimed in its scope", () =>
    Effect.gen(function*() {
      const { claim, create, end, events, get, send, set } = yield* start
      assert.strictEqual((yield* set({ threshold: 3, wait_seconds: 60 })).status, 200)
      for (let n = 0; n < 5; n++) yield* create(`t${n}`)
      yield* end("fail", { reason: reason(1) })
      yield* end("fail", { reason: "The tests fail." })
      yield* end("fail", { reason: reason(2) })
      assert.deepStrictEqual(yield* events, [])
      yield* end("requeue", { reason: reason(3) })
      assert.deepStrictEqual(yield* events, [["breaker_opened", null, reason(3)]])
      const empty = yield* claim()
      assert.deepStrictEqual([empty.status, empty.body.reason, empty.body.retry_after_seconds], [
        404,
        "breaker_open",
        60
      ])
      assert.deepStrictEqual(empty.body.breaker, {
        project_id: null,
        opened_at: "1970-01-01T00:00:00.000Z",
        reason: reason(3),
        next_canary_at: "1970-01-01T00:01:00.000Z",
        canary_task_id: null
      })
      const explained = yield* get("tasks/t4/explain")
      assert.deepStrictEqual([explained.claimable, explained.reasons[0].reason, explained.reasons[0].until], [
        false,
        "breaker_open",
        "1970-01-01T00:01:00.000Z"
      ])
      assert.include(empty.body.error, "POST /api/v1/breakers/close")
      const { breakers } = yield* get("breakers")
      assert.deepStrictEqual([breakers.length, breakers[0].state, breakers[0].tripped_by], [1, "open", "t3"])
      const [event] = (yield* get("events?types=breaker_opened")).events
      assert.deepStrictEqual([event.task_id, event.version, event.details.task_id, event.details.tasks], [
        null,
        null,
        "t3",
        3
      ])
      assert.strictEqual((yield* send("GET", "/api/v1/events")).body.gap, false)
    }))

  it.effect("counts each task once, and neither what happened before the window nor what nobody held", () =>
    Effect.gen(function*() {
      const { claim, create, end, events, post, set } = yield* start
      yield* set({ threshold: 2, window_seconds: 60 })
      yield* create("a")
      for (let n = 0; n < 4; n++) yield* end("requeue", { reason: reason(n) })
      assert.deepStrictEqual(yield* events, [])
      yield* TestClock.adjust("60 seconds")
      yield* create("b", { priority: "P0" })
      yield* end("fail", { reason: reason(9) })
      yield* create("c")
      // Nobody works on it: an operator gives it up.
      yield* post("tasks/c/fail", { reason: reason(8) })
      assert.deepStrictEqual(yield* events, [])
      // Attempts that say no reason are not alike.
      yield* create("d")
      for (const _ of [1, 2]) yield* end("requeue", {})
      assert.deepStrictEqual(yield* events, [])
      assert.strictEqual((yield* claim()).status, 200)
    }))

  it.effect("counts a task that failed twice once, when another one fails", () =>
    Effect.gen(function*() {
      const { create, end, events, set } = yield* start
      yield* set({ threshold: 3 })
      yield* create("a", { priority: "P0" })
      for (const n of [1, 2]) yield* end("requeue", { reason: reason(n) })
      yield* end("fail", { reason: reason(3) })
      for (const id of ["b", "c"]) {
        assert.deepStrictEqual(yield* events, [])
        yield* create(id)
        yield* end("fail", { reason: reason(4) })
      }
      assert.lengthOf(yield* events, 1)
    }))

  it.effect("is not closed by a task that was its canary under an earlier lease", () =>
    Effect.gen(function*() {
      const { breaker, claim, create, end, post, send, set } = yield* start
      yield* set({ threshold: 2, wait_seconds: 100 })
      for (let n = 0; n < 3; n++) yield* create(`t${n}`)
      for (const n of [1, 2]) yield* end("fail", { reason: reason(n) })
      yield* TestClock.adjust("100 seconds")
      const { fencing_token, id } = (yield* claim()).body
      yield* post(`tasks/${id}/requeue`, { release: true, fencing_token })
      // An operator gives it to somebody by hand, which asks no breaker.
      const given = yield* send("PATCH", `/api/v1/tasks/${id}`, { claimed_by: "eve" })
      assert.isAbove(given.body.fencing_token, fencing_token)
      yield* post(`tasks/${id}/submit`, { ...work, fencing_token: given.body.fencing_token })
      assert.strictEqual((yield* breaker).state, "open")
    }))

  it.effect("of a project stops that project alone", () =>
    Effect.gen(function*() {
      const { claim, create, end, events, get, set } = yield* start
      yield* create("early", { project_id: "q", priority: "P3" })
      yield* set({ project_id: "p", threshold: 2 })
      for (let n = 0; n < 4; n++) yield* create(`p${n}`, { project_id: "p", priority: "P1" })
      yield* create("plain", { priority: "P2" })
      yield* end("fail", { reason: reason(1) })
      yield* end("fail", { reason: reason(2) })
      assert.deepStrictEqual(yield* events, [["breaker_opened", "p", reason(2)]])
      assert.strictEqual((yield* claim()).body.id, "plain")
      assert.strictEqual((yield* claim({ role_filter: [] })).body.id, "early")
      assert.strictEqual((yield* claim()).body.reason, "breaker_open")
      assert.deepStrictEqual((yield* get("projects/p")).counts, { failed: 2, incoming: 2 })
      const ofProject = yield* get("events?project_id=p&types=breaker_opened")
      assert.strictEqual(ofProject.events.length, 1)
    }))

  it.effect("lets one canary through after the wait, and closes when that is submitted", () =>
    Effect.gen(function*() {
      const { breaker, claim, create, end, events, post, set } = yield* start
      yield* set({ threshold: 2, wait_seconds: 30 })
      for (let n = 0; n < 6; n++) yield* create(`t${n}`)
      for (const n of [1, 2]) yield* end("fail", { reason: reason(n) })
      yield* TestClock.adjust("29 seconds")
      assert.strictEqual((yield* claim()).status, 404)
      yield* TestClock.adjust("1 seconds")
      const canary = (yield* claim()).body
      assert.strictEqual(canary.id, "t2")
      const next = yield* claim()
      assert.deepStrictEqual([next.body.reason, next.body.breaker.canary_task_id], ["breaker_open", "t2"])
      assert.deepStrictEqual([(yield* breaker).state, (yield* breaker).canary_task_id], ["half_open", "t2"])
      // Nothing else is claimed while it works, however long that takes.
      yield* TestClock.adjust("50 seconds")
      yield* post("tasks/t2/renew", { fencing_token: canary.fencing_token })
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual((yield* claim()).status, 404)
      yield* post("tasks/t2/submit", { ...work, fencing_token: canary.fencing_token })
      assert.strictEqual((yield* breaker).state, "closed")
      assert.deepStrictEqual((yield* events).map(([event]: any) => event), ["breaker_opened", "breaker_closed"])
      assert.strictEqual((yield* claim()).status, 200)
      // What had failed before is forgotten.
      yield* end("fail", { reason: reason(7) })
      assert.strictEqual((yield* breaker).state, "closed")
    }))

  it.effect("waits twice as long after each canary that fails, and ignores what was at work before", () =>
    Effect.gen(function*() {
      const { breaker, claim, create, end, events, post, set } = yield* start
      yield* set({ threshold: 2, wait_seconds: 40_000 })
      for (let n = 0; n < 6; n++) yield* create(`t${n}`)
      const before = (yield* claim({ lease_duration_seconds: 86_400 })).body
      for (const n of [1, 2]) yield* end("fail", { reason: reason(n) })
      yield* TestClock.adjust("40000 seconds")
      const first = (yield* claim()).body
      yield* post(`tasks/${before.id}/submit`, { ...work, fencing_token: before.fencing_token })
      assert.strictEqual((yield* breaker).state, "half_open")
      yield* post(`tasks/${first.id}/fail`, { fencing_token: first.fencing_token, reason: "Another reason." })
      assert.deepStrictEqual([(yield* breaker).state, (yield* breaker).failed_canaries], ["open", 1])
      yield* TestClock.adjust("79999 seconds")
      assert.strictEqual((yield* claim()).status, 404)
      yield* TestClock.adjust("1 seconds")
      yield* end("requeue", {})
      // The wait ends at a day.
      yield* TestClock.adjust(`${MaxSeconds - 1} seconds`)
      assert.strictEqual((yield* claim()).status, 404)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* claim()).status, 200)
      assert.deepStrictEqual((yield* events).map(([event]: any) => event), [
        "breaker_opened",
        "breaker_opened",
        "breaker_opened"
      ])
    }))

  it.effect("gives another canary if the first one vanished", () =>
    Effect.gen(function*() {
      const { breaker, claim, create, end, post, set } = yield* start
      yield* set({ threshold: 2, wait_seconds: 100 })
      for (let n = 0; n < 5; n++) yield* create(`t${n}`)
      for (const n of [1, 2]) yield* end("fail", { reason: reason(n) })
      yield* TestClock.adjust("100 seconds")
      const lost = (yield* claim()).body
      // Its lease has ended, and the wait has not.
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual((yield* claim()).status, 404)
      assert.strictEqual((yield* breaker).state, "open")
      yield* TestClock.adjust("39 seconds")
      const second = (yield* claim()).body
      assert.strictEqual(second.id, lost.id)
      // The old lease says nothing any more.
      yield* post(`tasks/${lost.id}/submit`, { ...work, fencing_token: lost.fencing_token })
      assert.strictEqual((yield* breaker).state, "half_open")
      yield* post(`tasks/${lost.id}/requeue`, { release: true, fencing_token: second.fencing_token })
      assert.strictEqual((yield* breaker).state, "open")
    }))

  it.effect("is closed by an operator, once, and turned off", () =>
    Effect.gen(function*() {
      const { breaker, claim, create, end, events, get, post, set } = yield* start
      yield* set({ threshold: 2 })
      for (let n = 0; n < 6; n++) yield* create(`t${n}`)
      for (const n of [1, 2]) yield* end("fail", { reason: reason(n) })
      const key = { "idempotency-key": "one" }
      const closing = { reason: "The key is paid.", closed_by: "eve" }
      assert.strictEqual((yield* post("breakers/close", closing, key)).body.state, "closed")
      assert.strictEqual((yield* post("breakers/close", closing, key)).body.state, "closed")
      assert.strictEqual((yield* post("breakers/close", closing)).body.state, "closed")
      assert.deepStrictEqual((yield* events).slice(1), [["breaker_closed", null, "The key is paid."]])
      assert.strictEqual((yield* claim()).status, 200)
      for (const n of [3, 4]) yield* end("fail", { reason: reason(n) })
      assert.strictEqual((yield* breaker).state, "open")
      assert.strictEqual((yield* set({ threshold: null })).body.threshold, null)
      assert.deepStrictEqual(yield* get("breakers"), { scope: "default", breakers: [] })
      assert.strictEqual((yield* claim()).status, 200)
      assert.strictEqual((yield* events).at(-1)[0], "breaker_closed")
      assert.deepStrictEqual([(yield* post("breakers/close")).status, (yield* post("breakers/close")).body._tag], [
        404,
        "BreakerNotFound"
      ])
    }))

  it.effect("is refused beyond its limits, and of a project that does not exist", () =>
    Effect.gen(function*() {
      const { get, send, set } = yield* start
      const refused = [{ threshold: 1 }, { threshold: MaxThreshold + 1 }, { threshold: 2, wait_seconds: 0 }, {
        threshold: 2,
        window_seconds: MaxSeconds + 1
      }]
      for (const body of refused) assert.strictEqual((yield* set(body)).status, 400)
      assert.strictEqual((yield* set({ threshold: 2, project_id: "nowhere" })).status, 404)
      assert.strictEqual((yield* set({ threshold: 2, project_id: "p" })).status, 200)
      assert.strictEqual((yield* send("DELETE", "/api/v1/projects/p")).status, 200)
      assert.deepStrictEqual((yield* get("breakers")).breakers, [])
    }))
})
