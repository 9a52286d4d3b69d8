/** Cancelling a task in any queue, and what happens to the work of its holder. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { TaskId } from "../../src/domain/Identifier.ts"
import { ServicesLayer, servicesWith } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"

const provided = Effect.provide(ServicesLayer, { local: true })
const work = { commits_count: 2, turns_used: 3 }
const because = { reason: "not needed", cancelled_by: "bob" }

describe("cancelling a task that nobody holds", () => {
  it.effect("cancels it at once, from every queue that is no end", () =>
    Effect.gen(function*() {
      const { counts, create, queue } = yield* begin()
      const places = [
        ["incoming", {}],
        ["waiting", { blocked_by: "nobody" }],
        ["reviewed", { queue: "provisional" }],
        ["stuck", { queue: "requires-intervention", needs_intervention: true }]
      ] as const
      for (const [name, rest] of places) {
        const { queue: from, version } = yield* create(name, rest)
        const cancelled = yield* queue.cancel(TaskId.make(name), because, undefined)
        assert.deepInclude(cancelled, {
          queue: "cancelled",
          version: version + 1,
          cancel_reason: "not needed",
          cancel_requested_at: null,
          needs_intervention: false
        })
        const { history } = yield* queue.history(TaskId.make(name), undefined)
        assert.deepInclude(history.at(-1), {
          event: "cancelled",
          from_queue: from,
          to_queue: "cancelled",
          actor: "bob",
          reason: "not needed"
        })
      }
      assert.deepInclude(yield* counts, { cancelled: 4, incoming: 1 })
    }).pipe(provided))

  it.effect("is refused if the task has ended", () =>
    Effect.gen(function*() {
      const { create, queue } = yield* begin()
      for (const end of ["done", "failed"]) {
        const { version } = yield* create(end, { queue: end })
        const refused = yield* Effect.flip(queue.cancel(TaskId.make(end), {}, undefined))
        assert.deepInclude(refused, { _tag: "InvalidTransition", queue: end })
        assert.strictEqual((yield* queue.get(TaskId.make(end), undefined)).version, version)
      }
      assert.strictEqual((yield* Effect.flip(queue.cancel(TaskId.make("no"), {}, undefined)))._tag, "TaskNotFound")
      assert.strictEqual((yield* Effect.flip(queue.cancel(id, {}, "blue")))._tag, "TaskNotFound")
      assert.strictEqual((yield* Effect.flip(queue.cancel(id, { version: 9 }, undefined)))._tag, "VersionConflict")
      assert.strictEqual((yield* Effect.flip(queue.cancel(id, { fencing_token: 9 }, undefined)))._tag, "LeaseLost")
    }).pipe(provided))

  it.effect("cancels a task with an expired lease, and its last holder can no longer submit", () =>
    Effect.gen(function*() {
      const { claim, queue, reap } = yield* begin()
      const { fencing_token } = yield* claim()
      yield* TestClock.adjust("60 seconds")
      yield* reap
      assert.strictEqual((yield* queue.cancel(id, {}, undefined)).queue, "cancelled")
      const refused = yield* Effect.flip(queue.submit(id, { ...work, fencing_token }, undefined))
      assert.strictEqual(refused._tag, "LeaseLost")
      assert.strictEqual((yield* Effect.flip(queue.submit(id, work, undefined)))._tag, "InvalidTransition")
    }).pipe(provided))

  it.effect("is undone by a redrive, which clears the reason", () =>
    Effect.gen(function*() {
      const { claim, queue } = yield* begin()
      yield* queue.cancel(id, because, undefined)
      assert.strictEqual((yield* Effect.flip(claim()))._tag, "NoTasksAvailable")
      assert.deepInclude(yield* queue.redrive(id, {}, undefined), { queue: "incoming", cancel_reason: null })
      assert.strictEqual((yield* claim()).id, id)
    }).pipe(provided))
})

describe("cancelling a task that is held", () => {
  const asked = Effect.gen(function*() {
    const one = yield* begin()
    const held = yield* one.claim()
    yield* TestClock.adjust("1 second")
    const task = yield* one.queue.cancel(id, because, undefined)
    return { ...one, held, task }
  })

  it.effect("asks its holder to stop, once, and needs no token", () =>
    Effect.gen(function*() {
      const { held, last, queue, task } = yield* asked
      assert.deepInclude(task, {
        queue: "claimed",
        claimed_by: "ann",
        fencing_token: held.fencing_token,
        version: held.version + 1,
        cancel_reason: "not needed"
      })
      assert.strictEqual(DateTime.toEpochMillis(task.cancel_requested_at!), 1000)
      assert.deepInclude(yield* last, { event: "cancel_requested", from_queue: "claimed", to_queue: "claimed" })
      assert.deepStrictEqual(yield* queue.cancel(id, { reason: "again" }, undefined), task)
      const stale = yield* Effect.flip(queue.cancel(id, { version: held.version }, undefined))
      assert.strictEqual(stale._tag, "VersionConflict")
    }).pipe(Effect.provide(servicesWith({ REQUIRE_FENCING_TOKEN: "true" }), { local: true })))

  it.effect("keeps a result that is submitted nevertheless", () =>
    Effect.gen(function*() {
      const { last, queue } = yield* asked
      const submitted = yield* queue.submit(id, { ...work, execution_notes: "nearly" }, undefined)
      assert.deepInclude(submitted, {
        queue: "cancelled",
        claimed_by: null,
        cancel_requested_at: null,
        cancel_reason: "not needed",
        commits_count: 2,
        execution_notes: "nearly"
      })
      assert.deepInclude(yield* last, { event: "submitted", to_queue: "cancelled", actor: "ann" })
    }).pipe(provided))

  it.effect("leads to done if the holder's result is accepted", () =>
    Effect.gen(function*() {
      const { queue } = yield* asked
      assert.deepInclude(yield* queue.accept(id, { accepted_by: "x" }, undefined), {
        queue: "done",
        cancel_reason: null,
        cancel_requested_at: null
      })
    }).pipe(provided))

  it.effect("cancels a task whose review ends without a verdict", () =>
    Effect.gen(function*() {
      const { claim, get, queue, reap } = yield* begin({ queue: "provisional" })
      yield* claim("provisional")
      assert.strictEqual((yield* queue.cancel(id, {}, undefined)).queue, "provisional")
      yield* TestClock.adjust("60 seconds")
      yield* reap
      assert.deepInclude(yield* get, { queue: "cancelled", claimed_by: null, cancel_reason: null })
    }).pipe(provided))

  const endings = [
    [{ queue: "incoming", claimed_by: null, lease_expires_at: null }, "cancelled"],
    [{ claimed_by: null }, "cancelled"],
    [{ lease_expires_at: null }, "cancelled"],
    [{ queue: "needs_continuation" }, "cancelled"],
    [{ queue: "failed", claimed_by: null }, "failed"],
    [{ queue: "cancelled", claimed_by: null }, "cancelled"]
  ] as const
  for (const [patch, expected] of endings) {
    it.effect(`ends in ${expected} when a client sends ${JSON.stringify(patch)}`, () =>
      Effect.gen(function*() {
        const { counts, last, queue } = yield* asked
        const patched = yield* queue.patch(id, { ...patch, reason: "by hand" }, undefined)
        assert.deepInclude(patched, {
          queue: expected,
          claimed_by: null,
          cancel_requested_at: null,
          cancel_reason: expected === "cancelled" ? "not needed" : null,
          failure_reason: expected === "failed" ? "by hand" : null
        })
        assert.deepInclude(yield* last, { event: "patched", to_queue: expected, version: patched.version })
        assert.deepInclude(yield* counts, { [expected]: 1 })
      }).pipe(provided))
  }

  it.effect("stays if the task gets a new holder, and ends if an administrator moves it", () =>
    Effect.gen(function*() {
      const { queue, task } = yield* asked
      const handed = yield* queue.patch(id, { claimed_by: "eve" }, undefined)
      assert.deepInclude(handed, { claimed_by: "eve", cancel_reason: "not needed" })
      assert.deepStrictEqual(handed.cancel_requested_at, task.cancel_requested_at)
      assert.deepInclude(yield* queue.force(id, { queue: "incoming", reason: "after all" }, undefined), {
        queue: "incoming",
        cancel_reason: null,
        cancel_requested_at: null
      })
    }).pipe(provided))

  it.effect("leads to cancelled if a client takes the expired lease back", () =>
    Effect.gen(function*() {
      const { get, queue } = yield* asked
      yield* TestClock.adjust("60 seconds")
      const stale = { queue: "incoming", claimed_by: null, lease_expires_at: null, needs_intervention: false }
      yield* queue.patch(id, { ...stale, attempt_count: 1 }, undefined)
      assert.deepInclude(yield* get, { queue: "cancelled", lease_losses: 1 })
    }).pipe(provided))
})
