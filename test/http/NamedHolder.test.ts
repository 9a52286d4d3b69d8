/** The name that a PATCH to `failed` or `cancelled` gives: it is shown as `claimed_by`, and there is no lease. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as server from "../support/server.ts"

const noLease = {
  claimed_at: null,
  lease_expires_at: null,
  fencing_token: null,
  deadline_at: null,
  orchestrator_id: null
}

const start = Effect.gen(function*() {
  const { send } = yield* server.make()
  yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* send("POST", "/api/v1/tasks", { id: "t", file_path: "t", branch: "b" })
  const patch = (body: object) => Effect.map(send("PATCH", "/api/v1/tasks/t", body), (answer) => answer.body)
  const read = Effect.map(send("GET", "/api/v1/tasks/t"), (answer) => answer.body)
  const claim = Effect.map(
    send("POST", "/api/v1/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" }),
    (answer) => answer.body
  )
  return { send, patch, read, claim }
})

describe.each(["failed", "cancelled"])("a PATCH to %s that names who held the task", (queue) => {
  it.effect("keeps the name without a lease, whether or not the task was held", () =>
    Effect.gen(function*() {
      const { claim, patch, read, send } = yield* start
      assert.include(yield* patch({ queue, claimed_by: "x" }), { queue, claimed_by: "x", ...noLease })
      assert.include(yield* read, { queue, claimed_by: "x", ...noLease })
      const listed = (yield* send("GET", `/api/v1/tasks?queue=${queue}`)).body.tasks[0]
      assert.include(listed, { claimed_by: "x", ...noLease })

      yield* patch({ queue: "incoming" })
      assert.include(yield* claim, { id: "t", claimed_by: "ann" })
      assert.include(yield* patch({ queue, claimed_by: "ann" }), { queue, claimed_by: "ann", ...noLease })
    }))

  it.effect("leaves nothing for the reaper: the task stays in its queue", () =>
    Effect.gen(function*() {
      const { claim, patch, read, send } = yield* start
      const before = yield* patch({ queue, claimed_by: "x" })
      yield* TestClock.adjust("2 days")
      assert.include(yield* claim, { _tag: "NoTasksAvailable" })
      assert.deepStrictEqual(yield* read, before)
      yield* send("PATCH", "/api/v1/tasks/t", { title: "another" })
      assert.include(yield* read, { queue, claimed_by: "x", title: "another" })
    }))

  it.effect("no longer shows the name after the task leaves or a PATCH clears it", () =>
    Effect.gen(function*() {
      const { patch, read, send } = yield* start
      yield* patch({ queue, claimed_by: "x" })
      assert.include(yield* patch({ claimed_by: null }), { queue, claimed_by: null })
      for (const leave of ["redrive", "force-queue", "patch"]) {
        yield* patch({ queue, claimed_by: "x" })
        if (leave === "redrive") yield* send("POST", "/api/v1/tasks/t/redrive")
        else if (leave === "force-queue") {
          yield* send("POST", "/api/v1/tasks/t/force-queue", { queue: "incoming", reason: "r" })
        } else yield* patch({ queue: "incoming" })
        assert.include(yield* read, { queue: "incoming", claimed_by: null }, leave)
        assert.include(yield* patch({ queue }), { queue, claimed_by: null }, leave)
        yield* patch({ queue: "incoming" })
      }
    }))
})
