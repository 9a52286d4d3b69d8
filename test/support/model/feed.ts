/** The feed of each scope, as a reader gets it: what the model predicts, each change once, in the order of numbers. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventTypes, type TaskEvent } from "../../../src/domain/feed/Event.ts"
import { ScopeName } from "../../../src/domain/Identifier.ts"
import type { Bench } from "./Bench.ts"
import type { Change } from "./Task.ts"

const scopes = ["red", "blue", "green"]

const gotText = ({ actor, event, from_queue, project_id, task_id, title, to_queue, version }: TaskEvent) =>
  JSON.stringify({ id: task_id, version, event, from: from_queue, to: to_queue, title, actor, project_id })

export const make = ({ database: { batch, sql }, events, world: { changes, tasks } }: Bench) => {
  /** What the reader of each scope has got so far. */
  const got = new Map(scopes.map((scope) => [scope, [] as Array<TaskEvent>]))
  let predicted = 0
  /** How far slow readers have come, which read a page now and then, and meet what retention left. */
  const slow = new Map(scopes.map((scope) => [scope, 0]))
  let commands = 0

  /** A change as text, with where it led: where the next change of the task finds it, or where the task is. */
  const textOf = (change: Change, place: number) => {
    const { actor, event, from, task, title, version } = change
    const next = changes.find((other, at) => at > place && other.task === task && other.version > version)
    const to = next === undefined ? (tasks.get(task.id) === task ? task.queue : null) : next.from
    return JSON.stringify({
      id: task.id,
      version,
      event,
      from,
      to,
      title,
      actor,
      project_id: task.ofProject ? "p" : null
    })
  }

  const pagesOf = Effect.fnUntraced(function*(scope: string, from: number, limit: number) {
    const found: Array<TaskEvent> = []
    let gap = false
    for (let after = from;;) {
      const page = yield* Effect.orDie(events.page(ScopeName.make(scope), { after, limit }))
      assert.isTrue(page.events.every(({ seq }, i) => seq > (page.events[i - 1]?.seq ?? after)), "numbers rise")
      assert.isAtLeast(page.next, page.events.at(-1)?.seq ?? after)
      found.push(...page.events)
      gap ||= page.gap
      after = page.next
      if (after >= page.latest) return { found, gap }
    }
  })

  /** A reader goes on from where it was: it gets the changes of the command, with the next numbers. */
  const follow = Effect.gen(function*() {
    const expected = changes.map((change, place) => place < predicted ? undefined : { change, place })
      .filter((one) => one !== undefined)
    predicted = changes.length
    for (const scope of scopes) {
      const before = got.get(scope)!
      const { found, gap } = yield* pagesOf(scope, before.length, 2)
      const own = expected.filter(({ change }) => change.task.scope === scope)
      assert.deepStrictEqual(
        found.map(gotText).toSorted(),
        own.map(({ change, place }) => textOf(change, place)).toSorted(),
        `the feed of ${scope}`
      )
      assert.isFalse(gap)
      for (const { event } of found) {
        assert.include<string>([...eventTypes], event, "the type has a name in the contract")
      }
      before.push(...found)
      assert.strictEqual(before.at(-1)?.seq ?? 0, before.length, `the numbers of ${scope} have no gap`)
    }
  })

  const isKept = Effect.map(
    batch([sql`SELECT scope, seq FROM history`]),
    ([rows = []]) => new Set(rows.map(({ scope, seq }) => `${scope} ${seq}`))
  )

  /** A slow reader gets what is left between its place and the next one, and learns whether that is all. */
  const lag = Effect.gen(function*() {
    if (++commands % 4 !== 0) return
    const kept = yield* isKept
    for (const scope of scopes) {
      const after = slow.get(scope)!
      const { events: found, gap, next } = yield* Effect.orDie(events.page(ScopeName.make(scope), { after, limit: 3 }))
      const passed = got.get(scope)!.slice(after, next)
      const left = passed.filter(({ seq }) => kept.has(`${scope} ${seq}`))
      assert.deepStrictEqual(found, left, `the feed of ${scope} from ${after} to ${next}`)
      assert.strictEqual(gap, left.length < passed.length, `whether the feed of ${scope} has a gap after ${after}`)
      slow.set(scope, next)
    }
  })

  /** A reader that begins at the end of the run gets what retention has left, and learns whether that is all. */
  const whole = Effect.gen(function*() {
    const kept = yield* isKept
    for (const scope of scopes) {
      const all = got.get(scope)!
      const left = all.filter(({ seq }) => kept.has(`${scope} ${seq}`))
      for (const limit of [3, 500]) {
        const { found, gap } = yield* pagesOf(scope, 0, limit)
        assert.deepStrictEqual(found, left, `the whole feed of ${scope}`)
        assert.strictEqual(gap, left.length < all.length, `whether the feed of ${scope} has a gap`)
      }
    }
  })

  return { follow: Effect.andThen(follow, lag), whole, got }
}
