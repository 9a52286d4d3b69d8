/** The cost in D1 of taking a lease back and re-attaching it: the same for any number of done tasks. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Leases } from "../../src/services/lease/Leases.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { CurrentCost, Database, noCost } from "../../src/sql/Database.ts"
import { Workerd } from "../support/harness.ts"
import { servicesWith } from "../support/layers.ts"

/** More than the rows that any of the ways may read. */
const Done = 120

/** One lease in a scope with this many tasks that are done: what each way to take it back costs, and to give it back. */
const costs = Effect.fnUntraced(function*(scope: string, done: number) {
  const tasks = yield* TaskQueue
  const leases = yield* Leases
  const { tick } = yield* Maintenance
  const { batch, sql } = yield* Database
  const id = TaskId.make(`${scope}-held`)
  const create = (name: string, queue: string) =>
    tasks.create(scope, { id: TaskId.make(name), file_path: name, branch: "b", queue })
  yield* Effect.forEach(Array.from({ length: done }, (_, i) => `${scope}-${i}`), (name) => create(name, "done"), {
    concurrency: 10
  })
  yield* create(id, "incoming")
  const claim = tasks.claim(scope, { orchestrator_id: OrchestratorId.make("k-m"), agent_name: "ann" })
  const runsOut = batch([sql`UPDATE tasks SET lease_expires_at = 1 WHERE id = ${id}`])
  const measure = Effect.fnUntraced(function*<A, E, R>(work: Effect.Effect<A, E, R>) {
    const cost = noCost()
    const answer = yield* Effect.provideService(work, CurrentCost, cost)
    return { answer, cost: { trips: cost.trips, read: cost.read, written: cost.written } }
  })

  const first = yield* claim
  yield* runsOut
  const byCron = yield* measure(tick)
  assert.deepStrictEqual(byCron.answer, { reaped: 1, silent: 0 })
  const renewal = yield* measure(leases.renew(id, { fencing_token: first.fencing_token! }, scope))
  assert.isTrue(renewal.answer.reattached)
  yield* runsOut
  const byClaim = yield* measure(claim)
  assert.deepInclude(byClaim.answer, { id, lease_losses: 2 })
  // A read of expired leases ends at the first valid one. No such lease may exist in the next scope either.
  yield* tasks.requeue(id, { release: true }, scope)
  return { byCron: byCron.cost, byClaim: byClaim.cost, renewal: renewal.cost }
})

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("taking back in workerd", (it) => {
  it.effect("costs the same for any number of done tasks", () =>
    Effect.gen(function*() {
      const { database: db } = yield* Workerd
      const [few, many] = yield* Effect.gen(function*() {
        yield* (yield* Orchestrators).register("few", { cluster: "k", machine_id: "m" })
        return [yield* costs("few", 1), yield* costs("many", Done)] as const
      }).pipe(Effect.provide(servicesWith({}, () => db), { local: true }))
      for (const way of ["byCron", "byClaim", "renewal"] as const) {
        assert.deepStrictEqual([many[way].trips, many[way].written], [few[way].trips, few[way].written], way)
        // Where a search ends is a row more or less; that it passes none of those that are done is the point.
        assert.isAtMost(Math.abs(many[way].read - few[way].read), 4, way)
      }
      assert.isAtMost(many.byCron.read, 60)
      assert.isAtMost(many.byClaim.read, 60)
      assert.isAtMost(many.renewal.read, 80)
    }))
})
