/** A fault in the SQL of a step is sent with that step, and with no other. */
import { assert, describe, it } from "@effect/vitest"
import { type Order, type Seen, statementWith, stepsWith } from "../../scripts/prove/mutate/planted.ts"
import { problemOf } from "../../scripts/prove/mutate/Steps.ts"
import { compiled, statementsOf } from "../../src/sql/Batch.ts"
import { statement } from "../../src/sql/Statement.ts"

const order: Order = { step: "granted", find: "lease_expires_at <= :now", replace: "lease_expires_at <= :now - 1" }

const grant = `
  UPDATE tasks SET claimed_by = :agent
  WHERE lease_expires_at
    <= :now`
const values = { agent: "ann", now: 7 }

const sent = (planted: Order | undefined, seen: Seen = {}) => {
  const make = statementWith(statement, planted)
  const [update, other] = [make(grant), make("SELECT 1")]
  const steps = { counted: update(values), granted: [update(values), other()], left: undefined }
  return statementsOf(stepsWith(steps, planted, seen)).map(compiled)
}

const whole: ReturnType<typeof compiled> = ["UPDATE tasks SET claimed_by = +?1 WHERE lease_expires_at <= +?2", [
  "ann",
  7
]]

describe("a fault in a step", () => {
  it("changes the statements of the step that contain the text, and no others", () => {
    assert.deepStrictEqual(sent(order), [
      whole,
      ["UPDATE tasks SET claimed_by = +?1 WHERE lease_expires_at <= +?2 - 1", ["ann", 7]],
      ["SELECT 1", []]
    ])
  })

  it("may leave a parameter out, or take another one", () => {
    const [, changed] = sent({ ...order, replace: "claimed_by <> :agent" })
    assert.deepStrictEqual(changed, ["UPDATE tasks SET claimed_by = +?1 WHERE claimed_by <> +?1", ["ann"]])
  })

  it("is sent by no other step, and not at all where none is planted", () => {
    for (const planted of [undefined, { ...order, step: "else" }, { ...order, find: "no such text" }]) {
      assert.deepStrictEqual(sent(planted), [whole, whole, ["SELECT 1", []]])
    }
  })

  it("can be planted only where a statement of the step contains the text once", () => {
    const seen: Seen = {}
    sent(undefined, seen)
    const problem = (changes: object) => problemOf({ ...order, name: "planted", breaks: "", ...changes }, seen)
    assert.isUndefined(problem({}))
    assert.isUndefined(problem({ find: "lease_expires_at\n  <= :now" }))
    assert.include(problem({ step: "else" }), "no step else is sent, only counted, granted")
    assert.include(problem({ find: "no such text" }), "no statement of the step granted contains no such text")
    assert.include(problem({ find: "_" }), "more than once")
    assert.include(problem({ replace: order.find }), "replaces a text by itself")
  })
})
