/** The totals of lists that nothing narrows: kept with every record that comes or goes, once the cron has counted. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as Server from "../support/server.ts"

describe("the totals of lists", () => {
  it.effect("are right before and after the cron has counted", () =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      const config = { RETAIN_MESSAGES_DAYS: "1" }
      const { send } = yield* Server.make(config, () => db)
      const tick = Maintenance.use(({ tick }) => tick).pipe(Effect.provide(servicesWith(config, () => db)))
      const ask = (method: string, path: string, body?: object) =>
        Effect.map(send(method, `/api/v1${path}`, body), (answer) => {
          assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
          return answer.body
        })
      const make = Effect.fnUntraced(function*(n: number) {
        yield* ask("POST", "/messages", { scope: "red", task_id: "t", from_actor: "a", type: "comment", content: "c" })
        yield* ask("POST", "/projects", { scope: "red", id: `p${n}`, title: "t", branch: "b" })
        const draft = yield* ask("POST", "/drafts", { scope: "red", title: "t", author: "a" })
        return draft.id as number
      })
      const totals = Effect.fnUntraced(function*() {
        const kept = raw.prepare(
          "SELECT messages_total, projects_total, drafts_total FROM queue_counts WHERE scope = 'red'"
        ).get()
        const answered: Array<number> = []
        for (const kind of ["messages", "projects", "drafts"]) {
          answered.push((yield* ask("GET", `/${kind}?scope=red&limit=1`)).total)
        }
        return { kept: Object.values(kept ?? {}), answered }
      })
      const first = yield* make(1)
      yield* make(2)
      assert.deepStrictEqual(yield* totals(), { kept: [null, null, null], answered: [2, 2, 2] })
      yield* tick
      assert.deepStrictEqual(yield* totals(), { kept: [2, 2, 2], answered: [2, 2, 2] })
      yield* make(3)
      yield* ask("DELETE", `/drafts/${first}`)
      yield* ask("DELETE", "/projects/p1")
      yield* ask("PATCH", "/projects/p2", { title: "u" })
      assert.deepStrictEqual(yield* totals(), { kept: [3, 2, 2], answered: [3, 2, 2] })
      yield* ask("POST", "/tasks", { scope: "red", id: "t", file_path: "t", branch: "b" })
      yield* ask("POST", "/tasks/t/force-queue", { queue: "failed", reason: "r" })
      assert.deepStrictEqual(yield* totals(), { kept: [4, 2, 2], answered: [4, 2, 2] }, "a notice is a message")
      const at = "2026-01-01T00:00:00Z"
      yield* ask("POST", "/scopes/red/import", {
        drafts: [7, 8].map((id) => ({ id, title: "t", author: "a", created_at: at, updated_at: at })),
        projects: [{ id: "p9", title: "t", branch: "b", created_at: at }, { id: "p2", title: "t", created_at: at }]
      })
      assert.deepStrictEqual(yield* totals(), { kept: [4, 3, 4], answered: [4, 3, 4] })
      yield* TestClock.adjust("2 days")
      yield* make(10)
      yield* tick
      assert.deepStrictEqual(
        yield* totals(),
        { kept: [1, 4, 5], answered: [1, 4, 5] },
        "what left by age is not counted"
      )
    }))
})

describe("the counters of a project", () => {
  it.effect("count its tasks after every move", () =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      const { send } = yield* Server.make({}, () => db)
      const tick = Maintenance.use(({ tick }) => tick).pipe(Effect.provide(servicesWith({}, () => db)))
      const ask = (method: string, path: string, body?: object) =>
        Effect.map(send(method, `/api/v1${path}`, body), (answer) => {
          assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
          return answer.body
        })
      const kept = (project: string) => {
        const row = raw.prepare("SELECT counts FROM queue_counts WHERE scope = char(31) || ?").get(project)
        if (row === undefined) return undefined
        const counts: Record<string, number> = JSON.parse(String(row["counts"]))
        return Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0))
      }
      const total = (filter: string) =>
        Effect.map(ask("GET", `/tasks?scope=red&limit=1&${filter}`), ({ total }) => total as number)
      yield* ask("POST", "/orchestrators/register", { cluster: "k", machine_id: "m", scope: "red" })
      yield* ask("POST", "/projects", { scope: "red", id: "old", title: "t", branch: "b" })
      // As if it were from before there were any.
      raw.exec("DELETE FROM queue_counts WHERE scope = char(31) || 'old'")
      for (const id of ["a", "b"]) {
        yield* ask("POST", "/tasks", { scope: "red", id, file_path: id, branch: "b", project_id: "old" })
      }
      assert.isUndefined(kept("old"))
      assert.strictEqual(yield* total("project_id=old"), 2)
      yield* tick
      assert.deepStrictEqual(kept("old"), { incoming: 2 })
      yield* ask("POST", "/projects", { scope: "red", id: "new", title: "t", branch: "b" })
      assert.deepStrictEqual(kept("new"), {})
      yield* ask("PATCH", "/tasks/b", { project_id: "new" })
      assert.deepStrictEqual([kept("old"), kept("new")], [{ incoming: 1 }, { incoming: 1 }])
      yield* ask("PATCH", "/tasks/b", { project_id: "old", queue: "provisional" })
      assert.deepStrictEqual(
        [kept("old"), kept("new")],
        [{ incoming: 1, provisional: 1 }, {}],
        "and of its queue at once"
      )
      yield* ask("PATCH", "/tasks/b", { project_id: "new", queue: "incoming" })
      assert.deepStrictEqual([kept("old"), kept("new")], [{ incoming: 1 }, { incoming: 1 }])
      yield* ask("POST", "/tasks/claim", { scope: "red", orchestrator_id: "k-m", agent_name: "ann" })
      assert.deepStrictEqual(kept("old"), { claimed: 1 })
      yield* ask("POST", "/tasks/a/submit", { commits_count: 1, turns_used: 1 })
      yield* ask("POST", "/tasks/a/accept", { accepted_by: "bob" })
      assert.deepStrictEqual(kept("old"), { done: 1 })
      yield* ask("POST", "/tasks/claim", { scope: "red", orchestrator_id: "k-m", agent_name: "ann" })
      yield* TestClock.adjust("2 hours")
      yield* tick
      assert.deepStrictEqual(kept("new"), { incoming: 1 }, "an expired lease")
      yield* ask("POST", "/tasks", {
        scope: "red",
        id: "c",
        file_path: "c",
        branch: "b",
        project_id: "new",
        depends_on: [{ task_id: "b", on_failure: "fail" }]
      })
      yield* ask("POST", "/tasks/b/fail", { reason: "r" })
      assert.deepStrictEqual(kept("new"), { failed: 2 }, "one failed with the other")
      assert.strictEqual(yield* total("project_id=new&queue=failed"), 2)
      assert.strictEqual(yield* total("project_id=new&queue=incoming"), 0)
      assert.strictEqual((yield* ask("GET", "/tasks?scope=blue&project_id=new")).total, 0, "another scope sees nothing")
      const at = "2026-01-01T00:00:00Z"
      yield* ask("POST", "/scopes/red/import", {
        projects: [{ id: "copied", title: "t", branch: "b", created_at: at }],
        tasks: ["d", "e"].map((id) => ({
          id,
          file_path: id,
          branch: "b",
          queue: "incoming",
          created_at: at,
          project_id: id === "d" ? "copied" : "new"
        }))
      })
      assert.deepStrictEqual([kept("copied"), kept("new")], [{ incoming: 1 }, { failed: 2, incoming: 1 }])
      yield* ask("DELETE", "/tasks/d")
      assert.deepStrictEqual(kept("copied"), {})
      yield* ask("DELETE", "/projects/copied")
      assert.isUndefined(kept("copied"))
    }))
})
