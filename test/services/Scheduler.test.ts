/** The poll over real SQL: whose scope it shows, what it counts, and what it hides. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { NewFlow } from "../../src/domain/flow/Flow.ts"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Registration } from "../../src/domain/machine/Orchestrator.ts"
import { Claim } from "../../src/domain/task/MoveInput.ts"
import { NewTask } from "../../src/domain/task/TaskInput.ts"
import { Flows } from "../../src/services/flow/Flows.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Scheduler } from "../../src/services/machine/Scheduler.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { CurrentCost, noCost } from "../../src/sql/Database.ts"
import { defaultFlow, testingFlow } from "../support/flows.ts"
import { ServicesLayer, servicesWith } from "../support/layers.ts"

const poll = (request: { machine?: string; scope?: string }) =>
  Scheduler.use((scheduler) =>
    scheduler.poll({
      orchestrator_id: request.machine === undefined ? undefined : OrchestratorId.make(request.machine),
      scope: request.scope
    })
  )
const add = (id: string, scope: string, rest: object = {}) =>
  TaskQueue.use((tasks) => tasks.create(scope, Schema.decodeSync(NewTask)({ id, file_path: id, branch: "b", ...rest })))
const machine = (scope: string, machine_id: string) =>
  Orchestrators.use((all) => all.register(scope, Schema.decodeSync(Registration)({ cluster: "k", machine_id })))

const seen = (request: Parameters<typeof poll>[0]) =>
  Effect.map(poll(request), (answer) => [
    answer.scope,
    answer.queue_counts.provisional,
    answer.orchestrator_registered
  ])

const none = { incoming: 0, claimed: 0, provisional: 0 }

describe("Scheduler.poll", () => {
  it.effect("8.2#10: counts every queue with tasks, and always the three that clients read", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* poll({}), {
        scope: "default",
        queue_counts: none,
        provisional_tasks: [],
        orchestrator_registered: false,
        flows: {}
      })
      yield* machine("red", "m")
      for (const id of ["a", "b", "c"]) yield* add(id, "red")
      yield* add("d", "red", { queue: "needs_continuation" })
      yield* add("e", "red", { queue: "done" })
      yield* TaskQueue.use((tasks) =>
        tasks.claim("red", Schema.decodeSync(Claim)({ orchestrator_id: "k-m", agent_name: "ann" }))
      )
      const counts = { incoming: 2, claimed: 1, provisional: 0, needs_continuation: 1, done: 1 }
      assert.deepStrictEqual((yield* poll({ scope: "red" })).queue_counts, counts)
      yield* TaskQueue.use((tasks) => tasks.remove(TaskId.make("d"), "red"))
      assert.notProperty((yield* poll({ scope: "red" })).queue_counts, "needs_continuation")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("lists all of the scope's reviews, oldest first, in one round trip", () =>
    Effect.gen(function*() {
      yield* machine("red", "m")
      yield* add("z", "red", { queue: "provisional", hooks: [{ name: "h" }], pr_number: 7 })
      yield* TestClock.adjust("1 second")
      for (let i = 10; i < 80; i++) yield* add(`t${i}`, "red", { queue: "provisional" })
      yield* add("blue", "blue", { queue: "provisional" })
      yield* add("waiting", "red")
      yield* TaskQueue.use((tasks) =>
        tasks.claim(
          "red",
          Schema.decodeSync(Claim)({ orchestrator_id: "k-m", agent_name: "ann", queue: "provisional" })
        )
      )
      const cost = noCost()
      const { provisional_tasks } = yield* Effect.provideService(poll({ machine: "k-m" }), CurrentCost, cost)
      assert.strictEqual(cost.trips, 1)
      assert.deepStrictEqual(
        provisional_tasks.map(({ id }) => String(id)),
        ["z", ...Array.from({ length: 70 }, (_, i) => `t${i + 10}`)]
      )
      assert.deepStrictEqual({ ...provisional_tasks[0]!, id: "" }, {
        id: "",
        hooks: "[{\"name\":\"h\"}]",
        pr_number: 7,
        claimed_by: "ann"
      })
      assert.isNull(provisional_tasks[1]!.claimed_by)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("D4: shows the flows of its scope only", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      const register = (scope: string, name: string, flow: object) =>
        flows.register(scope, name, Schema.decodeUnknownSync(NewFlow)(flow))
      yield* register("red", "default", defaultFlow)
      yield* register("red", "qa", testingFlow)
      yield* register("blue", "default", testingFlow)
      yield* register("blue", "secret", testingFlow)
      assert.deepStrictEqual((yield* poll({ scope: "red" })).flows, {
        default: { states: defaultFlow.states },
        qa: { states: testingFlow.states }
      })
      assert.deepStrictEqual((yield* poll({ scope: "green" })).flows, {})
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("shows the named scope, or that of the orchestrator, or the default one", () =>
    Effect.gen(function*() {
      yield* machine("red", "m")
      yield* add("red", "red", { queue: "provisional" })
      assert.deepStrictEqual(yield* seen({ machine: "k-m" }), ["red", 1, true])
      assert.deepStrictEqual(yield* seen({ machine: "k-m", scope: "blue" }), ["blue", 0, false])
      assert.deepStrictEqual(yield* seen({ machine: "none" }), ["default", 0, false])
      assert.deepStrictEqual(yield* seen({ machine: "none", scope: "red" }), ["red", 1, false])
      assert.deepStrictEqual(yield* seen({}), ["default", 0, false])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("D4: a poll about a scope shows nothing about an orchestrator of another scope", () =>
    Effect.gen(function*() {
      yield* machine("red", "m")
      yield* add("red", "red", { queue: "provisional" })
      const stranger = yield* poll({ machine: "k-m", scope: "blue" })
      assert.deepStrictEqual(stranger, yield* poll({ machine: "none", scope: "blue" }))
      assert.isFalse(stranger.orchestrator_registered)
      assert.isTrue((yield* poll({ machine: "k-m", scope: "red" })).orchestrator_registered)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("with REQUIRE_SCOPE, a poll that names neither a scope nor a registered orchestrator is refused", () =>
    Effect.gen(function*() {
      yield* machine("red", "m")
      for (const request of [{}, { machine: "none" }]) {
        assert.strictEqual(
          (yield* Effect.flip(poll(request))).error,
          "Missing scope. Provide orchestrator_id (with registered scope) or scope query parameter."
        )
      }
      assert.strictEqual((yield* poll({ machine: "k-m" })).scope, "red")
      assert.strictEqual((yield* poll({ scope: "blue" })).scope, "blue")
    }).pipe(Effect.provide(servicesWith({ REQUIRE_SCOPE: "true" }))))
})
