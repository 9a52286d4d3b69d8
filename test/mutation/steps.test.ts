/** Each fault of the mutation check that is in the SQL of a step can be planted: the server sends such a statement. */
import { afterAll, assert, describe, it } from "@effect/vitest"
import * as Copy from "../../scripts/prove/mutate/Copy.ts"
import { problemOf } from "../../scripts/prove/mutate/Steps.ts"
import { faults } from "./faults.ts"

describe("the planted faults in steps", () => {
  const copy = Copy.make()
  afterAll(copy.remove)

  it("are each in a statement that the server sends", async () => {
    const seen = await copy.steps()
    assert.deepStrictEqual(faults.flatMap((fault) => "step" in fault ? problemOf(fault, seen) ?? [] : []), [])
  })
})
