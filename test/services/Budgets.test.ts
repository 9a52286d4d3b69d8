/** Budgets, setbacks and redrive: when a task fails, what it remembers, and how it is tried again. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { excerpt, MaxReason } from "../../src/domain/Excerpt.ts"
import { ServicesLayer, servicesWith } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"

const limited = Effect.provide(
  servicesWith({ MAX_ATTEMPTS: "3", MAX_LEASE_LOSSES: "2", MAX_REJECTIONS: "2" }),
  { local: true }
)
const unlimited = Effect.provide(ServicesLayer, { local: true })
const lapse = (reap: Effect.Effect<number>) => Effect.andThen(TestClock.adjust("60 seconds"), reap)

describe("a budget", () => {
  it.effect("of attempts is spent by the last attempt, not earlier", () =>
    Effect.gen(function*() {
      const { claim, last, queue } = yield* begin()
      for (const expected of ["incoming", "incoming", "failed"]) {
        yield* claim()
        assert.strictEqual((yield* queue.requeue(id, { reason: "no luck" }, undefined)).queue, expected)
      }
      const task = yield* queue.get(id, undefined)
      assert.deepInclude(task, {
        attempt_count: 3,
        failure_reason: "The budget of 3 attempts is spent. Last: no luck",
        execution_notes: null
      })
      assert.deepInclude(yield* last, {
        event: "requeued",
        to_queue: "failed",
        reason: "no luck",
        details: { budget: "max_attempts", limit: 3 }
      })
      assert.strictEqual((yield* Effect.flip(claim()))._tag, "NoTasksAvailable")
    }).pipe(limited))

  it.effect("of lost leases is spent by the reaper, and by claims", () =>
    Effect.gen(function*() {
      const { claim, counts, get, reap } = yield* begin()
      yield* claim()
      yield* lapse(reap)
      assert.strictEqual((yield* get).queue, "incoming")
      yield* claim()
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual((yield* Effect.flip(claim()))._tag, "NoTasksAvailable")
      assert.deepInclude(yield* get, {
        queue: "failed",
        lease_losses: 2,
        failure_reason: "The budget of 2 lost leases is spent. Last: The lease ran out."
      })
      assert.deepInclude(yield* counts, { failed: 1 })
    }).pipe(limited))

  it.effect("of rejections is spent by the last rejection; the limit of the task comes first, and 0 means none", () =>
    Effect.gen(function*() {
      const { claim, get, queue } = yield* begin({ max_rejections: 1 })
      const rejected = Effect.gen(function*() {
        yield* claim()
        yield* queue.submit(id, { commits_count: 1, turns_used: 1 }, undefined)
        return yield* queue.reject(id, { reason: "wrong", rejected_by: "rev" }, undefined)
      })
      assert.deepInclude(yield* rejected, {
        queue: "failed",
        failure_reason: "The budget of 1 rejection is spent. Last: wrong",
        last_rejection_reason: "wrong"
      })
      yield* queue.redrive(id, {}, undefined)
      yield* queue.patch(id, { max_rejections: 0 }, undefined)
      for (const _ of [1, 2, 3]) assert.strictEqual((yield* rejected).queue, "incoming")
      yield* queue.patch(id, { max_rejections: null }, undefined)
      assert.strictEqual((yield* rejected).queue, "failed")
      assert.strictEqual((yield* get).rejection_count, 4)
    }).pipe(limited))

  it.effect("of attempts is not used by five lost leases, nor by released work", () =>
    Effect.gen(function*() {
      const { claim, get, queue, reap, row } = yield* begin({ max_attempts: 2, max_lease_losses: 0 })
      for (const _ of [1, 2, 3, 4, 5]) {
        yield* claim()
        yield* lapse(reap)
      }
      for (const _ of [1, 2, 3]) {
        yield* claim()
        yield* queue.requeue(id, { release: true, reason: "not mine" }, undefined)
      }
      assert.deepInclude(yield* get, { queue: "incoming", attempt_count: 5, lease_losses: 5 })
      assert.lengthOf(JSON.parse(String((yield* row).setbacks)), 5)
      yield* claim()
      assert.strictEqual((yield* queue.requeue(id, {}, undefined)).queue, "incoming")
      yield* claim()
      assert.deepInclude(yield* queue.requeue(id, {}, undefined), {
        queue: "failed",
        attempt_count: 7,
        failure_reason: "The budget of 2 attempts is spent."
      })
    }).pipe(limited))

  it.effect("of attempts is used by an attempt that misses its deadline, which counts as no lost lease", () =>
    Effect.gen(function*() {
      const { claim, get, last, reap, row, write } = yield* begin({ max_attempts: 2 })
      yield* claim()
      yield* write({ deadline_at: 60_000 })
      yield* lapse(reap)
      assert.deepInclude(yield* get, { queue: "incoming", attempt_count: 1, lease_losses: 0 })
      assert.deepInclude(yield* last, { event: "deadline_exceeded", actor: "ann" })
      assert.strictEqual((yield* row).lapsed_token, null)
      yield* claim()
      yield* write({ deadline_at: 120_000 })
      yield* lapse(reap)
      assert.deepInclude(yield* get, { queue: "failed", attempt_count: 2, lease_losses: 0 })
    }).pipe(unlimited))

  it.effect("limits nothing by default", () =>
    Effect.gen(function*() {
      const { claim, queue, reap } = yield* begin()
      for (const _ of [1, 2, 3, 4, 5, 6]) {
        yield* claim()
        yield* queue.requeue(id, {}, undefined)
        yield* claim()
        yield* lapse(reap)
        yield* claim()
        assert.strictEqual(
          (yield* queue.reject(id, { reason: "r", rejected_by: "x" }, undefined)).queue,
          "incoming"
        )
      }
    }).pipe(unlimited))
})

describe("setbacks", () => {
  it.effect("are the last ten, newest last, each with 2,000 characters of its reason", () =>
    Effect.gen(function*() {
      const { claim, queue, row } = yield* begin()
      for (let i = 1; i <= 12; i++) {
        yield* claim()
        yield* TestClock.adjust("1 second")
        yield* queue.requeue(id, { reason: `${i} ${"😀".repeat(3000)}` }, undefined)
      }
      const setbacks = JSON.parse(String((yield* row).setbacks))
      assert.deepStrictEqual(setbacks.map(({ at }: { readonly at: number }) => at / 1000), [
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
        12
      ])
      assert.deepInclude(setbacks[9], { event: "requeued", actor: "ann", fencing_token: 12 })
      assert.strictEqual(setbacks[9].reason, excerpt(`12 ${"😀".repeat(3000)}`, MaxReason))
      assert.isAtMost(setbacks[9].reason.length, 2000)
    }).pipe(unlimited))
})

describe("redrive", () => {
  it.effect("sets the counters to zero, and keeps the setbacks", () =>
    Effect.gen(function*() {
      const { claim, last, queue, row } = yield* begin({ max_attempts: 1 })
      yield* claim()
      yield* queue.requeue(id, { reason: "hard" }, undefined)
      const failed = yield* queue.get(id, undefined)
      assert.strictEqual(failed.queue, "failed")
      const again = yield* queue.redrive(
        id,
        { reason: "fixed", redriven_by: "bob", version: failed.version },
        undefined
      )
      assert.deepInclude(again, {
        queue: "incoming",
        version: failed.version + 1,
        attempt_count: 0,
        lease_losses: 0,
        rejection_count: 0,
        failure_reason: null,
        available_at: null
      })
      assert.deepInclude(yield* last, {
        event: "redriven",
        from_queue: "failed",
        to_queue: "incoming",
        actor: "bob",
        reason: "fixed"
      })
      assert.lengthOf(JSON.parse(String((yield* row).setbacks)), 1)
      assert.strictEqual((yield* claim()).id, id)
      assert.strictEqual((yield* Effect.flip(queue.redrive(id, {}, undefined)))._tag, "InvalidTransition")
    }).pipe(unlimited))

  it.effect("shows the reason of a failure as long as the task is in failed", () =>
    Effect.gen(function*() {
      const { claim, get, queue } = yield* begin()
      yield* claim()
      assert.deepInclude(yield* queue.fail(id, { reason: "broken" }, undefined), {
        failure_reason: "broken",
        execution_notes: "broken"
      })
      yield* queue.patch(id, { queue: "incoming" }, undefined)
      assert.strictEqual((yield* get).failure_reason, null)
      yield* queue.patch(id, { queue: "failed", execution_notes: "by hand" }, undefined)
      assert.strictEqual((yield* get).failure_reason, "by hand")
      yield* queue.patch(id, { title: "still" }, undefined)
      assert.strictEqual((yield* get).failure_reason, "by hand")
      yield* queue.force(id, { queue: "provisional", reason: "look" }, undefined)
      assert.strictEqual((yield* get).failure_reason, null)
    }).pipe(unlimited))
})
