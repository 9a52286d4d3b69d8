/** The statements of a request, where the state of the database decides how often it repeats itself. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { TaskId } from "../../src/domain/Identifier.ts"
import { Dependencies } from "../../src/services/dependency/Dependencies.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { CurrentCost, Database, MaxStatements, noCost } from "../../src/sql/Database.ts"
import { CurrentIdempotency } from "../../src/sql/Idempotency.ts"
import { ServicesLayer, servicesWith } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"

/** The result or failure of a request, and how many statements it sent. */
const counted = Effect.fnUntraced(function*<A, E, R>(work: Effect.Effect<A, E, R>) {
  const cost = noCost()
  const result = yield* Effect.result(Effect.provideService(work, CurrentCost, cost))
  return { result, statements: cost.statements }
})

/** Every write finds that another one was faster, as if someone changed the task after each read. */
const contended = Effect.flatMap(Database, ({ batch, sql }) =>
  batch([sql`
    CREATE TRIGGER contends BEFORE INSERT ON history WHEN NEW.event IN ('edited', 'patched', 'dependencies_changed')
    BEGIN SELECT RAISE(IGNORE); END`]))

const keyed = (id = "k") =>
  Effect.provideService(CurrentIdempotency, { key: "k", id, fingerprint: "f", replayed: false })

describe("a request sends at most as many statements as D1's free plan allows", () => {
  it.effect("if the task changes after each read", () =>
    Effect.gen(function*() {
      const queue = yield* TaskQueue
      const dependencies = yield* Dependencies
      yield* begin()
      yield* contended
      for (
        const change of [
          queue.patch(id, { title: "x" }, undefined),
          queue.patch(id, { queue: "failed", blocked_by: "b,c", project_id: null }, undefined).pipe(keyed()),
          dependencies.put(id, TaskId.make("b"), { on_failure: "fail" }, undefined)
        ]
      ) {
        const { result, statements } = yield* counted(change as Effect.Effect<unknown, { readonly _tag: string }>)
        assert.strictEqual(result._tag === "Failure" ? result.failure._tag : result._tag, "VersionConflict")
        assert.isAtMost(statements, MaxStatements)
        // It did try again.
        assert.isAbove(statements, 20)
      }
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("if a claim takes back tasks that fail with their leases, and unblocks others", () =>
    Effect.gen(function*() {
      const { claim, create, queue } = yield* begin({ max_lease_losses: 1 })
      yield* create("waiting", { depends_on: [{ task_id: id, on_failure: "skip" }] })
      yield* create("blocker")
      yield* create("freed")
      yield* claim()
      yield* queue.patch(TaskId.make("freed"), { queue: "claimed", claimed_by: "ann" }, undefined)
      const blocker = TaskId.make("blocker")
      yield* (yield* Dependencies).put(TaskId.make("freed"), blocker, { on_failure: "fail" }, undefined)
      yield* queue.fail(blocker, { reason: "broken" }, undefined)
      yield* TestClock.adjust("1 hour")
      for (let n = 0; n < 4; n++) {
        const { statements } = yield* counted(claim().pipe(keyed(`k${n}`)))
        assert.isAtMost(statements, MaxStatements)
      }
      for (const name of [id, TaskId.make("freed")]) {
        assert.include(yield* queue.get(name, undefined), { queue: "failed" })
      }
    }).pipe(Effect.provide(servicesWith({ BACKOFF_SECONDS: "60" }))))
})
