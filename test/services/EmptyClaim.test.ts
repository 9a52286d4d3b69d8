/** The answer to a claim that gets nothing: why, how many tasks wait for what, and when to repeat it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { CurrentCost, Database, noCost } from "../../src/sql/Database.ts"
import { ServicesLayer } from "../support/layers.ts"

const start = Effect.gen(function*() {
  const queue = yield* TaskQueue
  const orchestrators = yield* Orchestrators
  const { batch, sql } = yield* Database
  const { registered: { orchestrator_id } } = yield* orchestrators.register("red", { cluster: "k", machine_id: "m" })
  const create = (id: string, rest: object = {}) =>
    queue.create("red", { id: TaskId.make(id), file_path: id, branch: "b", ...rest })
  const backOff = (id: string, until: number) => batch([sql`UPDATE tasks SET available_at = ${until} WHERE id = ${id}`])
  const claim = (rest: object = {}) =>
    queue.claim("red", { orchestrator_id: OrchestratorId.make(orchestrator_id), agent_name: "ann", ...rest })
  const empty = (rest: object = {}) => Effect.flip(claim(rest))
  return { queue, create, backOff, claim, empty }
})

describe("a claim that got nothing", () => {
  it.effect("is asked to repeat when the first backoff is over, within a minute", () =>
    Effect.gen(function*() {
      const { backOff, create, empty } = yield* start
      yield* create("a")
      yield* backOff("a", 90_000)
      assert.deepInclude(yield* empty(), {
        reason: "backing_off",
        retry_after_seconds: 60,
        waiting: { ready: 0, held: 0, blocked: 0, backing_off: 1 }
      })
      yield* create("b", { blocked_by: "a" })
      yield* create("c")
      yield* backOff("c", 1_001)
      const cost = noCost()
      const soon = yield* empty().pipe(Effect.provideService(CurrentCost, cost))
      assert.deepInclude(soon, {
        reason: "backing_off",
        retry_after_seconds: 2,
        waiting: { ready: 0, held: 0, blocked: 1, backing_off: 2 }
      })
      assert.strictEqual(cost.trips, 2)
      // A blocked task is not ready when its backoff is over.
      yield* backOff("b", 100)
      assert.deepInclude(yield* empty(), { retry_after_seconds: 2 })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("says how many tasks are ready for other claims, held or waiting", () =>
    Effect.gen(function*() {
      const { claim, create, empty } = yield* start
      yield* create("r", { queue: "provisional" })
      yield* create("s", { queue: "provisional", blocked_by: "x" })
      yield* claim({ queue: "provisional" })
      assert.deepInclude(yield* empty({ queue: "provisional" }), {
        reason: "blocked",
        retry_after_seconds: 15,
        waiting: { ready: 0, held: 1, blocked: 1, backing_off: 0 },
        counts: { provisional: 2 }
      })
      yield* Effect.forEach(Array.from({ length: 25 }, (_, n) => `t${n}`), (id) => create(id))
      assert.deepInclude(yield* empty({ role_filter: "build" }), {
        reason: "role_mismatch",
        waiting: { ready: 10, held: 0, blocked: 0, backing_off: 0 },
        counts: { incoming: 25, provisional: 2 }
      })
      assert.deepInclude(yield* empty({ max_claimed: 0 }), { _tag: "AtCapacity", reason: "at_capacity" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("gets a task whose old backoff is over if backoff is off, as the explanation says", () =>
    Effect.gen(function*() {
      const { backOff, claim, create, empty, queue } = yield* start
      // More of them wait for others, and are more urgent, than are looked at.
      yield* Effect.forEach(
        Array.from({ length: 12 }, (_, n) => `w${n}`),
        (id) => create(id, { blocked_by: "x", priority: "P0" })
      )
      yield* create("a")
      yield* backOff("a", 1_000)
      assert.deepInclude(yield* empty(), { _tag: "NoTasksAvailable" })
      yield* TestClock.adjust("999 millis")
      yield* empty()
      yield* TestClock.adjust("1 millis")
      assert.isTrue((yield* queue.explain(TaskId.make("a"), {}, undefined)).claimable)
      assert.deepInclude(yield* claim(), { id: TaskId.make("a"), available_at: null })
      const { history } = yield* queue.history(TaskId.make("a"), undefined)
      assert.deepStrictEqual(history.map(({ event }) => event), ["created", "backoff_ended", "claimed"])
    }).pipe(Effect.provide(ServicesLayer)))
})
