/** What idempotency keys cost on D1, and that they hold there. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Cost, Workerd } from "../support/harness.ts"

const within = (name: string, cost: Cost, limit: Cost) => {
  assert.isTrue(
    cost.trips <= limit.trips && cost.read <= limit.read && cost.written <= limit.written,
    `${name} cost ${JSON.stringify(cost)}, allowed is ${JSON.stringify(limit)}`
  )
}

const machine = { cluster: "k", machine_id: "m", scope: "keyed" }
const task = (id: string, rest: object = {}) => ({ id, file_path: id, branch: "b", scope: "keyed", ...rest })
const claim = { scope: "keyed", orchestrator_id: "k-m", agent_name: "ann" }

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("in workerd", (it) => {
  it.effect("a request under a key costs one written row more, and its repetition next to nothing", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      yield* send("POST", "/api/v1/orchestrators/register", machine)
      const move = { trips: 1, read: 38, written: 7 }
      const post = Effect.fnUntraced(function*(name: string, path: string, body: object, limit: Cost) {
        const first = yield* send("POST", path, body, undefined, name)
        assert.isBelow(first.status, 300, JSON.stringify(first.body))
        within(name, first.cost, limit)
        const again = yield* send("POST", path, body, undefined, name)
        assert.deepStrictEqual([again.status, again.body], [first.status, first.body], name)
        within(`${name} again`, again.cost, { trips: 2, read: 36, written: 0 })
        return first.body
      })
      const life = Effect.fnUntraced(function*(id: string) {
        const path = `/api/v1/tasks/${id}`
        const urgent = task(id, { priority: "P0", role: "build" })
        yield* post(`create ${id}`, "/api/v1/tasks", urgent, { trips: 1, read: 12, written: 9 })
        const claimed = yield* post(`claim ${id}`, "/api/v1/tasks/claim", claim, move)
        assert.strictEqual(claimed.id, id)
        yield* post(`submit ${id}`, `${path}/submit`, { commits_count: 1, turns_used: 1 }, move)
        yield* post(`reject ${id}`, `${path}/reject`, { reason: "r", rejected_by: "x" }, move)
        yield* post(`claim as build ${id}`, "/api/v1/tasks/claim", { ...claim, role_filter: "build" }, move)
        yield* post(`requeue ${id}`, `${path}/requeue`, { scope: "keyed" }, move)
        yield* post(`claim once more ${id}`, "/api/v1/tasks/claim", claim, move)
        yield* post(`accept ${id}`, `${path}/accept`, { accepted_by: "x" }, move)
        yield* post(`heartbeat ${id}`, "/api/v1/orchestrators/k-m/heartbeat", {}, { trips: 1, read: 13, written: 2 })
        yield* post(`mail about ${id}`, "/api/v1/messages", {
          scope: "keyed",
          task_id: id,
          from_actor: "a",
          type: "comment",
          content: "c"
        }, { trips: 1, read: 12, written: 9 })
      })
      yield* life("first")
      yield* Effect.forEach(
        Array.from({ length: 60 }, (_, i) => i),
        (i) => send("POST", "/api/v1/tasks", task(`deep-${i}`, { role: "build" })),
        { concurrency: 10 }
      )
      yield* life("last")
    }))

  it.effect("a request and its simultaneous repetition have one effect", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      yield* send("POST", "/api/v1/orchestrators/register", { ...machine, scope: "twice" })
      const numbers = Array.from({ length: 10 }, (_, i) => i)
      yield* Effect.forEach(numbers, (i) => send("POST", "/api/v1/tasks", task(`twice-${i}`, { scope: "twice" })))
      const grants = yield* Effect.forEach(
        [...numbers, ...numbers],
        (i) => send("POST", "/api/v1/tasks/claim", { ...claim, scope: "twice" }, undefined, `twice-${i}`),
        { concurrency: 20 }
      )
      assert.deepStrictEqual(grants.slice(0, 10).map(({ body }) => body), grants.slice(10).map(({ body }) => body))
      assert.strictEqual(new Set(grants.map(({ body }) => body.id)).size, 10)
    }))
})
