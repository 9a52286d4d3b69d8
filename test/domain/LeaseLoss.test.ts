/** What happened to a task with a lost lease, derived from its row alone. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import { TaskId } from "../../src/domain/Identifier.ts"
import { lossOf, LossReason, type Lost } from "../../src/domain/lease/Renewal.ts"

const row: Lost = {
  id: TaskId.make("a"),
  queue: "incoming",
  claimed_by: null,
  fencing_token: null,
  lapsed_token: null,
  setbacks: null
}
const setback = (event: string, fencing_token: number) => ({
  event,
  fencing_token,
  actor: "ann",
  reason: null,
  at: DateTime.makeUnsafe(0)
})
const held: Partial<Lost> = { queue: "claimed", claimed_by: "bob", fencing_token: 2 }

describe("lossOf", () => {
  const cases: ReadonlyArray<readonly [LossReason, number, Partial<Lost>, renewing?: boolean]> = [
    ["taken", 1, held],
    ["taken", 3, held],
    ["taken", 1, { ...held, setbacks: [setback("deadline_exceeded", 1)] }],
    ["finished", 1, { queue: "done" }],
    ["failed", 1, { queue: "failed" }],
    ["cancelled", 1, { queue: "cancelled" }],
    ["moved", 1, { queue: "provisional" }],
    ["moved", 1, { setbacks: [setback("deadline_exceeded", 1), setback("requeued", 1)] }],
    ["moved", 1, { setbacks: [setback("deadline_exceeded", 2)] }],
    ["deadline_exceeded", 1, { setbacks: [setback("deadline_exceeded", 1), setback("rejected", 2)] }],
    ["deadline_exceeded", 2, held],
    ["deadline_exceeded", 1, { lapsed_token: 1 }],
    ["expired", 1, { lapsed_token: 1 }, false]
  ]
  for (const [reason, token, rest, renewing = true] of cases) {
    it(`${reason}: ${JSON.stringify(rest)} under ${token}`, () => {
      const loss = lossOf({ ...row, ...rest }, token, renewing)
      assert.strictEqual(loss.reason, reason)
      assert.match(loss.error, /^The lease \d of task a is over: .+\. (Stop working on it, and claim|Renew it) /)
    })
  }

  it("has a sentence for each", () => {
    assert.deepStrictEqual(new Set(cases.map(([reason]) => reason)), new Set(LossReason.literals))
  })
})
