/** Which tasks a new version of a flow, or its deletion, leaves without a way on, over real SQL. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { NewFlow } from "../../src/domain/flow/Flow.ts"
import { TaskId } from "../../src/domain/Identifier.ts"
import { NewProject } from "../../src/domain/record/Project.ts"
import { NewTask } from "../../src/domain/task/TaskInput.ts"
import { Flows } from "../../src/services/flow/Flows.ts"
import { Projects } from "../../src/services/record/Projects.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { testingFlow } from "../support/flows.ts"
import { ServicesLayer } from "../support/layers.ts"

const flow = Schema.decodeUnknownSync(NewFlow)
const without = (state: string, { states, transitions }: typeof testingFlow) =>
  flow({
    states: states.filter((each) => each !== state),
    transitions: transitions.filter(({ from, to }) => from !== state && to !== state)
  })

const add = (id: string, rest: object, scope = "red") =>
  TaskQueue.use((tasks) =>
    tasks.create(scope, Schema.decodeSync(NewTask)({ id, file_path: id, branch: "b", flow: "qa", ...rest }))
  )

describe("warnings", () => {
  it.effect("A13: warns of exactly the tasks that a new version leads nowhere", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      const register = (sent: NewFlow) => Effect.map(flows.register("red", "qa", sent), ({ warnings }) => warnings)
      yield* register(flow(testingFlow))
      yield* flows.register("red", "other", flow(testingFlow))
      yield* flows.register("blue", "qa", flow(testingFlow))
      for (const id of ["a", "b", "c"]) yield* add(id, { queue: "testing" })
      yield* add("d", { queue: "provisional" })
      yield* add("done", { queue: "done" })
      yield* add("waiting", { queue: "incoming" })
      yield* add("other", { queue: "testing", flow: "other" })
      yield* add("blue", { queue: "testing" }, "blue")
      assert.deepStrictEqual(yield* register(flow(testingFlow)), [])
      const gone = "3 tasks of this flow are in \"testing\", which the new version does not have."
      assert.deepStrictEqual(yield* register(without("testing", testingFlow)), [gone])
      assert.deepStrictEqual(yield* register(without("testing", testingFlow)), [gone], "as long as it is true")
      const deadEnd = {
        ...testingFlow,
        transitions: testingFlow.transitions.filter(({ from }) => from !== "provisional")
      }
      assert.deepStrictEqual(yield* register(flow(deadEnd)), [
        "1 task of this flow is in \"provisional\", which the new version does not lead out of."
      ])
      for (const id of ["a", "b", "c"]) yield* TaskQueue.use((tasks) => tasks.remove(id as never, "red"))
      assert.deepStrictEqual(yield* register(without("testing", testingFlow)), [])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("A13: the child flow leads tasks of a project further, and no others", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      yield* Projects.use((projects) =>
        projects.create("red", Schema.decodeSync(NewProject)({ id: "p", title: "p", branch: "b" }))
      )
      yield* flows.register("red", "qa", flow(testingFlow))
      yield* add("alone", { queue: "testing" })
      yield* add("child", { queue: "testing", project_id: "p" })
      const { states, transitions } = testingFlow
      const outer = transitions.filter(({ from }) => from !== "testing")
      const child = { transitions: [{ from: "testing", to: "done" }] }
      const warnings = (child_flow: object | null) =>
        Effect.map(
          flows.register("red", "qa", flow({ states, transitions: outer, child_flow })),
          ({ warnings }) => warnings
        )
      const why = "in \"testing\", which the new version does not lead out of."
      assert.deepStrictEqual(yield* warnings(child), [`1 task of this flow is ${why}`])
      assert.deepStrictEqual(yield* warnings(null), [`2 tasks of this flow are ${why}`])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("A13: a deletion warns of the tasks that the default flow leads nowhere", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      yield* flows.register("red", "qa", flow(testingFlow))
      yield* add("a", { queue: "testing" })
      yield* add("b", { queue: "provisional" })
      assert.deepStrictEqual(yield* flows.remove("qa", undefined), {
        scope: "red",
        warnings: ["1 task of this flow is in \"testing\", which nothing leads out of without the flow."]
      })
      assert.strictEqual((yield* Effect.flip(flows.get("qa", "red")))._tag, "FlowNotFound")
      assert.strictEqual((yield* TaskQueue.use((tasks) => tasks.get(TaskId.make("a"), "red"))).flow, "qa")
    }).pipe(Effect.provide(ServicesLayer)))
})
