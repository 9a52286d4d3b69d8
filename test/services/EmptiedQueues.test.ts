/** The counters name only queues that hold tasks: lists, polls and claims read each of these names. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { migrated, migrations } from "../support/layers.ts"
import * as NodeD1 from "../support/NodeD1.ts"
import * as Server from "../support/server.ts"

const counters = (raw: ReturnType<typeof migrated>["raw"]) =>
  raw.prepare("SELECT scope, counts FROM queue_counts ORDER BY scope").all().map(({ counts, scope }) => [
    String(scope).replace("\u001f", "project "),
    JSON.parse(String(counts))
  ])

describe("the counters of queues", () => {
  it.effect("lose the name of a queue when its last task leaves, in any way", () =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      const { send } = yield* Server.make({}, () => db)
      const ask = (method: string, path: string, body?: object) =>
        Effect.map(send(method, `/api/v1${path}`, body), (answer) => {
          assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
          return answer.body
        })
      const create = (id: string, rest: object = {}) =>
        ask("POST", "/tasks", { scope: "red", id, file_path: `TASK-${id}.md`, branch: "b", ...rest })
      yield* ask("POST", "/projects", { scope: "red", id: "p", title: "t", branch: "b" })
      yield* ask("POST", "/orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })

      for (let n = 0; n < 20; n++) {
        yield* create(`moved-${n}`, { queue: `step-${n}`, project_id: "p" })
        yield* ask("PATCH", `/tasks/moved-${n}`, { queue: "done-with", title: "moved" })
        // It stays in its queue, of which it may be the only task.
        yield* ask("PATCH", `/tasks/moved-${n}`, { title: "not moved" })
      }
      assert.deepStrictEqual(counters(raw), [["project p", { "done-with": 20 }], ["red", { "done-with": 20 }]])
      for (let n = 0; n < 20; n++) yield* ask("DELETE", `/tasks/moved-${n}`)
      assert.deepStrictEqual(counters(raw), [["project p", {}], ["red", {}]])

      yield* create("one", { project_id: "p" })
      yield* ask("PATCH", "/tasks/one", { project_id: null })
      assert.deepStrictEqual(counters(raw), [["project p", {}], ["red", { incoming: 1 }]])
      yield* ask("POST", "/tasks/claim", { scope: "red", orchestrator_id: "k-m", agent_name: "ann" })
      assert.deepStrictEqual(counters(raw), [["project p", {}], ["red", { claimed: 1 }]])
      yield* ask("POST", "/tasks/one/submit", { commits_count: 1, turns_used: 1 })
      yield* ask("POST", "/tasks/one/accept", { accepted_by: "bob" })
      assert.deepStrictEqual(counters(raw), [["project p", {}], ["red", { done: 1 }]])
      yield* ask("POST", "/tasks/one/force-queue", { queue: "elsewhere", reason: "r" })
      assert.deepStrictEqual(counters(raw), [["project p", {}], ["red", { elsewhere: 1 }]])

      const depends_on = [{ task_id: "one", on_failure: "fail" }]
      for (const n of [1, 2, 3]) yield* create(`after-${n}`, { depends_on, queue: `step-${n}`, project_id: "p" })
      yield* ask("POST", "/tasks/one/force-queue", { queue: "failed", reason: "r" })
      assert.deepStrictEqual(counters(raw), [["project p", { failed: 3 }], ["red", { failed: 4 }]])

      const poll = yield* ask("GET", "/scheduler/poll?scope=red")
      assert.deepStrictEqual(poll.queue_counts, { incoming: 0, claimed: 0, provisional: 0, failed: 4 })
    }))

  it("lose the names of empty queues, which a migration removes", () => {
    const { raw } = NodeD1.make()
    for (const migration of migrations) {
      if (migration.startsWith("-- Counters hold only")) {
        raw.exec(`INSERT INTO queue_counts (scope, counts) VALUES
          ('blue', '{"incoming":2,"claimed":0,"done":0}'), ('green', '{"incoming":0}'), ('red', '{"done":7}')`)
      }
      raw.exec(migration)
    }
    assert.deepStrictEqual(counters(raw), [["blue", { incoming: 2 }], ["green", {}], ["red", { done: 7 }]])
  })
})
