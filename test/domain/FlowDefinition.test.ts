/** Flows that clients register: which fields are kept, and which flows are refused. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { NewFlow } from "../../src/domain/flow/Flow.ts"
import { readFlow } from "../../src/domain/flow/FlowDefinition.ts"
import { defaultFlow, testingFlow } from "../support/flows.ts"

const read = (flow: object) => Effect.fromResult(readFlow(Schema.decodeUnknownSync(NewFlow)(flow)))
const refusal = (flow: object) => Effect.map(Effect.flip(read(flow)), ({ details }) => details)
const noStep = (i: number) => `transitions[${i}] must be an object whose "from" and "to" are names of queues.`

describe("readFlow", () => {
  it.effect("keeps unknown keys in their order, in lists and in JSON text", () =>
    Effect.gen(function*() {
      const text = "[{\"z\":1,\"to\":\"claimed\",\"from\":\"incoming\",\"a\":{\"y\":[],\"b\":null}}]"
      const child = "{\"x\":1,\"transitions\":[{\"to\":\"done\",\"from\":\"claimed\",\"a\":1}],\"a\":2}"
      const states = ["incoming", "claimed", "done", "done"]
      for (
        const flow of [
          { states, transitions: JSON.parse(text), child_flow: JSON.parse(child) },
          { states: JSON.stringify(states), transitions: text, child_flow: child }
        ]
      ) {
        const { columns } = yield* read(flow)
        assert.deepInclude(columns, { states: JSON.stringify(states), transitions: text, child_flow: child })
      }
    }))

  it.effect("takes null and empty text for no child flow", () =>
    Effect.gen(function*() {
      for (const rest of [{}, { child_flow: null }, { child_flow: "" }]) {
        assert.isNull((yield* read({ ...testingFlow, ...rest })).columns.child_flow)
      }
    }))

  it.effect("refuses a flow without the required states, before any other mistake", () =>
    Effect.gen(function*() {
      for (const state of ["incoming", "claimed", "done"]) {
        const states = defaultFlow.states.filter((each) => each !== state)
        assert.deepStrictEqual(yield* refusal({ states, transitions: [7] }), [
          `Flow states must include built-in state "${state}". Got: ${states.join(", ")}`
        ])
      }
      assert.deepStrictEqual(yield* refusal({ states: [], transitions: [] }), [
        "Flow states must include built-in state \"incoming\". Got: "
      ])
    }))

  it.effect("E17: names each invalid step by its index", () =>
    Effect.gen(function*() {
      const transitions = [
        { from: "incoming", to: "claimed" },
        7,
        { from: "", to: "done" },
        { from: "claimed" },
        [],
        null
      ]
      assert.deepStrictEqual(yield* refusal({ ...testingFlow, transitions }), [1, 2, 3, 4, 5].map(noStep))
      assert.deepStrictEqual(
        yield* refusal({ ...testingFlow, child_flow: { transitions: [{ to: "done" }] } }),
        [`child_flow.${noStep(0)}`]
      )
    }))

  it.effect("E17: names each unknown queue of a step; built-in states and queues of clients need not be declared", () =>
    Effect.gen(function*() {
      const aside = ["failed", "needs_continuation", "requires-intervention", "breakdown", "escalated", "rejected"]
      const implicit = [...aside, "recycled"].map((to) => ({ from: "claimed", to }))
      yield* read({ ...testingFlow, transitions: implicit })
      const typo = [...implicit, { from: "claimed", to: "tseting" }, { from: "tseting", to: "nowhere" }]
      assert.deepStrictEqual(yield* refusal({ ...testingFlow, transitions: typo }), [
        "transitions[7].to: \"tseting\" is not a state of this flow. Add it to its states.",
        "transitions[8].from: \"tseting\" is not a state of this flow. Add it to its states.",
        "transitions[8].to: \"nowhere\" is not a state of this flow. Add it to its states."
      ])
    }))

  it.effect("gives a child flow the states of the flow, and its own or those its steps name", () =>
    Effect.gen(function*() {
      const transitions = [{ from: "claimed", to: "linting" }, { from: "linting", to: "testing" }]
      yield* read({ ...testingFlow, child_flow: { transitions } })
      yield* read({ ...testingFlow, child_flow: { transitions, states: ["linting"] } })
      assert.deepStrictEqual(yield* refusal({ ...testingFlow, child_flow: { transitions, states: ["other"] } }), [
        "child_flow.transitions[0].to: \"linting\" is not a state of this flow. Add it to its states.",
        "child_flow.transitions[1].from: \"linting\" is not a state of this flow. Add it to its states."
      ])
    }))

  it.effect.each([{}, { transitions: {} }, { transitions: "[]" }, { transitions: [], states: [7] }, {
    transitions: [],
    states: "x"
  }])(
    "refuses the child flow %j",
    (child_flow) =>
      Effect.gen(function*() {
        assert.match(
          (yield* refusal({ ...testingFlow, child_flow }))[0]!,
          /^child_flow\.(states|transitions) must be a list/
        )
      })
  )

  it.effect("accepts at most 200 states and 500 transitions, for the flow and the child flow", () =>
    Effect.gen(function*() {
      const states = Array.from({ length: 201 }, (_, i) => `q${i}`)
      const transitions = Array.from({ length: 501 }, () => ({ from: "incoming", to: "claimed" }))
      assert.throws(() => Schema.decodeSync(NewFlow)({ ...testingFlow, states }), /200/)
      assert.throws(() => Schema.decodeSync(NewFlow)({ ...testingFlow, transitions }), /500/)
      for (const child_flow of [{ transitions }, { transitions: [], states }]) {
        assert.match((yield* refusal({ ...testingFlow, child_flow }))[0]!, /at most (200|500)/)
      }
      yield* read({ ...testingFlow, transitions: transitions.slice(1) })
    }))
})
