/** The log of a request or cron turn that changes many records: one line for each kind of event. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { ServicesLayer } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"

const logged = Effect.fnUntraced(function*<A, E, R>(work: Effect.Effect<A, E, R>) {
  const lines: Array<Record<string, unknown>> = []
  const logger = Logger.make(({ fiber }) => {
    lines.push({ ...fiber.getRef(References.CurrentLogAnnotations) })
  })
  yield* Effect.provide(work, Logger.layer([logger]))
  return lines.filter(({ event }) => event !== undefined)
})

const many = 25
const waiting = Array.from({ length: many }, (_, n) => `w${n}`)

/** A task for which many wait. */
const awaited = Effect.fnUntraced(function*(on_failure: "wait" | "skip" | "fail") {
  const bench = yield* begin()
  for (const name of waiting) yield* bench.create(name, { depends_on: [{ task_id: id, on_failure }] })
  return bench
})

/** The one line about an event of many records, which names ten of them. */
const holdsOne = (lines: ReadonlyArray<Record<string, unknown>>, event: string, of = waiting) => {
  const [line, ...rest] = lines.filter((line) => line.event === event)
  assert.isEmpty(rest)
  assert.include(line, { event, count: of.length })
  const ids = line!.ids as ReadonlyArray<string>
  assert.lengthOf(ids, 10)
  assert.includeMembers([...of], [...ids])
  assert.deepEqual(line!.scopes, ["red"])
}

describe("one log line is written for many records", () => {
  it.effect("that an accepted task unblocks", () =>
    Effect.gen(function*() {
      const { claim, queue } = yield* awaited("wait")
      yield* claim()
      const lines = yield* logged(queue.accept(id, { accepted_by: "bob" }, undefined))
      holdsOne(lines, "unblocked")
      assert.lengthOf(lines, 2)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("that fail with a task", () =>
    Effect.gen(function*() {
      const { queue } = yield* awaited("fail")
      const lines = yield* logged(queue.fail(id, { reason: "broken" }, undefined))
      holdsOne(lines, "dependency_failed")
      assert.lengthOf(lines, 2)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("that a deleted task unblocks", () =>
    Effect.gen(function*() {
      const { queue } = yield* awaited("wait")
      holdsOne(yield* logged(queue.remove(id, undefined)), "unblocked")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("whose leases are taken back, and re-attached by a heartbeat", () =>
    Effect.gen(function*() {
      const { claim, create, queue, reap } = yield* begin()
      const machines = yield* Orchestrators
      for (const name of waiting) yield* create(name)
      for (let n = 0; n <= many; n++) yield* claim()
      yield* TestClock.adjust("60 seconds")
      const all = [id, ...waiting]
      holdsOne(yield* logged(reap), "lease_expired", all)
      const leases = all.map((name) => ({ task_id: TaskId.make(name), fencing_token: 1 }))
      holdsOne(yield* logged(machines.renew(OrchestratorId.make("k-m"), undefined, leases)), "reattached", all)
      assert.include(yield* queue.get(id, undefined), { claimed_by: "ann" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("of machines that are marked as offline", () =>
    Effect.gen(function*() {
      const machines = yield* Orchestrators
      const names = waiting.map((name) => `k-${name}`)
      for (const machine_id of waiting) yield* machines.register("red", { cluster: "k", machine_id })
      yield* TestClock.adjust("1 day")
      holdsOne(yield* logged(machines.sweep), "offline", names)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("and a line of its own is written for one", () =>
    Effect.gen(function*() {
      const { create } = yield* begin()
      const queue = yield* TaskQueue
      yield* create("waiting", { depends_on: [{ task_id: id, on_failure: "fail" }] })
      const lines = yield* logged(queue.fail(id, { reason: "broken" }, undefined))
      assert.deepEqual(lines.map(({ event, task_id }) => [event, task_id]), [
        ["dependency_failed", "waiting"],
        ["failed", "a"]
      ])
    }).pipe(Effect.provide(ServicesLayer)))
})
