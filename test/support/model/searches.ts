/** Searches tasks for a text: what is found, in which order, and how many tasks are looked at. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { QueueName, ScopeName } from "../../../src/domain/Identifier.ts"
import type { Bench, Steps } from "./Bench.ts"
import type { Command } from "./Command.ts"
import { isEnd, type Task } from "./Task.ts"

type Search = Extract<Command, { readonly _tag: "Search" }>

const isBefore = (a: string, b: string) => a < b ? -1 : 1

export const make = ({ queue, world: { tasks } }: Bench): Steps<"Search"> => {
  /** The tasks of the queues, and those of them that are found: first those that are named exactly, and then in the order of the list. */
  const predict = (q: string, { queues, scope, sort }: Search) => {
    const among = [...tasks.values()].filter((task) =>
      task.scope === scope && (queues === "" || queues.split(",").includes(task.queue))
    )
    const isNamed = ({ id, key, path, queue }: Task) => id === q || path === q || (key === q && !isEnd(queue))
    const contains = ({ branch, id, key, path, title }: Task) =>
      [branch, id, key ?? "", path, title].some((text) => text.toLowerCase().includes(q.toLowerCase()))
    const inOrder = sort === "priority"
      ? (a: Task, b: Task) => a.rank - b.rank || a.created - b.created || isBefore(a.id, b.id)
      : (a: Task, b: Task) => b.created - a.created || isBefore(b.id, a.id)
    return {
      among,
      found: [
        ...among.filter(isNamed).toSorted((a, b) => isBefore(a.id, b.id)),
        ...among.filter((task) => !isNamed(task) && contains(task)).toSorted(inOrder)
      ].map(({ id }) => id)
    }
  }

  const search = Effect.fnUntraced(function*(q: string, command: Search) {
    const { limit, queues, scope, sort } = command
    const found: Array<string> = []
    let looked = 0
    for (let cursor: string | null = "first"; cursor !== null;) {
      const page: Effect.Success<ReturnType<typeof queue.list>> = yield* Effect.orDie(
        queue.list(ScopeName.make(scope), {
          q,
          limit,
          cursor,
          ...(sort === "priority" ? { sort } : {}),
          ...(queues === "" ? {} : { queue: queues.split(",").map((name) => QueueName.make(name)) })
        })
      )
      assert.isAtMost(page.tasks.length, limit)
      found.push(...page.tasks.map(({ id }) => id))
      assert.strictEqual(page.total, found.length)
      looked += page.looked_at!
      cursor = page.next_cursor
    }
    const expected = predict(q, command)
    assert.deepStrictEqual(found, expected.found, `the tasks of ${scope} with ${q}`)
    assert.strictEqual(looked, expected.among.length, `at how many tasks the search for ${q} looked`)
  })

  return {
    Search: (command) => Effect.forEach(command.texts.split(" "), (q) => search(q, command), { discard: true })
  }
}
