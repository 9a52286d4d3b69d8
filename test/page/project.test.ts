/** The dependencies of a project, and what the feed means for a column of its board. */
import { assert, describe, it } from "@effect/vitest"
import { changesOf } from "../../src/app/screens/project/changes.ts"
import { criticalPath, heldUp } from "../../src/app/screens/project/waits.ts"
import { daysOf } from "../../src/app/screens/usage/days.ts"

const edges = (...texts: ReadonlyArray<string>) =>
  texts.map((text) => {
    const [from, to] = text.split(">")
    return { from: from!, to: to! }
  })

describe("criticalPath", () => {
  it("is the longest chain", () => {
    assert.deepStrictEqual(criticalPath(edges("a>b", "b>c", "a>x", "x>y", "y>z", "c>z")), ["a", "b", "c", "z"])
    assert.deepStrictEqual(criticalPath(edges("a>d", "a>b", "b>c", "c>d")), ["a", "b", "c", "d"])
  })
  it("is the same for the same graph in another order", () => {
    assert.deepStrictEqual(criticalPath(edges("b>z", "a>z")), ["a", "z"])
    assert.deepStrictEqual(criticalPath(edges("a>z", "b>z")), ["a", "z"])
  })
  it("is empty without dependencies, and leaves out a circle", () => {
    assert.deepStrictEqual(criticalPath([]), [])
    assert.deepStrictEqual(criticalPath(edges("a>b", "b>a")), [])
    assert.deepStrictEqual(criticalPath(edges("a>b", "b>a", "c>d")), ["c", "d"])
  })
})

it("heldUp counts each direct or indirect dependent once", () => {
  assert.deepStrictEqual([...heldUp(edges("a>b", "a>c", "b>d", "c>d"))].sort(), [["a", 3], ["b", 1], ["c", 1]])
})

const event = (
  task_id: string,
  from_queue: string | null,
  to_queue: string | null,
  project_id: string | null = "p"
) => ({ task_id, from_queue, to_queue, project_id }) as never
const plain = ({ came, left, touched }: ReturnType<typeof changesOf>) => ({
  came: [...came],
  left: [...left],
  touched
})

describe("changesOf", () => {
  const column = { project: "p", queue: "claimed", shown: new Set(["t1"]) }
  const none = { left: new Map<string, string>(), came: new Set<string>() }

  it("says which tasks left and where to, and which came", () => {
    assert.deepStrictEqual(
      plain(changesOf([event("t1", "claimed", "provisional"), event("t2", "incoming", "claimed")], column, none)),
      { came: ["t2"], left: [["t1", "provisional"]], touched: true }
    )
    assert.deepStrictEqual(plain(changesOf([event("t1", "claimed", null)], column, none)).left, [["t1", "deleted"]])
  })
  it("forgets what came and left again, or left and came back", () => {
    const first = changesOf([event("t2", "incoming", "claimed"), event("t1", "claimed", "incoming")], column, none)
    assert.deepStrictEqual(
      plain(changesOf([event("t2", "claimed", "incoming"), event("t1", "incoming", "claimed")], column, first)),
      { came: [], left: [], touched: true }
    )
  })
  it("is not touched by other projects and other columns", () => {
    assert.isFalse(
      changesOf([event("t9", "incoming", "claimed", "q"), event("t8", "incoming", "done")], column, none).touched
    )
  })
})

it("daysOf has each day, also those without usage", () => {
  const usage = [{ day: "2026-03-01", cost_usd: 2, input_tokens: 5, output_tokens: 1 }] as never
  assert.deepStrictEqual(
    daysOf({ from: "2026-02-28", to: "2026-03-02", usage }).map(({ cost, tokens }) => [cost, tokens]),
    [[0, 0], [2, 6], [0, 0]]
  )
})
