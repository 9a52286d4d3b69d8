/**
 * Tasks that fail with their blockers: a task that is held when its blocker fails, fails when nobody holds it any more.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { OnFailure } from "../../src/domain/dependency/Dependency.ts"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Dependencies } from "../../src/services/dependency/Dependencies.ts"
import { Leases } from "../../src/services/lease/Leases.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"
import { CurrentIdempotency } from "../../src/sql/Idempotency.ts"
import { ServicesLayer } from "../support/layers.ts"

const id = TaskId.make
const machine = OrchestratorId.make("k-m")

/** `held` is in the hands of ann and waits for `blocker`, which has failed; `next` waits for `held`, `after` for `next`. */
const setup = Effect.fnUntraced(function*(on_failure: OnFailure = "fail") {
  const queue = yield* TaskQueue
  const dependencies = yield* Dependencies
  yield* Orchestrators.use(({ register }) => register("red", { cluster: "k", machine_id: "m" }))
  const create = (name: string, blocker?: string) =>
    queue.create("red", {
      id: id(name),
      file_path: name,
      branch: "b",
      depends_on: blocker === undefined ? [] : [{ task_id: id(blocker), on_failure: "fail" }]
    })
  const claim = () => queue.claim("red", { orchestrator_id: machine, agent_name: "ann", lease_duration_seconds: 60 })
  yield* create("held")
  yield* claim()
  yield* create("next", "held")
  yield* create("after", "next")
  yield* create("blocker")
  yield* dependencies.put(id("held"), id("TASK-blocker"), { on_failure }, undefined)
  yield* queue.fail(id("blocker"), { reason: "r" }, undefined)
  const read = (name: string) => queue.get(id(name), undefined)
  assert.include(yield* read("held"), { queue: "claimed", blocked_by: "TASK-blocker" })

  /** It failed with the blocker, and its dependent failed too. All of that is recorded and counted. */
  const fell = Effect.gen(function*() {
    assert.include(yield* read("held"), {
      queue: "failed",
      claimed_by: null,
      available_at: null,
      failure_reason: "Blocker blocker failed."
    })
    assert.include(yield* read("next"), { queue: "failed", failure_reason: "Blocker held failed." })
    assert.include(yield* read("after"), { queue: "failed" })
    const { batch, sql } = yield* Database
    const [counts, unrecorded] = yield* batch([
      sql`SELECT counts ->> 'failed' AS failed FROM queue_counts`,
      sql`SELECT id FROM tasks WHERE version <> (SELECT count(*) FROM history WHERE task_id = id)`
    ])
    assert.deepStrictEqual([counts, unrecorded], [[{ failed: 4 }], []])
  })
  return { queue, read, fell }
})

describe("a task that was held when its blocker failed", () => {
  for (const [name, body] of [["requeue", {}], ["release", { release: true }]] as const) {
    it.effect(`fails with a ${name}, which answers that`, () =>
      Effect.gen(function*() {
        const { fell, queue, read } = yield* setup()
        const answer = yield* queue.requeue(id("held"), body, undefined)
        assert.deepStrictEqual(answer, yield* read("held"))
        yield* fell
      }).pipe(Effect.provide(ServicesLayer)))
  }

  it.effect("fails with a reject; a submit hands its result in", () =>
    Effect.gen(function*() {
      const { fell, queue, read } = yield* setup()
      yield* queue.submit(id("held"), { commits_count: 1, turns_used: 1 }, undefined)
      assert.include(yield* read("held"), { queue: "provisional", blocked_by: "TASK-blocker" })
      const answer = yield* queue.reject(id("held"), { reason: "r", rejected_by: "bob" }, undefined)
      assert.deepStrictEqual(answer, yield* read("held"))
      yield* fell
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("repeats that answer under its key", () =>
    Effect.gen(function*() {
      const { queue, read } = yield* setup()
      const keyed = () =>
        Effect.provideService(queue.requeue(id("held"), {}, undefined), CurrentIdempotency, {
          key: "k",
          id: "k",
          fingerprint: "f",
          replayed: false
        })
      const first = yield* keyed()
      assert.deepStrictEqual(first, yield* read("held"))
      assert.deepStrictEqual(yield* keyed(), first)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("fails with a PATCH that ends the lease, by its holder or its queue", () =>
    Effect.gen(function*() {
      for (const patch of [{ claimed_by: null }, { queue: "incoming" }, { queue: "needs_continuation" }]) {
        yield* Effect.gen(function*() {
          const { fell, queue, read } = yield* setup()
          const answer = yield* queue.patch(id("held"), patch, undefined)
          assert.deepStrictEqual(answer, yield* read("held"))
          yield* fell
        }).pipe(Effect.provide(ServicesLayer))
      }
    }))

  it.effect("fails when its lease expires, whether a claim or the cron takes it back", () =>
    Effect.gen(function*() {
      const reap = Leases.use((leases) => leases.reap)
      const takeBack = TaskQueue.use((queue) =>
        Effect.map(
          queue.patch(id("held"), { queue: "incoming", claimed_by: null, lease_expires_at: null }, undefined),
          (task) => assert.strictEqual(task.queue, "failed")
        )
      )
      const claim = TaskQueue.use((queue) =>
        Effect.flip(queue.claim("red", { orchestrator_id: machine, agent_name: "bob" }))
      )
      for (const [way, back] of Object.entries({ reap, takeBack, claim })) {
        yield* Effect.gen(function*() {
          const { fell, read } = yield* setup()
          yield* TestClock.adjust("61 seconds")
          yield* back
          assert.strictEqual((yield* read("held")).queue, "failed", way)
          yield* fell
        }).pipe(Effect.provide(ServicesLayer))
      }
    }))

  it.effect("returns to its queue with on_failure wait or skip, or if its blocker was redriven", () =>
    Effect.gen(function*() {
      for (const on_failure of ["wait", "skip"] as const) {
        yield* Effect.gen(function*() {
          const { queue } = yield* setup("wait")
          yield* Dependencies.use(({ put }) => put(id("held"), id("blocker"), { on_failure }, undefined))
          assert.include(yield* queue.requeue(id("held"), {}, undefined), { queue: "incoming" })
        }).pipe(Effect.provide(ServicesLayer))
      }
      yield* Effect.gen(function*() {
        const { queue } = yield* setup()
        yield* queue.redrive(id("blocker"), {}, undefined)
        assert.include(yield* queue.requeue(id("held"), {}, undefined), { queue: "incoming" })
      }).pipe(Effect.provide(ServicesLayer))
    }))

  it.effect("waits as its dependency says after a redrive, also after a refused move", () =>
    Effect.gen(function*() {
      const { queue, read } = yield* setup()
      yield* queue.requeue(id("held"), {}, undefined)
      yield* queue.redrive(id("held"), {}, undefined)
      yield* Effect.flip(queue.requeue(id("held"), {}, undefined))
      yield* Effect.flip(queue.reject(id("held"), { reason: "r", rejected_by: "x" }, undefined))
      yield* queue.patch(id("held"), { title: "t" }, undefined)
      yield* Leases.use((leases) => leases.reap)
      assert.include(yield* read("held"), { queue: "incoming", blocked_by: "TASK-blocker" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("does not fail again if the lease of its failed blocker ends without a move", () =>
    Effect.gen(function*() {
      const { queue, read } = yield* setup("wait")
      yield* queue.fail(id("held"), { reason: "r" }, undefined)
      yield* queue.redrive(id("next"), {}, undefined)
      yield* queue.patch(id("held"), { blocked_by: "" }, undefined)
      yield* queue.patch(id("held"), { claimed_by: "bob" }, undefined)
      yield* queue.patch(id("held"), { blocked_by: "other" }, undefined)
      yield* queue.requeue(id("held"), { release: true }, undefined)
      assert.include(yield* read("held"), { queue: "failed", claimed_by: null, blocked_by: "other" })
      assert.include(yield* read("next"), { queue: "incoming", blocked_by: "held" })
    }).pipe(Effect.provide(ServicesLayer)))
})
