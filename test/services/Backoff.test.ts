/** Backoff: how long a task waits after an attempt, and how it is ready again. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { TaskId } from "../../src/domain/Identifier.ts"
import { type Backoff, longestMillis } from "../../src/domain/lease/Backoff.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { Database } from "../../src/sql/Database.ts"
import { ServicesLayer, servicesWith } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"

/** The delay after this many attempts, in milliseconds; `chance` is from 0 to 1. */
const delayMillis = (attempts: number, backoff: Backoff, chance: number): number =>
  Math.round(longestMillis(attempts, backoff) * (0.5 + 0.5 * chance))

const backoff = { baseSeconds: 10, maxSeconds: 60 }
const backingOff = Effect.provide(servicesWith({ BACKOFF_SECONDS: "10", BACKOFF_MAX_SECONDS: "60" }), { local: true })

describe("backoff", () => {
  it("doubles up to its limit, and half of it is chance", () => {
    assert.deepStrictEqual([1, 2, 3, 4, 5, 40].map((n) => longestMillis(n, backoff) / 1000), [10, 20, 40, 60, 60, 60])
    assert.deepStrictEqual([0, 0.5, 1].map((chance) => delayMillis(2, backoff, chance)), [10_000, 15_000, 20_000])
  })

  it.effect.prop(
    "is within its bounds in SQL, for any number of attempts",
    { tried: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 70 })) },
    ({ tried }) =>
      Effect.gen(function*() {
        const { claim, queue, write } = yield* begin()
        yield* claim()
        yield* write({ attempt_count: tried })
        const { available_at } = yield* queue.requeue(id, {}, undefined)
        const delay = DateTime.toEpochMillis(available_at!)
        assert.isAtLeast(delay, delayMillis(tried + 1, backoff, 0))
        assert.isAtMost(delay, delayMillis(tried + 1, backoff, 1))
      }).pipe(backingOff)
  )

  it.effect("holds a task back to the millisecond; the first claim after that makes it ready and gets it", () =>
    Effect.gen(function*() {
      const { claim, get, queue, row } = yield* begin()
      yield* claim()
      const given = yield* queue.requeue(id, {}, undefined)
      const delay = DateTime.toEpochMillis(given.available_at!)
      yield* TestClock.adjust(delay - 1)
      assert.strictEqual((yield* Effect.flip(claim()))._tag, "NoTasksAvailable")
      assert.strictEqual((yield* get).version, given.version)
      yield* TestClock.adjust(1)
      assert.deepInclude(yield* claim(), { id, available_at: null, version: given.version + 2 })
      const { history } = yield* queue.history(id, undefined)
      assert.deepStrictEqual(history.slice(-2).map(({ actor, event, version }) => [event, actor, version]), [
        ["backoff_ended", null, given.version + 1],
        ["claimed", "ann", given.version + 2]
      ])
      assert.strictEqual((yield* row).available_at, null)
    }).pipe(backingOff))

  it.effect("spreads the tasks that one batch takes back", () =>
    Effect.gen(function*() {
      const { claim, create, queue, reap } = yield* begin()
      const names = Array.from({ length: 30 }, (_, i) => `task-${i}`)
      for (const name of names) yield* create(name)
      for (const _ of [id, ...names]) yield* claim()
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* reap, 31)
      const delays = yield* Effect.forEach(names, (name) =>
        Effect.map(queue.get(TaskId.make(name), undefined), ({ available_at }) =>
          DateTime.toEpochMillis(available_at!) - 60_000))
      assert.strictEqual(new Set(delays).size, 30)
      assert.isAtLeast(Math.min(...delays), 5000)
      assert.isAtMost(Math.max(...delays), 10_000)
      assert.isAbove(Math.max(...delays) - Math.min(...delays), 2000)
    }).pipe(backingOff))

  it.effect("does not follow a rejection, a release, a failure, a cancellation or a review", () =>
    Effect.gen(function*() {
      const { claim, get, queue, reap } = yield* begin({ max_attempts: 1 })
      yield* claim()
      assert.strictEqual((yield* queue.requeue(id, { release: true }, undefined)).available_at, null)
      yield* claim()
      assert.strictEqual((yield* queue.reject(id, { reason: "r", rejected_by: "x" }, undefined)).available_at, null)
      yield* claim()
      assert.deepInclude(yield* queue.requeue(id, {}, undefined), { queue: "failed", available_at: null })
      yield* queue.redrive(id, {}, undefined)
      yield* claim()
      yield* queue.cancel(id, {}, undefined)
      assert.deepInclude(yield* queue.requeue(id, {}, undefined), { queue: "cancelled", available_at: null })
      yield* queue.patch(id, { queue: "provisional" }, undefined)
      yield* claim("provisional")
      yield* TestClock.adjust("60 seconds")
      yield* reap
      assert.deepInclude(yield* get, { queue: "provisional", available_at: null, claimed_by: null })
    }).pipe(backingOff))

  it.effect("ends if someone moves or assigns the task, or its last holder submits", () =>
    Effect.gen(function*() {
      const { claim, get, queue, reap, row } = yield* begin()
      const backs = Effect.gen(function*() {
        yield* claim()
        yield* TestClock.adjust("60 seconds")
        yield* reap
        assert.isNotNull((yield* get).available_at)
      })
      yield* backs
      yield* queue.patch(id, { title: "only described" }, undefined)
      assert.isNotNull((yield* get).available_at)
      yield* queue.submit(id, { commits_count: 1, turns_used: 1 }, undefined)
      assert.deepInclude(yield* get, { queue: "provisional", available_at: null })
      yield* queue.reject(id, { reason: "r", rejected_by: "x" }, undefined)
      yield* backs
      yield* queue.patch(id, { claimed_by: "eve" }, undefined)
      assert.deepInclude(yield* get, { claimed_by: "eve", available_at: null })
      yield* queue.requeue(id, {}, undefined)
      yield* queue.patch(id, { queue: "needs_continuation" }, undefined)
      assert.strictEqual((yield* row).available_at, null)
      yield* queue.patch(id, { queue: "incoming" }, undefined)
      yield* backs
      yield* queue.cancel(id, {}, undefined)
      assert.deepInclude(yield* get, { queue: "cancelled", available_at: null })
    }).pipe(backingOff))

  it.effect("is ended by the cron if it began before backoff was turned off", () =>
    Effect.gen(function*() {
      const { get, row, write } = yield* begin()
      const { tick } = yield* Maintenance
      const { batch, sql } = yield* Database
      const revision = Effect.map(
        batch([sql`SELECT revision FROM queue_counts WHERE scope = 'red'`]),
        ([rows]) => Number(rows![0]!.revision)
      )
      yield* write({ available_at: 1000 })
      yield* tick
      assert.isNotNull((yield* get).available_at)
      yield* TestClock.adjust("1 seconds")
      const { version } = yield* get
      const before = yield* revision
      yield* tick
      assert.deepInclude(yield* row, { available_at: null, version: version + 1 })
      // Conditional reads depend on it: without it a client would still see the task back off.
      assert.strictEqual(yield* revision, before + 1)
    }).pipe(Effect.provide(ServicesLayer, { local: true })))

  it.effect("finds the tasks whose backoff is over by an index", () =>
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const [plan] = yield* batch([sql`
        EXPLAIN QUERY PLAN UPDATE tasks INDEXED BY tasks_backing_off SET available_at = NULL
        WHERE scope = iif(changes() > 0, ${"red"}, NULL) AND available_at IS NOT NULL AND available_at <= ${1}`])
      assert.match(
        String(plan![0]!.detail),
        /SEARCH tasks USING .*tasks_backing_off \(scope=\? AND available_at>\? AND/
      )
    }).pipe(Effect.provide(ServicesLayer, { local: true })))
})
