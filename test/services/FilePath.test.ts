/** A path is of one task in its scope, also where no index says so: where a file is named after its task. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Server from "../support/server.ts"

const own = "TASK-a.md"

/** Two tasks that want the same path: the one it is named after, and another. */
const orders = [[["a", "b"]], [["b", "a"]]] as const

describe("the path of a task", () => {
  it.effect.each(orders)("is taken by one task only, in any order: %s", ([[first, second]]) =>
    Effect.gen(function*() {
      const { send } = yield* Server.make()
      const create = (id: string, scope = "red") =>
        send("POST", "/api/v1/tasks", { id, scope, file_path: own, branch: "b" })
      assert.strictEqual((yield* create(first)).status, 201)
      const refused = yield* create(second)
      assert.strictEqual(refused.status, 409)
      assert.include(refused.body, { field: "file_path", task_id: second })
      const again = yield* create(first)
      assert.strictEqual(again.status, 409)
      assert.include(again.body, { field: "id" })
      assert.strictEqual((yield* create("c", "blue")).status, 201, "another scope has its own")
      yield* send("DELETE", `/api/v1/tasks/${first}?scope=red`)
      assert.strictEqual((yield* create(second)).status, 201, "it is free again")
    }))

  it.effect.each(orders)(
    "is taken by one imported task only, as the dry run predicts: %s",
    ([order]) =>
      Effect.gen(function*() {
        const { send } = yield* Server.make()
        const at = "2026-01-01T00:00:00Z"
        const load = (dry_run: boolean) =>
          send("POST", "/api/v1/scopes/red/import", {
            dry_run,
            tasks: order.map((id) => ({ id, file_path: own, branch: "b", queue: "incoming", created_at: at }))
          })
        const foretold = yield* load(true)
        assert.strictEqual(foretold.body.imported.tasks, 1, JSON.stringify(foretold.body))
        const done = yield* load(false)
        assert.deepStrictEqual(done.body, { ...foretold.body, dry_run: false })
        const { body } = yield* send("GET", "/api/v1/tasks?scope=red")
        assert.deepStrictEqual(body.tasks.map(({ id }: { readonly id: string }) => id), ["a"])
      })
  )
})
