/** What an explanation and an empty claim cost on D1, however many tasks there are. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Workerd } from "../support/harness.ts"

const scope = "deep"
const task = (id: string, rest: object = {}) => ({ id, scope, file_path: id, branch: "b", ...rest })

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("on D1", (it) => {
  it.effect("an explanation is one trip, and an empty claim two, at any depth", () =>
    Effect.gen(function*() {
      const { send } = yield* Workerd
      const post = (path: string, body: object) => send("POST", `/api/v1/${path}`, body)
      yield* post("orchestrators/register", { scope, cluster: "k", machine_id: "m" })
      const many = (prefix: string, rest: object, length = 130) =>
        Effect.forEach(Array.from({ length }, (_, n) => `${prefix}${n}`), (id) => post("tasks", task(id, rest)))
      yield* many("ready", { role: "build" })
      yield* many("waits", { blocked_by: "ready0", role: "test" })
      yield* post("tasks", task("first", { priority: "P0" }))
      yield* post("tasks", task("last", { priority: "P3", blocked_by: "ready1,ready2,waits1,later" }))

      const first = yield* send("GET", `/api/v1/tasks/first/explain?orchestrator_id=k-m`)
      assert.strictEqual(first.body.reasons.at(-1).reason, "no_claim_yet")
      const last = yield* send("GET", "/api/v1/tasks/last/explain")
      assert.deepStrictEqual(last.body.reasons.map((found: { ahead?: number }) => found.ahead), [undefined, 100])
      const claim = { scope, orchestrator_id: "k-m", agent_name: "ann" }
      const ready = yield* post("tasks/claim", { ...claim, role_filter: "x" })
      assert.deepInclude(ready.body.waiting, { ready: 10, blocked: 10 })
      const none = yield* post("tasks/claim", { ...claim, queue: "testing" })
      assert.deepStrictEqual([first.cost.trips, first.cost.written], [1, 0])
      assert.isAtMost(first.cost.read, 25)
      assert.deepStrictEqual([last.cost.trips, last.cost.written], [1, 0])
      assert.isAtMost(last.cost.read, 25 + 4 * 4 + 100)
      for (const { cost } of [ready, none]) assert.deepStrictEqual([cost.trips, cost.written], [2, 0])
      assert.isAtMost(none.cost.read, 32)
      assert.isAtMost(ready.cost.read, 52)
    }))
})
