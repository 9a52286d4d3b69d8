import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { ServicesLayer } from "../support/layers.ts"

const orchestrator_id = OrchestratorId.make("k-m")
const claim = { orchestrator_id, agent_name: "ann", lease_duration_seconds: 60 }

describe("Maintenance.tick", () => {
  it.effect("takes expired leases back, marks silent machines as offline, and otherwise does nothing", () =>
    Effect.gen(function*() {
      const { tick } = yield* Maintenance
      const orchestrators = yield* Orchestrators
      const tasks = yield* TaskQueue
      const status = Effect.map(orchestrators.get(orchestrator_id, undefined), (machine) => machine.status)
      yield* orchestrators.register("red", { cluster: "k", machine_id: "m" })
      yield* tasks.create("red", { id: TaskId.make("a"), file_path: "a", branch: "b" })
      yield* tasks.claim("red", claim)
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* tick, { reaped: 0, silent: 0 })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* tick, { reaped: 1, silent: 0 })
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(yield* tick, { reaped: 0, silent: 0 }, "120 seconds of silence are not yet too long")
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* tick, { reaped: 0, silent: 1 })
      assert.strictEqual(yield* status, "offline")
      yield* tasks.claim("red", claim)
      assert.strictEqual(yield* status, "active", "a claim is a sign of life")
    }).pipe(Effect.provide(ServicesLayer, { local: true })))
})
