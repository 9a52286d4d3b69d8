/** What a terminal gets: no character that it obeys but those of our styles, and tables that fit. */
import { assert, describe, it } from "@effect/vitest"
import { table } from "../../../src/cli/show/Table.ts"
import { block, cut, json, line, rendered, styled, widthOf, wrapped } from "../../../src/cli/show/Text.ts"

/** Texts that would clear a screen, set a title, hide the rest of a line or turn it around. */
const hostile = [
  "\u001B[2J\u001B[31mred",
  "\u001B]0;title\u0007",
  "\u009B31m",
  "a\rb",
  "a\nb\nc",
  "a\u2028b",
  "\u202Eevil\u202C",
  "\u2066x\u2069",
  "bell\u0007",
  "\u0000",
  "\u007F",
  "\uFDD1bold\uFDD0"
]

const obeyed = /[\p{Cc}\u061C\u200E\u200F\u2028\u2029\u202A-\u202E\u2066-\u2069]/u

describe("text for a terminal", () => {
  it("has no character of a server that a terminal obeys", () => {
    for (const text of hostile) {
      assert.notMatch(line(text), obeyed, JSON.stringify(text))
      assert.notMatch(block(text).replaceAll("\n", ""), obeyed)
      assert.notMatch(
        rendered(text, true).replaceAll("\n", "").replaceAll("\u001B[1m", "").replaceAll("\u001B[0m", ""),
        obeyed
      )
      assert.notMatch(rendered(text, false).replaceAll("\n", ""), obeyed)
    }
  })

  it("shows what was there instead of hiding it", () => {
    assert.strictEqual(line("\u001B[2J"), "\\u001b[2J")
    assert.strictEqual(line("a\r\nb\tc"), "a b c")
    assert.strictEqual(block("a\r\nb\u001Bc"), "  a\n  b\\u001bc")
  })

  it("takes no style from a server", () => {
    assert.strictEqual(rendered(line("\uFDD1bold\uFDD0"), true), "\uFFFDbold\uFFFD")
    assert.strictEqual(rendered(styled("red", line("\uFDD0x")), true), "\u001B[31m\uFFFDx\u001B[0m")
    assert.strictEqual(rendered(styled("red", "x"), false), "x")
  })

  it("writes JSON that means the same and that a terminal does not obey", () => {
    for (const text of hostile) {
      assert.strictEqual(JSON.parse(json(text)), text)
      assert.notMatch(json({ [text]: [text] }, 2).replaceAll("\n", ""), obeyed)
    }
  })

  it("measures and cuts by the columns of a terminal", () => {
    assert.deepStrictEqual(["a", "漢", "🐙", "e\u0301", "👩‍👩‍👧"].map(widthOf), [1, 2, 2, 1, 2])
    assert.strictEqual(cut("漢字漢字", 5), "漢字…")
    assert.strictEqual(cut("abcdef", 6), "abcdef")
    assert.strictEqual(cut("abcdefg", 6), "abcde…")
    assert.isAtMost(widthOf(cut("🐙".repeat(1000), 9)), 9)
    // A letter with a thousand accents is one column wide.
    assert.isBelow(cut(`e${"\u0301".repeat(1000)} and much more text`, 10).length, 30)
  })

  it("wraps between words", () => {
    assert.deepStrictEqual(wrapped("one two three", 7), ["one two", "three"])
    assert.deepStrictEqual(wrapped("unbreakable", 3), ["unbreakable"])
  })
})

const row = (text: string) => ({ id: `task-${"x".repeat(text.length % 30)}`, text })

describe("a table", () => {
  const columns = [
    { head: "id", of: ({ id }: { readonly id: string }) => id, firm: true },
    { head: "text", of: ({ text }: { readonly text: string }) => text },
    { head: "again", of: ({ text }: { readonly text: string }) => text },
    { head: "none", of: () => null },
    { head: "n", of: () => 7, right: true }
  ]
  const texts = [...hostile, "漢".repeat(80), "🐙".repeat(80), "a".repeat(300), "short"]

  it("fits every width, one line for each row", () => {
    for (const width of [40, 60, 80, 132, 400]) {
      const lines = rendered(table(texts.map(row), columns, width), false).split("\n")
      assert.strictEqual(lines.length, texts.length + 1)
      for (const one of lines) assert.isAtMost(widthOf(one), width, one)
    }
  })

  it("leaves out a column without text, and cuts the ids last", () => {
    const [head, first] = rendered(table([{ id: "a-long-id-of-a-task", text: "t".repeat(200) }], columns, 60), false)
      .split("\n")
    assert.notInclude(head, "none")
    assert.include(first, "a-long-id-of-a-task")
    assert.include(first, "…")
  })
})
