/** Projects, drafts and orchestrators over HTTP: what plain clients send and get. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

describe("/api/v1/projects", () => {
  it.effect("create, read, list, change, delete", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const created = yield* send("POST", "/api/v1/projects", { id: "p", title: "P", branch: "feature/p" })
      assert.strictEqual(created.status, 201)
      assert.include(created.body, {
        id: "p",
        status: "draft",
        base_branch: "main",
        auto_accept: false,
        flow: "project"
      })
      const again = yield* send("POST", "/api/v1/projects", { id: "p", title: "P", branch: "b" })
      assert.deepStrictEqual([again.status, again.body.error], [409, "Project p already exists"])

      const task = yield* send("POST", "/api/v1/tasks", { id: "t", file_path: "t", branch: "main", project_id: "p" })
      assert.strictEqual(task.body.branch, "feature/p", "a task of a project is on its branch")
      const elsewhere = { id: "u", file_path: "u", branch: "main", project_id: "p", scope: "elsewhere" }
      assert.strictEqual((yield* send("POST", "/api/v1/tasks", elsewhere)).status, 400, "of its own scope only")
      const tasks = yield* send("GET", "/api/v1/projects/p/tasks")
      assert.deepStrictEqual([tasks.body.project_id, tasks.body.total, tasks.body.tasks[0].id], ["p", 1, "t"])
      const kept = yield* send("DELETE", "/api/v1/projects/p")
      assert.strictEqual(kept.status, 409)
      assert.include(kept.body, {
        error: "Cannot delete project p: has 1 tasks",
        hint: "Delete or unlink tasks first"
      })

      const patched = yield* send("PATCH", "/api/v1/projects/p", { status: "completed", pr_number: 7, pr_url: "u" })
      assert.include(patched.body, { status: "completed", pr_number: 7, pr_url: "u" })
      assert.isString(patched.body.completed_at)
      assert.strictEqual((yield* send("GET", "/api/v1/projects?status=completed")).body.total, 1)
      yield* send("DELETE", "/api/v1/tasks/t")
      assert.deepStrictEqual((yield* send("DELETE", "/api/v1/projects/p")).body, { message: "Project p deleted" })
      assert.strictEqual((yield* send("GET", "/api/v1/projects/p")).status, 404)
    }))

  it.effect("have counters at once, however they are made: no task can name a project before it exists", () =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      const { send } = yield* server.make({}, () => db)
      const post = (path: string, body: object) => send("POST", `/api/v1/${path}`, body)
      yield* post("tasks", { id: "t", file_path: "t.md", branch: "b" })
      assert.throws(() => raw.exec("UPDATE tasks SET project_id = 'made'"), /FOREIGN KEY constraint failed/)
      const project = { title: "P", branch: "b" }
      yield* post("projects", { id: "made", ...project })
      const draft = yield* post("drafts", { title: "D", author: "ada" })
      yield* post(`drafts/${draft.body.id}/promote`, { project: { id: "promoted", ...project } })
      yield* post("scopes/default/import", {
        projects: [{ id: "imported", created_at: "2026-01-01T00:00:00Z", ...project }]
      })
      const begun = raw.prepare("SELECT substr(scope, 2) AS id FROM queue_counts WHERE scope < ' ' ORDER BY id").all()
      assert.deepStrictEqual(begun.map(({ id }) => id), ["imported", "made", "promoted"])
      for (const { id } of begun) {
        yield* send("PATCH", "/api/v1/tasks/t", { project_id: id })
        assert.deepStrictEqual((yield* send("GET", `/api/v1/projects/${id}`)).body.counts, { incoming: 1 })
      }
    }))
})

describe("/api/v1/drafts", () => {
  it.effect("create, read, list, change, delete", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const created = yield* send("POST", "/api/v1/drafts", { title: "D", author: "ada", tags: ["a", "b"], id: "slug" })
      assert.strictEqual(created.status, 201)
      assert.include(created.body, { id: 1, status: "idea", tags: "[\"a\",\"b\"]" })
      const patched = yield* send("PATCH", "/api/v1/drafts/1", { tags: null, status: "approved", linked_task_id: "t" })
      assert.include(patched.body, { tags: null, status: "approved", linked_task_id: "t" })
      assert.strictEqual((yield* send("GET", "/api/v1/drafts?author=ada&status=approved")).body.total, 1)
      assert.strictEqual((yield* send("GET", "/api/v1/drafts?author=bob")).body.total, 0)
      assert.strictEqual((yield* send("GET", "/api/v1/drafts/1abc")).status, 400)
      assert.deepStrictEqual((yield* send("DELETE", "/api/v1/drafts/1")).body, { message: "Draft 1 deleted" })
      assert.strictEqual((yield* send("DELETE", "/api/v1/drafts/1")).status, 404)
    }))
})

describe("/api/v1/orchestrators", () => {
  it.effect("register, heartbeat, list, maintenance", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const machine = { cluster: "k", machine_id: "m", capabilities: { gpu: true } }
      assert.strictEqual((yield* send("POST", "/api/v1/orchestrators/register", machine)).status, 201)
      const known = yield* send("POST", "/api/v1/orchestrators/register", machine)
      assert.deepStrictEqual([known.status, known.body.orchestrator_id, known.body.known], [200, "k-m", true])
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k-l", machine_id: "m" })
      const taken = yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "l-m" })
      assert.deepStrictEqual([taken.status, taken.body._tag], [409, "OrchestratorTaken"])
      yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "maintenance" })
      assert.include((yield* send("POST", "/api/v1/orchestrators/k-m/heartbeat")).body, { success: true })
      const listed = yield* send("GET", "/api/v1/orchestrators")
      assert.include(listed.body.orchestrators.find(({ id }: { readonly id: string }) => id === "k-m"), {
        id: "k-m",
        status: "maintenance",
        capabilities: "{\"gpu\":true}"
      })
      assert.strictEqual((yield* send("POST", "/api/v1/orchestrators/none/heartbeat")).status, 404)
      assert.deepStrictEqual((yield* send("DELETE", "/api/v1/orchestrators/k-m")).body, {
        message: "Orchestrator deleted",
        orchestrator_id: "k-m"
      })
      assert.strictEqual((yield* send("DELETE", "/api/v1/orchestrators/k-m")).status, 404)
      assert.strictEqual((yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "asleep" })).status, 400)
    }))

  it.effect.each(
    [
      ["POST", "/api/v1/projects", {}, 400, "Missing required fields: id, title, branch"],
      ["PATCH", "/api/v1/projects/none", { title: "x" }, 404, "Project none not found"],
      ["POST", "/api/v1/drafts", { title: "x" }, 400, "Missing required fields: author ("],
      ["PATCH", "/api/v1/drafts/9", { title: "x" }, 404, "Draft 9 not found"],
      ["PATCH", "/api/v1/drafts/9", {}, 400, "No fields to update"],
      ["GET", "/api/v1/drafts/0", undefined, 400, ""],
      ["GET", "/api/v1/drafts/99999999999999999999", undefined, 400, ""],
      ["POST", "/api/v1/orchestrators/register", {}, 400, "Missing required fields: cluster, machine_id ("],
      ["PATCH", "/api/v1/orchestrators/none", {}, 400, "Missing field: status"],
      ["GET", "/api/v1/orchestrators/none", undefined, 404, "not found"]
    ] as const
  )("%s %s %j", ([method, path, body, status, text]) =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const answer = yield* send(method, path, body)
      assert.strictEqual(answer.status, status, JSON.stringify(answer.body))
      assert.include(answer.body.error, text)
    }))
})
