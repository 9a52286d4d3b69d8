/** A create that is refused, under the name of a task that exists. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProjectId, TaskId } from "../../src/domain/Identifier.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"
import { ServicesLayer } from "../support/layers.ts"

describe("a refused create", () => {
  it.effect("says why, and changes nothing, also under the name of a task that exists", () =>
    Effect.gen(function*() {
      const tasks = yield* TaskQueue
      const { batch, sql } = yield* Database
      const task = { id: TaskId.make("a"), file_path: "a", branch: "b" }
      yield* tasks.create("red", task)
      const stored = batch([
        sql`SELECT * FROM tasks`,
        sql`SELECT * FROM history`,
        sql`SELECT * FROM queue_counts ORDER BY scope`
      ])
      const before = yield* stored
      const refused = yield* Effect.flip(tasks.create("red", { ...task, project_id: ProjectId.make("unknown") }))
      assert.strictEqual(refused._tag, "InvalidTask")
      assert.include(refused.error, "unknown")
      assert.deepStrictEqual(yield* stored, before)
      yield* tasks.patch(task.id, { title: "t" }, undefined)
      assert.strictEqual((yield* tasks.history(task.id, undefined)).total, 2)
    }).pipe(Effect.provide(ServicesLayer)))
})
