/** Retention at any age: history except for the newest entries, and tasks that nothing refers to. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Retention from "../../../src/sql/upkeep/Retention.ts"
import type { Bench, Steps } from "./Bench.ts"
import { isEnd, record, type Task } from "./Task.ts"

export const make = ({ database: { batch, sql }, world }: Bench): Steps<"Retain"> => {
  const { clock, edges, forget, lives, past, tasks, unmet } = world

  const sweep = Effect.fnUntraced(function*(kind: Retention.Kind) {
    const sweep = { kind, before: clock.now, most: 1, now: clock.now }
    yield* batch([sql`UPDATE sweeps SET due_at = 0 WHERE name = ${kind}`])
    for (let steps = 0; steps < 1000; steps++) {
      const [[slice] = []] = yield* batch([Retention.look(sweep)])
      if (slice?.open !== 1) return
      yield* batch(Retention.step(sweep, slice as unknown as Retention.Slice))
    }
    assert.fail(`the walk through ${kind} does not end`)
  })

  const isMissed = (id: string, { scope }: Task) =>
    edges.some(({ blocker, task }) => {
      const waiting = tasks.get(task)
      return blocker === id && waiting?.scope === scope && (!isEnd(waiting.queue) || unmet(task).includes(id))
    })

  const shorten = () => {
    for (const id of new Set([...past.keys(), ...tasks.keys()])) {
      const task = tasks.get(id)
      if (task !== undefined && !isEnd(task.queue)) continue
      const before = lives.filter((life) => life.id === id)
      for (const life of before) life.entries = 0
      if (task === undefined) before.at(-1)!.entries = 1
      else task.since = task.version - 1
    }
  }

  const remove = (): void => {
    const old = [...tasks].filter(([id, task]) => isEnd(task.queue) && task.holder === null && !isMissed(id, task))
    for (const [id, task] of old) {
      record(task, "deleted", "retention")
      past.set(id, task)
      lives.push({ id, scope: task.scope, entries: task.version - task.since })
      forget((edge) => edge.task === id || (edge.blocker === id && tasks.get(edge.task)?.scope === task.scope))
      tasks.delete(id)
    }
    if (old.length > 0) remove()
  }

  return {
    // Once what missed a task has left, the next walk finds it.
    Retain: ({ kind }) =>
      Effect.map(
        Effect.repeat(sweep(kind), { times: kind === "history" ? 0 : tasks.size }),
        kind === "history" ? shorten : remove
      )
  }
}
