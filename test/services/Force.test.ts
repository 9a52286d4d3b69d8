/** Force-queue over real SQL: what not even an administrator may do. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TaskId } from "../../src/domain/Identifier.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { ServicesLayer } from "../support/layers.ts"

describe("TaskQueue.force", () => {
  it.effect("grants no blocked task, even if it named no holder before", () =>
    Effect.gen(function*() {
      const tasks = yield* TaskQueue
      const id = TaskId.make("a")
      yield* tasks.create("red", { id, file_path: "a", branch: "b" })
      yield* tasks.patch(id, { queue: "claimed" }, undefined)
      yield* tasks.patch(id, { blocked_by: "other" }, undefined)
      const refused = yield* Effect.flip(tasks.force(id, { queue: "claimed", reason: "r" }, undefined))
      assert.strictEqual(refused._tag, "TaskBlocked")
      assert.strictEqual((yield* tasks.get(id, undefined)).fencing_token, 1)
    }).pipe(Effect.provide(ServicesLayer)))
})
