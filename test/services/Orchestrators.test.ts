/** Orchestrators over real SQL: who may register under which id, and when a machine counts as offline. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId } from "../../src/domain/Identifier.ts"
import { Registration } from "../../src/domain/machine/Orchestrator.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { ServicesLayer } from "../support/layers.ts"

const id = OrchestratorId.make
const machine = (cluster: string, machine_id: string, rest: object = {}) =>
  Schema.decodeSync(Registration)({ cluster, machine_id, ...rest })

const claim = (scope: string) =>
  Effect.flip(
    TaskQueue.use((tasks) => tasks.claim(scope, { orchestrator_id: id("k-m"), agent_name: "ann" }))
  )

describe("Orchestrators", () => {
  it.effect("keeps registered_at when a machine registers again, and renews the rest", () =>
    Effect.gen(function*() {
      const all = yield* Orchestrators
      const first = yield* all.register("red", machine("k", "m", { capabilities: { gpu: true }, max_agents: 3 }))
      assert.isTrue(first.created)
      yield* TestClock.adjust("1 second")
      const second = yield* all.register("red", machine("k", "m", { version: "2", id: "" }))
      assert.isFalse(second.created)
      assert.strictEqual(DateTime.toEpochMillis(second.registered.registered_at), 0)
      const found = yield* all.get(id("k-m"), "red")
      assert.deepInclude(found, { version: "2", repo_url: null, capabilities: null, max_agents: null })
      assert.strictEqual(DateTime.toEpochMillis(found.last_heartbeat), 1000)
      yield* all.register("red", machine("k", "m", { capabilities: { gpu: true } }))
      assert.strictEqual((yield* all.get(id("k-m"), undefined)).capabilities, "{\"gpu\":true}")
      const chosen = yield* all.register("red", machine("default", "host", { id: "host" }))
      assert.strictEqual(chosen.registered.orchestrator_id, id("host"))
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("refuses the id of another machine in the scope, and allows it in another scope", () =>
    Effect.gen(function*() {
      const all = yield* Orchestrators
      yield* all.register("red", machine("k-a", "b", { version: "1" }))
      assert.strictEqual((yield* Effect.flip(all.register("red", machine("k", "a-b"))))._tag, "OrchestratorTaken")
      assert.isTrue((yield* all.register("blue", machine("k", "a-b"))).created)
      assert.deepInclude(yield* all.get(id("k-a-b"), "red"), { scope: "red", cluster: "k-a", version: "1" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("marks silent machines as offline, active again after a heartbeat, and leaves maintenance unchanged", () =>
    Effect.gen(function*() {
      const all = yield* Orchestrators
      for (const name of ["silent", "loud", "parked"]) yield* all.register("red", machine("k", name))
      yield* all.setStatus(id("k-parked"), "maintenance", undefined)
      yield* TestClock.adjust("120 seconds")
      assert.strictEqual(yield* all.sweep, 0)
      assert.strictEqual(DateTime.toEpochMillis(yield* all.heartbeat(id("k-loud"), undefined)), 120_000)
      yield* TestClock.adjust("1 milli")
      assert.strictEqual(yield* all.sweep, 1)
      assert.strictEqual(yield* all.sweep, 0)
      const statuses = Effect.map(
        all.list("red", {}),
        ({ orchestrators }) => Object.fromEntries(orchestrators.map((each) => [each.machine_id, each.status]))
      )
      assert.deepStrictEqual(yield* statuses, { silent: "offline", loud: "active", parked: "maintenance" })
      yield* all.heartbeat(id("k-silent"), undefined)
      yield* all.heartbeat(id("k-parked"), undefined)
      yield* all.register("red", machine("k", "parked"))
      assert.deepStrictEqual(yield* statuses, { silent: "active", loud: "active", parked: "maintenance" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("writes at most 50 scopes for a heartbeat without a scope, those with the latest heartbeats", () =>
    Effect.gen(function*() {
      const all = yield* Orchestrators
      for (let n = 0; n < 60; n++) {
        yield* all.register(`s${n}`, machine("k", "m"))
        yield* TestClock.adjust("1 milli")
      }
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* all.sweep, 60)
      yield* all.heartbeat(id("k-m"), undefined)
      const last = yield* all.get(id("k-m"), "s59")
      const statuses = yield* Effect.forEach(
        Array.from({ length: 60 }, (_, n) => `s${n}`),
        (scope) => Effect.map(all.get(id("k-m"), scope), ({ status }) => status)
      )
      assert.deepStrictEqual(statuses, [...Array(10).fill("offline"), ...Array(50).fill("active")])
      assert.strictEqual(DateTime.toEpochMillis(last.last_heartbeat), 3_600_060)
      yield* all.heartbeat(id("k-m"), "s0")
      assert.strictEqual((yield* all.get(id("k-m"), "s0")).status, "active")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("finds nothing in another scope, and lists the latest heartbeat first", () =>
    Effect.gen(function*() {
      const all = yield* Orchestrators
      for (const [scope, cluster, name] of [["red", "k", "a"], ["red", "l", "b"], ["blue", "k", "c"]] as const) {
        yield* all.register(scope, machine(cluster, name))
      }
      yield* TestClock.adjust("1 second")
      yield* all.heartbeat(id("l-b"), "red")
      yield* all.setStatus(id("k-a"), "maintenance", "red")
      const ids = (filter: Parameters<typeof all.list>[1]) =>
        Effect.map(all.list("red", filter), ({ orchestrators }) => orchestrators.map((each) => String(each.id)))
      assert.deepStrictEqual(yield* ids({}), ["l-b", "k-a"])
      assert.deepStrictEqual(yield* ids({ cluster: "k" }), ["k-a"])
      assert.deepStrictEqual(yield* ids({ status: ["active", "offline"] }), ["l-b"])
      for (
        const effect of [
          all.get(id("k-a"), "blue"),
          all.heartbeat(id("k-a"), "blue"),
          all.setStatus(id("k-a"), "active", "blue"),
          all.get(id("x"), undefined)
        ]
      ) {
        const error = yield* Effect.flip(effect as Effect.Effect<unknown, { _tag: string }>)
        assert.strictEqual(error._tag, "OrchestratorNotFound")
      }
      const untouched = yield* all.get(id("k-a"), "red")
      assert.deepStrictEqual([untouched.status, DateTime.toEpochMillis(untouched.last_heartbeat)], ["maintenance", 0])
    }).pipe(Effect.provide(ServicesLayer)))

  const heard = Effect.map(
    Orchestrators.use((all) => all.list(undefined, {})),
    ({ orchestrators }) =>
      Object.fromEntries(
        orchestrators.map((
          { last_heartbeat, scope, status }
        ) => [scope, `${status} ${DateTime.toEpochMillis(last_heartbeat)}`])
      )
  )

  it.effect("a claim is a sign of life for the machine of its scope, and not for one of another scope with the same id", () =>
    Effect.gen(function*() {
      const all = yield* Orchestrators
      for (const scope of ["red", "blue", "green"]) yield* all.register(scope, machine("k", "m"))
      yield* all.setStatus(id("k-m"), "offline", "green")
      yield* TestClock.adjust("60 seconds")
      yield* claim("red")
      assert.deepStrictEqual(yield* heard, { red: "active 60000", blue: "active 0", green: "offline 0" })
      // The scope yellow has no such machine. A machine of another scope claims for it, and which one is not recorded.
      yield* claim("yellow")
      assert.deepStrictEqual(yield* heard, { red: "active 60000", blue: "active 0", green: "offline 0" })
      yield* claim("green")
      assert.deepStrictEqual(yield* heard, { red: "active 60000", blue: "active 0", green: "active 60000" })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("a heartbeat without a scope counts in each scope of the machine", () =>
    Effect.gen(function*() {
      const all = yield* Orchestrators
      for (const scope of ["red", "blue"]) yield* all.register(scope, machine("k", "m"))
      yield* all.setStatus(id("k-m"), "offline", "blue")
      yield* TestClock.adjust("1 second")
      yield* all.heartbeat(id("k-m"), "red")
      assert.deepStrictEqual(yield* heard, { red: "active 1000", blue: "offline 0" })
      yield* TestClock.adjust("1 second")
      yield* all.heartbeat(id("k-m"), undefined)
      assert.deepStrictEqual(yield* heard, { red: "active 2000", blue: "active 2000" })
    }).pipe(Effect.provide(ServicesLayer)))
})
