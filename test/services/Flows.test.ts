/** Flows over real SQL: the definition stays as it was sent, a new registration changes the flow, and scopes are separate. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { NewFlow } from "../../src/domain/flow/Flow.ts"
import { Flows } from "../../src/services/flow/Flows.ts"
import { Database } from "../../src/sql/Database.ts"
import { defaultFlow, projectFlow, testingFlow } from "../support/flows.ts"
import { ServicesLayer } from "../support/layers.ts"

const flow = Schema.decodeUnknownSync(NewFlow)
const rulesOf = (name: string) =>
  Database.use(({ batch, sql }) =>
    Effect.map(
      batch([sql`SELECT rules FROM flows WHERE name = ${name}`]),
      ([rows]) => JSON.parse(String(rows![0]!.rules))
    )
  )

describe("Flows", () => {
  it.effect("8.1#4, 8.2#7: answers everything that was registered: lists as text, the child flow as an object", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      const registered = yield* flows.register("red", "project", flow(projectFlow))
      assert.deepStrictEqual(JSON.parse(registered.states), projectFlow.states)
      assert.strictEqual(registered.transitions, JSON.stringify(projectFlow.transitions))
      assert.deepInclude(registered, {
        name: "project",
        scope: "red",
        description: projectFlow.description,
        child_flow: projectFlow.child_flow,
        warnings: []
      })
      const { warnings: _, ...rest } = registered
      assert.deepStrictEqual(yield* flows.get("project", "red"), rest)
      yield* flows.register("red", "default", flow(defaultFlow))
      const listed = yield* flows.list("red")
      assert.deepStrictEqual(listed.map(({ name }) => name), ["default", "project"])
      assert.isNull(listed[0]!.child_flow)
      assert.isNull(listed[0]!.description)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("A3: stores the rules of the flow, and updates them with each version", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      yield* flows.register("red", "project", flow(projectFlow))
      const first = yield* rulesOf("project")
      assert.deepStrictEqual(first.child.leads.claimed, { done: 1, incoming: 1, needs_continuation: 1 })
      assert.isUndefined(first.task.leads.claimed.done)
      yield* flows.register("red", "project", flow(testingFlow))
      assert.strictEqual((yield* rulesOf("project")).child.submit, "testing")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("B9: keeps registered_at, and changes updated_at only with a change", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      const times = (sent: object) =>
        Effect.map(
          flows.register("red", "qa", flow(sent)),
          ({ registered_at, updated_at }) => [registered_at, updated_at].map(DateTime.toEpochMillis)
        )
      assert.deepStrictEqual(yield* times(projectFlow), [0, 0])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* times(projectFlow), [0, 0])
      assert.deepStrictEqual(yield* times({ ...projectFlow, states: JSON.stringify(projectFlow.states) }), [0, 0])
      assert.deepStrictEqual(yield* times({ ...projectFlow, description: null }), [0, 1000])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* times({ ...projectFlow, description: "", child_flow: null }), [0, 2000])
      assert.isNull((yield* flows.get("qa", "red")).child_flow)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("changes nothing if the new version is invalid", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      yield* flows.register("red", "qa", flow(testingFlow))
      const broken = flow({ ...testingFlow, transitions: [{ from: "claimed", to: "tseting" }] })
      assert.strictEqual((yield* Effect.flip(flows.register("red", "qa", broken)))._tag, "InvalidFlow")
      assert.strictEqual((yield* flows.get("qa", "red")).transitions, JSON.stringify(testingFlow.transitions))
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("8.2#4: without a scope finds the only flow of that name, and refuses if there are several", () =>
    Effect.gen(function*() {
      const flows = yield* Flows
      for (const scope of ["red", "blue"]) yield* flows.register(scope, "qa", flow(testingFlow))
      for (const attempt of [flows.get("qa", undefined), flows.remove("qa", undefined)] as const) {
        const error = yield* Effect.flip(attempt as Effect.Effect<unknown, { _tag: string; error: string }>)
        assert.strictEqual(error._tag, "ScopeRequired")
        assert.match(error.error, /^Missing required query parameter: scope\. Several scopes/)
      }
      assert.strictEqual((yield* Effect.flip(flows.remove("qa", "green")))._tag, "FlowNotFound")
      assert.strictEqual((yield* flows.remove("qa", "blue")).scope, "blue")
      assert.strictEqual((yield* flows.get("qa", undefined)).scope, "red")
      assert.strictEqual((yield* flows.remove("qa", undefined)).scope, "red")
      assert.strictEqual((yield* Effect.flip(flows.remove("qa", undefined)))._tag, "FlowNotFound")
    }).pipe(Effect.provide(ServicesLayer)))
})
