/** What flows mean for moves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { rulesOf } from "../../src/domain/flow/FlowRules.ts"
import { QueueName } from "../../src/domain/Identifier.ts"
import { defaultFlow, projectFlow, testingFlow } from "../support/flows.ts"

const Step = Schema.Struct({ from: QueueName, to: QueueName })
const Steps = Schema.Array(Step)

const pairs = (leads: object) =>
  Object.entries(leads).flatMap(([from, to]) => Object.keys(to).map((each) => `${from}"${each}`)).toSorted()

describe("rulesOf", () => {
  it.effect.prop(
    "follow exactly the steps, and tasks of a project have the steps of both flows",
    { states: Schema.Array(QueueName), outer: Steps, inner: Steps },
    ({ inner, outer, states }) =>
      Effect.sync(() => {
        const flow = { states, transitions: [...outer, ...outer] }
        // As a move reads them: out of a row.
        const { child, task } = JSON.parse(JSON.stringify(rulesOf(flow, { states: [], transitions: inner })))
        const expected = (steps: typeof outer) => [...new Set(steps.map(({ from, to }) => `${from}"${to}`))].toSorted()
        assert.deepStrictEqual(pairs(task.leads), expected(outer))
        assert.deepStrictEqual(pairs(child.leads), expected([...outer, ...inner]))
        assert.deepStrictEqual(rulesOf(flow, undefined).child.leads, rulesOf(flow, undefined).task.leads)
        for (const rules of [task, child]) {
          assert.notInclude(["incoming", "claimed", "done", "failed", "requires-intervention"], rules.submit)
          assert.isTrue(rules.submit === "provisional" || rules.leads.claimed?.[rules.submit] === 1)
        }
      })
  )

  it("distinguishes queues that are named like parts of an object", () => {
    const { task } = rulesOf({
      states: [],
      transitions: [{ from: "__proto__", to: "claimed" }, { from: "constructor", to: "done" }]
    }, undefined)
    assert.deepStrictEqual(Object.keys(task.leads), ["__proto__", "constructor"])
    assert.isUndefined(task.leads.claimed)
  })

  it("A11: submits to where the flow leads from `claimed`, and burns out where it can", () => {
    assert.include(rulesOf(defaultFlow, undefined).task, { submit: "provisional", burnOut: "needs_continuation" })
    assert.include(rulesOf(testingFlow, undefined).task, { submit: "testing", burnOut: null })
    assert.deepStrictEqual(rulesOf(testingFlow, undefined).task.onward, { testing: "provisional" })
  })

  it("A3, 8.2#8: the child flow lets a project's task go from claimed to done, and provisional to done", () => {
    const { child, task } = rulesOf(projectFlow, { states: [], ...projectFlow.child_flow })
    assert.isUndefined(task.leads.claimed?.done)
    assert.deepStrictEqual(child.leads.claimed, { done: 1, incoming: 1, needs_continuation: 1 })
    assert.strictEqual(child.leads.provisional?.done, 1)
    assert.strictEqual(child.submit, "provisional")
  })
})
