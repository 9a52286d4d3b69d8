/** Idempotency keys below HTTP: the effects of services under a key, and how old keys are forgotten. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { IdempotencyKeyReused } from "../../src/domain/IdempotencyKey.ts"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { CurrentCost, noCost } from "../../src/sql/Database.ts"
import { CurrentIdempotency, type RequestKey } from "../../src/sql/Idempotency.ts"
import * as Faulty from "../support/Faulty.ts"
import { servicesWith } from "../support/layers.ts"

const key = (id: string, fingerprint = "same"): RequestKey => ({ key: id, id, fingerprint, replayed: false })

describe("under an idempotency key", () => {
  it.effect("a service acts once, and refuses another request under the same key", () => {
    const { open, raw } = Faulty.make()
    return Effect.gen(function*() {
      const { claim, create } = yield* TaskQueue
      const { register } = yield* Orchestrators
      yield* register("red", { cluster: "k", machine_id: "m" })
      const task = { id: TaskId.make("a"), file_path: "a", branch: "b" }
      const keyed = Effect.provideService(CurrentIdempotency, key("1"))
      const first = yield* keyed(create("red", task))
      const cost = noCost()
      const replayed = key("1")
      const again = yield* create("red", task).pipe(
        Effect.provideService(CurrentIdempotency, replayed),
        Effect.provideService(CurrentCost, cost)
      )
      assert.deepStrictEqual(again, first)
      assert.isTrue(replayed.replayed)
      assert.isAtMost(cost.trips, 2)
      const other = yield* Effect.exit(
        Effect.provideService(create("red", task), CurrentIdempotency, key("1", "other"))
      )
      assert.isTrue(other._tag === "Failure" && String(other.cause).includes(IdempotencyKeyReused.name))
      yield* create("red", { ...task, id: TaskId.make("b"), file_path: "b" })
      const ask = claim("red", { orchestrator_id: OrchestratorId.make("k-m"), agent_name: "ann" })
      const claims = yield* Effect.forEach([1, 2], () => Effect.provideService(ask, CurrentIdempotency, key("2")))
      assert.deepStrictEqual(claims[0], claims[1])
      assert.lengthOf(Faulty.everything(raw).idempotency_keys!, 2)
    }).pipe(Effect.provide(servicesWith({}, open), { local: true }))
  })

  it.effect("a key is removed within a day after its end, and not earlier", () => {
    const { open, raw } = Faulty.make()
    return Effect.gen(function*() {
      const { tick } = yield* Maintenance
      yield* TestClock.setTime(Date.parse("2026-01-01T00:00:00Z"))
      const now = yield* Clock.currentTimeMillis
      const add = raw.prepare("INSERT INTO idempotency_keys (id, fingerprint, answer, at) VALUES (?, 'f', '[]', ?)")
      const prefixes = Array.from({ length: 4096 }, (_, i) => i.toString(16).padStart(3, "0"))
      for (const prefix of prefixes) {
        add.run(`${prefix}${"0".repeat(61)}`, now - 86_400_000)
        add.run(`${prefix}${"f".repeat(61)}`, now)
      }
      const ids = () => raw.prepare("SELECT id FROM idempotency_keys ORDER BY id").all().map(({ id }) => String(id))
      yield* tick
      assert.lengthOf(ids(), 2 * 4096 - 3)
      yield* Effect.forEach(Array.from({ length: 1365 }), () => Effect.andThen(TestClock.adjust("1 minute"), tick))
      assert.deepStrictEqual(ids(), prefixes.map((prefix) => `${prefix}${"f".repeat(61)}`))
    }).pipe(Effect.provide(servicesWith({}, open), { local: true }))
  })
})
