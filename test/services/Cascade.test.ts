/** A cascade that starts with a set of tasks which the same batch is about to move, as the taking back of leases does. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { TaskId } from "../../src/domain/Identifier.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"
import * as Cascade from "../../src/sql/dependency/Cascade.ts"
import { counted, nextSeq } from "../../src/sql/Feed.ts"
import { ServicesLayer } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"

const edge = (task_id: string, on_failure: "wait" | "skip" | "fail") => ({ task_id: TaskId.make(task_id), on_failure })

describe("a cascade of a set of tasks", () => {
  it.effect("changes only dependents whose blockers move to an end", () =>
    Effect.gen(function*() {
      const queue = yield* TaskQueue
      const { batch, sql } = yield* Database
      const create = (id: string, depends_on: ReadonlyArray<ReturnType<typeof edge>> = []) =>
        queue.create("red", { id: TaskId.make(id), file_path: id, branch: "b", depends_on })
      const read = (id: string) => queue.get(TaskId.make(id), undefined)
      for (const id of ["spent", "spared"]) {
        yield* create(id)
        yield* queue.patch(TaskId.make(id), { claimed_by: "ann" }, undefined)
      }
      yield* create("fail", [edge("spent", "fail"), edge("spared", "skip")])
      yield* create("next", [edge("fail", "fail")])
      yield* create("skip", [edge("TASK-spent", "skip")])
      yield* create("last", [edge("next", "skip"), edge("spared", "skip")])
      yield* create("other", [edge("spared", "fail")])
      const scope = "= 'red'"
      const { dependents, failed, satisfied, unblocked } = Cascade.make({
        scope,
        waitedFor: "dependencies WHERE blocker_key = 'spent'"
      })
      const values = { now: 5 }
      yield* batch({
        planned: sql`
          INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, grants, at)
          SELECT id, version + 1, scope, ${sql.unsafe(nextSeq("tasks", "many"))}, 'moved', queue,
            iif(id = 'spent', 'failed', claimed_from), grants, 5
          FROM tasks WHERE claimed_by IS NOT NULL`,
        failed: failed(values),
        satisfied: satisfied(values),
        unblocked: unblocked(values),
        moved: sql`
          UPDATE tasks SET queue = to_queue, version = planned.version, claimed_by = NULL, claimed_at = NULL,
            claimed_from = NULL, lease_expires_at = NULL
          FROM planned WHERE planned.id = tasks.id AND claimed_by IS NOT NULL`,
        dependents: dependents(values),
        counted: counted(scope)(values)
      })
      assert.include(yield* read("fail"), { queue: "failed", failure_reason: "Blocker spent failed." })
      assert.include(yield* read("next"), { queue: "failed", failure_reason: "Blocker fail failed." })
      assert.include(yield* read("skip"), { queue: "incoming", blocked_by: null, version: 2 })
      assert.include(yield* read("last"), { queue: "incoming", blocked_by: "spared", version: 2 })
      assert.include(yield* read("other"), { queue: "incoming", blocked_by: "spared", version: 1 })
      const { total } = yield* queue.list("red", { queue: ["failed"] })
      // `spent`, and the two that fail with it.
      assert.strictEqual(total, 3)
      const plans = yield* batch(
        [failed, satisfied, unblocked, dependents].map((statement) => {
          const { parameters, text } = statement(values)
          return { text: `EXPLAIN QUERY PLAN ${text}`, parameters }
        })
      )
      for (const { detail } of plans.flat()) {
        assert.notMatch(String(detail), /SCAN (tasks|dependencies|history|edge|blocker|other)|tasks_newest/)
      }
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("does not begin again with a lease on a failed task", () =>
    Effect.gen(function*() {
      const { create, queue, reap } = yield* begin()
      const waiting = TaskId.make("waiting")
      yield* create("waiting", { depends_on: [edge("a", "fail")] })
      yield* queue.fail(id, { reason: "broken" }, undefined)
      yield* queue.redrive(waiting, {}, undefined)
      yield* queue.patch(id, { claimed_by: "ann" }, undefined)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(yield* reap, 1)
      assert.include(yield* queue.get(id, undefined), { queue: "failed", claimed_by: null })
      assert.include(yield* queue.get(waiting, undefined), { queue: "incoming", blocked_by: "a" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect(
    "goes on for thousands of tasks, whose ids together are larger than a value of D1 may be",
    () =>
      Effect.gen(function*() {
        const { claim, queue } = yield* begin()
        const { batch, sql } = yield* Database
        const many = 12_000
        // Half of them fail with it, and the others wait.
        yield* batch([
          sql`
          INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, branch, flow,
            blocked_by, created_at, updated_at)
          SELECT value || ${"x".repeat(200)}, 'red', value, 't', 'incoming', 1, 'P2', 2, 'b', 'default', ${id}, 0, 0
          FROM json_each(${JSON.stringify(Array.from({ length: many }, (_, n) => `${n}-`))})`,
          sql`
          INSERT INTO history (task_id, version, scope, event, to_queue, grants, at)
          SELECT id, 1, scope, 'created', queue, 0, 0 FROM tasks WHERE blocked_by IS NOT NULL`,
          sql`
          INSERT INTO dependencies (scope, blocker_key, blocker_id, task_id, position, on_failure)
          SELECT scope, ${id}, ${id}, id, 0, iif(CAST(file_path AS INTEGER) % 2 = 0, 'fail', 'wait') FROM tasks
          WHERE blocked_by IS NOT NULL`,
          sql`UPDATE queue_counts SET counts = json_set(counts, '$.incoming', ${many + 1})`
        ])
        const inQueue = (name: string) =>
          Effect.map(
            batch([sql`SELECT count(*) AS n, count(blocked_by) AS blocked FROM tasks WHERE queue = ${name}`]),
            ([rows]) => rows![0]
          )
        yield* queue.fail(id, { reason: "broken" }, undefined)
        assert.deepEqual(yield* inQueue("failed"), { n: many / 2 + 1, blocked: many / 2 })
        yield* queue.redrive(id, {}, undefined)
        yield* claim()
        yield* queue.accept(id, { accepted_by: "bob" }, undefined)
        assert.deepEqual(yield* inQueue("incoming"), { n: many / 2, blocked: 0 })
        for (const one of integrity) {
          const [violations] = yield* batch([sql.unsafe(one.sql)])
          assert.isEmpty(violations, one.name)
        }
      }).pipe(Effect.provide(ServicesLayer)),
    60_000
  )

  it.effect("of one task searches no table", () =>
    Effect.gen(function*() {
      const { batch } = yield* Database
      for (const ownFailure of [undefined, "1"]) {
        const plans = yield* batch(
          Object.values(Cascade.ofTask(ownFailure)).map((statement) => {
            const { parameters, text } = statement({ id: "a", now: 1 })
            return { text: `EXPLAIN QUERY PLAN ${text}`, parameters }
          })
        )
        for (const { detail } of plans.flat()) {
          assert.notMatch(String(detail), /SCAN (tasks|dependencies|history|edge|blocker|other)|tasks_newest/)
        }
      }
    }).pipe(Effect.provide(ServicesLayer)))
})
