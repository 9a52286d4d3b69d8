/** The faults of the mutation check can still be planted: what they replace is where they say, and there only. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { faults } from "./faults.ts"

const root = new URL("../../", import.meta.url)

describe("the planted faults", () => {
  it("have names of their own", () => {
    assert.deepStrictEqual(faults.map(({ name }) => name), [...new Set(faults.map(({ name }) => name))])
  })

  it.each(faults)("$name replaces text that is there once", ({ file, find, replace }) => {
    assert.lengthOf(readFileSync(new URL(file, root), "utf8").split(find), 2)
    assert.notStrictEqual(find, replace)
  })
})
