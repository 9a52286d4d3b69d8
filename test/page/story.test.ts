/** The story of a task, told by attempts. */
import { assert, describe, it } from "@effect/vitest"
import { chaptersOf } from "../../src/app/screens/task/timeline.ts"

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()
const change = (minute: number, event: string, actor: string | null, from: string | null, to: string | null) =>
  ({ at: at(minute), event, actor, from_queue: from, to_queue: to, reason: null, details: null }) as never
const message = (minute: number) => ({ created_at: at(minute), content: "?", type: "question" }) as never

const told = (chapters: ReturnType<typeof chaptersOf>) =>
  chapters.map(({ attempt, end, holder, items }) => [holder, attempt, end, items.length])

describe("chaptersOf", () => {
  it("has a chapter for each attempt and review, and for the time between", () => {
    const chapters = chaptersOf(
      [
        change(0, "created", "ada", null, "incoming"),
        change(1, "claimed", "ann", "incoming", "claimed"),
        change(5, "lease_expired", "ann", "claimed", "incoming"),
        change(6, "claimed", "ben", "incoming", "claimed"),
        change(7, "patched", "ada", "claimed", "claimed"),
        change(9, "submitted", "ben", "claimed", "provisional"),
        change(10, "review_claimed", "gate", "provisional", "provisional"),
        change(11, "accepted", "gate", "provisional", "done"),
        change(12, "unblocked", null, "done", "done")
      ],
      [message(8)],
      { at: at(3), notes: "Half." } as never
    )
    assert.deepStrictEqual(told(chapters), [
      [undefined, undefined, undefined, 1],
      ["ann", 1, "lease_expired", 3],
      ["ben", 2, "submitted", 4],
      ["gate", undefined, "accepted", 2],
      [undefined, undefined, undefined, 1]
    ])
    assert.strictEqual(chapters[1]!.until, at(5))
  })

  it("leaves the last chapter open while the task is held", () => {
    const [, last] = chaptersOf(
      [change(0, "created", "ada", null, "incoming"), change(1, "claimed", "ann", "incoming", "claimed")],
      [],
      null
    )
    assert.isUndefined(last!.end)
  })

  it("ends an attempt by a PATCH that moves the task", () => {
    const [, attempt] = chaptersOf(
      [
        change(0, "created", "ada", null, "incoming"),
        change(1, "claimed", "ann", "incoming", "claimed"),
        change(2, "patched", "ada", "claimed", "incoming")
      ],
      [],
      null
    )
    assert.strictEqual(attempt!.end, "patched")
  })

  it("tells mail about a task without a history", () => {
    assert.deepStrictEqual(told(chaptersOf([], [message(1), message(2)], null)), [[undefined, undefined, undefined, 2]])
  })
})
