import { assert, describe, it } from "@effect/vitest"
import { excerpt } from "../../src/domain/Excerpt.ts"

describe("an excerpt", () => {
  it("is the whole text when that fits", () => {
    assert.strictEqual(excerpt("12345", 5), "12345")
    assert.strictEqual(excerpt("", 5), "")
  })

  it("is the beginning of a longer text, with a mark, within the limit", () => {
    assert.strictEqual(excerpt("123456", 5), "123 …")
  })

  it("never ends with half of a surrogate pair", () => {
    for (let most = 3; most < 9; most++) {
      const cut = excerpt("🐙🐙🐙🐙🐙", most)
      assert.isTrue(cut.isWellFormed(), cut)
      assert.isAtMost(cut.length, most)
    }
  })
})
