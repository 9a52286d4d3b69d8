/** Reads a scope: it shows its own tasks, and no others. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ScopeName } from "../../../src/domain/Identifier.ts"
import { type Bench, idOf, type Steps } from "./Bench.ts"

const ids = (tasks: ReadonlyArray<{ readonly id: string }>) => tasks.map(({ id }) => id).toSorted()

export const make = ({ queue, scheduler, world: { lives, past, tasks } }: Bench): Steps<"Look"> => ({
  Look: Effect.fnUntraced(function*(command) {
    const scope = ScopeName.make(command.scope)
    const own = [...tasks.values()].filter((task) => task.scope === scope)
    const listed = yield* Effect.orDie(queue.list(scope, { limit: 100 }))
    assert.deepStrictEqual(ids(listed.tasks), ids(own), "a list shows what is in its scope")
    assert.strictEqual(listed.total, own.length)
    const polled = yield* Effect.orDie(scheduler.poll({ orchestrator_id: undefined, scope }))
    const reviewable = own.filter(({ queue }) => queue === "provisional")
    assert.deepStrictEqual(ids(polled.provisional_tasks), ids(reviewable), "a poll shows what is in its scope")
    for (const id of new Set([...past.keys(), ...tasks.keys()])) {
      const task = own.find((task) => task.id === id)
      const before = lives.filter((life) => life.id === id && life.scope === scope)
      const entries = before.reduce(
        (sum, life) => sum + life.entries,
        task === undefined ? 0 : task.version - task.since
      )
      const found = yield* Effect.result(queue.history(idOf({ id }), scope))
      assert.strictEqual(found._tag === "Success" ? found.success.total : 0, entries, `history of ${id} in ${scope}`)
    }
  })
})
