/** The cost in D1 of a cancellation, a failure, a backoff and a redrive. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Cost, Workerd } from "../support/harness.ts"

const scope = "ends"
const write: Cost = { trips: 1, read: 38, written: 7 }
const config = { BACKOFF_SECONDS: "1", BACKOFF_MAX_SECONDS: "1", MAX_REJECTIONS: "1" }

layer(Workerd.layerWith(config), { excludeTestServices: true, timeout: "10 minutes" })("in workerd", (it) => {
  it.effect("ending a task costs no more than any other move", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const claim = send("POST", "/api/v1/tasks/claim", { scope, orchestrator_id: "k-m", agent_name: "ann" })
      const move = Effect.fnUntraced(function*(path: string, body: object, queue: string, limit = write) {
        const { body: task, cost } = yield* send("POST", `/api/v1/tasks/a/${path}`, body)
        assert.strictEqual(task.queue, queue, JSON.stringify(task))
        assert.isAtMost(cost.trips, limit.trips, `${path}: trips`)
        assert.isAtMost(cost.read, limit.read, `${path}: rows read`)
        assert.isAtMost(cost.written, limit.written, `${path}: rows written`)
        return task
      })
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
      yield* send("POST", "/api/v1/tasks", { id: "a", scope, file_path: "a.md", branch: "b", role: "build" })
      yield* move("cancel", {}, "cancelled")
      yield* move("redrive", {}, "incoming")
      yield* claim
      yield* move("cancel", {}, "claimed")
      yield* move("cancel", {}, "claimed", { trips: 2, read: 26, written: 0 })
      yield* move("requeue", { reason: "stopped" }, "cancelled")
      yield* move("redrive", {}, "incoming")
      yield* claim
      yield* move("reject", { reason: "r", rejected_by: "x" }, "failed")
      yield* move("redrive", {}, "incoming")
      for (let attempt = 1; attempt <= 11; attempt++) {
        yield* claim
        yield* move("requeue", { release: true }, "incoming")
        yield* claim
        const { available_at } = yield* move("requeue", { reason: `attempt ${attempt}` }, "incoming")
        assert.isNotNull(available_at)
        yield* send("PATCH", "/api/v1/tasks/a", { queue: "needs_continuation" })
        yield* send("PATCH", "/api/v1/tasks/a", { queue: "incoming" })
      }
      yield* claim
      yield* move("requeue", {}, "incoming")
      assert.strictEqual((yield* claim).status, 404)
      yield* Effect.sleep("1010 millis")
      const { body, cost } = yield* claim
      assert.deepInclude(body, { id: "a", available_at: null })
      // The end of the backoff is a change of its own: recorded, and moved from one index to another.
      assert.deepStrictEqual([cost.trips, cost.read <= 60, cost.written <= 10], [1, true, true], JSON.stringify(cost))
    }))
})
