/** The cost of an import in D1: one round trip a request, for any size of the scope. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { task } from "../import/OldServer.ts"
import { engine, Workerd } from "../support/harness.ts"

const at = Date.UTC(2026, 2, 2)

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("an import in workerd", (it) => {
  it.effect("costs the same in a full scope as in an empty one, also with a dependency on a task of it", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const load = (scope: string, from: number, queue: string) =>
        send("POST", `/api/v1/scopes/${scope}/import`, {
          tasks: Array.from({ length: 100 }, (_, n) => {
            const id = `${scope}-${from + n}`
            const blocked_by = `${scope}-${from + n - 50},x`
            return task(id, at + n, { queue, blocked_by, content: "x".repeat(5000) })
          })
        })
      const empty = yield* load("empty", 500, "incoming")
      assert.strictEqual(empty.body.imported.tasks, 100)
      for (const from of [0, 100, 200, 300, 400]) yield* load("red", from, "done")
      const last = yield* load("red", 500, "incoming")
      assert.deepStrictEqual([last.body.imported.tasks, last.cost.trips], [100, 1])
      assert.isAtMost(last.cost.read, empty.cost.read * 1.1)
      assert.isAtMost(last.cost.written, 1500)
      const again = yield* load("red", 500, "incoming")
      assert.deepStrictEqual([again.body.existing.tasks, again.cost.written], [100, 0])

      const blocked = { id: "w", file_path: "w", branch: "b", scope: "red", blocked_by: "red-550,red-1" }
      const created = yield* send("POST", "/api/v1/tasks", blocked)
      assert.strictEqual(created.body.blocked_by, "red-550")
      // Each blocker is looked for, and so is a circle.
      // On an object, the trigger that limits a row reads it.
      assert.isAtMost(created.cost.read, engine === "objects" ? 36 : 33)
      const { body } = yield* send("GET", "/api/v1/tasks?scope=red&queue=done&limit=1")
      assert.strictEqual(body.total, 500)
    }))
})
