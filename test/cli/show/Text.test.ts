/** What a terminal gets: no character that it obeys but those of our styles, and tables that fit. */
import { assert, describe, it } from "@effect/vitest"
import { type Column, table } from "../../../src/cli/show/Table.ts"
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
  interface Row {
    readonly id: string
    readonly text: string
  }
  const columns: ReadonlyArray<Column<Row>> = [
    { head: "id", of: ({ id }) => id, whole: true },
    { head: "text", of: ({ text }) => text, prose: true },
    { head: "again", of: ({ text }) => text },
    { head: "none", of: () => null },
    { head: "n", of: () => 1_234_567, right: true }
  ]
  const texts = [...hostile, "漢".repeat(80), "🐙".repeat(80), "a".repeat(300), "short"]
  const linesOf = (rows: ReadonlyArray<Row>, width: number) => rendered(table(rows, columns, width), false).split("\n")

  it("fits every width that has room for the ids, which it never cuts", () => {
    for (const width of [52, 60, 80, 132, 400]) {
      const lines = linesOf(texts.map(row), width)
      for (const one of lines) assert.isAtMost(widthOf(one), width, one)
      // What has no room in its column stands below its row.
      const ids = lines.slice(1).filter((one) => !one.startsWith("  ")).map((one) => one.split(" ")[0])
      assert.deepStrictEqual(ids, texts.map((text) => row(text).id))
      for (const one of lines.slice(1).filter((one) => !one.startsWith("  "))) assert.include(one, "1234567")
    }
  })

  it("is wider than a terminal in which an id has no room", () => {
    const id = "i".repeat(120)
    const [, first, below] = linesOf([{ id, text: "why it failed" }], 40)
    assert.isTrue(first!.startsWith(`${id} `))
    assert.strictEqual(below, "  why it failed")
  })

  it("leaves out a column without text, and gives the free text what the ids leave", () => {
    const [head, first] = linesOf([{ id: "a-long-id-of-a-task", text: "t".repeat(200) }], 80)
    assert.notInclude(head, "none")
    assert.deepStrictEqual(first!.split(/ +/).map(widthOf), [19, 20, 28, 7])
  })

  it("puts free text below its row, in the width of the terminal, where its column would be narrow", () => {
    const reason = "The build of the example fails on Node 20"
    const lines = linesOf([{ id: `task-${"x".repeat(40)}`, text: reason }], 80)
    assert.deepStrictEqual(lines.slice(1), [
      `task-${"x".repeat(40)}  The build of the exampl…  1234567`,
      `  ${reason}`
    ])
  })
})
