/** Which tasks an edge means, and what becomes of edges when those are deleted, imported or written back as they are shown. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskId } from "../../src/domain/Identifier.ts"
import { ImportBatch } from "../../src/domain/transfer/Import.ts"
import { Dependencies } from "../../src/services/dependency/Dependencies.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Import } from "../../src/services/transfer/Import.ts"
import { Database } from "../../src/sql/Database.ts"
import { task as imported } from "../import/OldServer.ts"
import { ServicesLayer } from "../support/layers.ts"

const id = TaskId.make
const decode = Schema.decodeUnknownSync(ImportBatch)
const create = (name: string, blocked_by?: string) =>
  TaskQueue.use((queue) =>
    queue.create("red", { id: id(name), file_path: name, branch: "b", blocked_by: blocked_by ?? null })
  )
const read = (name: string) => TaskQueue.use((queue) => queue.get(id(name), undefined))
const remove = (name: string) => TaskQueue.use((queue) => queue.remove(id(name), undefined))
const force = (name: string, queue: string) =>
  TaskQueue.use((tasks) => tasks.force(id(name), { queue, reason: "r" }, undefined))

describe("an edge to TASK-x", () => {
  it.effect("stays if x is deleted and TASK-x exists", () =>
    Effect.gen(function*() {
      yield* create("x")
      yield* create("TASK-x")
      yield* create("w", "TASK-x")
      yield* create("v", "x,TASK-x")
      yield* remove("x")
      assert.strictEqual((yield* read("w")).blocked_by, "TASK-x")
      assert.strictEqual((yield* read("v")).blocked_by, "TASK-x")
      yield* remove("TASK-x")
      assert.isNull((yield* read("w")).blocked_by)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("fails with TASK-x only where x is not done", () =>
    Effect.gen(function*() {
      const names = ["x", "y"]
      for (const name of names) {
        yield* create(name)
        yield* create(`TASK-${name}`)
        yield* TaskQueue.use((tasks) =>
          tasks.create("red", {
            id: id(`w-${name}`),
            file_path: `w-${name}`,
            branch: "b",
            depends_on: [{ task_id: id(`TASK-${name}`), on_failure: "fail" }]
          })
        )
      }
      yield* force("x", "done")
      for (const name of names) {
        yield* TaskQueue.use((tasks) => tasks.fail(id(`TASK-${name}`), { reason: "r" }, undefined))
      }
      assert.strictEqual((yield* read("w-x")).queue, "incoming")
      assert.strictEqual((yield* read("w-y")).queue, "failed")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("waits for TASK-x again if only x was done", () =>
    Effect.gen(function*() {
      yield* create("x")
      yield* create("TASK-x")
      yield* create("w", "TASK-x")
      yield* force("x", "done")
      assert.isNull((yield* read("w")).blocked_by)
      yield* remove("x")
      const waiting = yield* read("w")
      assert.strictEqual(waiting.blocked_by, "TASK-x")
      const { batch, sql } = yield* Database
      const [events] = yield* batch([sql`SELECT count(*) AS events FROM history WHERE task_id = 'w'`])
      assert.deepStrictEqual(events, [{ events: waiting.version }])
    }).pipe(Effect.provide(ServicesLayer)))
})

describe("blocked_by", () => {
  it.effect("does not change if it is sent back as the task shows it", () =>
    Effect.gen(function*() {
      const { patch } = yield* TaskQueue
      for (const name of ["a", "b"]) yield* create(name)
      yield* create("w", "a,b")
      yield* force("a", "done")
      const shown = yield* read("w")
      assert.strictEqual(shown.blocked_by, "b")
      assert.deepStrictEqual(yield* patch(id("w"), { blocked_by: "b" }, undefined), shown)
      yield* force("b", "done")
      const free = yield* read("w")
      assert.deepStrictEqual(yield* patch(id("w"), { blocked_by: null }, undefined), free)
      const { dependencies } = yield* Dependencies.use(({ list }) => list(id("w"), undefined))
      assert.deepStrictEqual(dependencies.map(({ blocker_id }) => blocker_id), ["a", "b"])
    }).pipe(Effect.provide(ServicesLayer)))
})

describe("an import", () => {
  it.effect("with on_failure skip is satisfied if its blocker fails or is cancelled", () =>
    Effect.gen(function*() {
      const { create } = yield* TaskQueue
      const depends_on = ["failed", "cancelled", "provisional"].map((name) => ({
        task_id: id(name),
        on_failure: "skip" as const
      }))
      yield* create("red", { id: id("w"), file_path: "w", branch: "b", depends_on })
      const tasks = ["failed", "cancelled", "provisional"].map((queue) => imported(queue, 0, { queue }))
      const { run } = yield* Import
      yield* run("red", decode({ tasks }))
      assert.include(yield* read("w"), { blocked_by: "provisional", version: 2 })
    }).pipe(Effect.provide(ServicesLayer)))
})

describe("a circle that is too long to follow", () => {
  it.effect("is refused as a circle", () =>
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      yield* batch([
        sql`
          WITH RECURSIVE n (i) AS (SELECT 10000 UNION SELECT i + 1 FROM n WHERE i < 12500)
          INSERT INTO dependencies (scope, blocker_key, blocker_id, task_id, position) SELECT 'red', 'a', 'a', 'w' || i, 0 FROM n`
      ])
      const refused = yield* Effect.flip(create("a", "w12500"))
      assert.deepInclude(refused, { _tag: "DependencyCycle", path: ["a", "w12500"] })
      yield* create("a")
      const patched = yield* TaskQueue.use(({ patch }) =>
        Effect.flip(patch(id("a"), { blocked_by: "w12500" }, undefined))
      )
      assert.deepInclude(patched, { _tag: "DependencyCycle", path: ["a", "w12500"] })
    }).pipe(Effect.provide(ServicesLayer)))
})
