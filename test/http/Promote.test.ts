/** A draft becomes a task or a project, and both name each other. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as server from "../support/server.ts"

const drafts = "/api/v1/drafts"
const key = { "idempotency-key": "one" }

/** A server with a draft. */
const withDraft = Effect.gen(function*() {
  const { send } = yield* server.make()
  const { body } = yield* send("POST", drafts, { title: "An idea", author: "ada" })
  return { send, path: `${drafts}/${body.id}`, id: body.id as number }
})

describe("POST /api/v1/drafts/:id/promote", () => {
  it.effect("makes a task that names the draft, and the draft names the task", () =>
    Effect.gen(function*() {
      const { id, path, send } = yield* withDraft
      const { body, status } = yield* send("POST", `${path}/promote`, { task: { id: "t", priority: "P1" } })
      assert.strictEqual(status, 201)
      assert.deepInclude(body, { draft_id: id, project: null })
      assert.deepInclude(body.task, {
        id: "t",
        title: "An idea",
        file_path: "TASK-t.md",
        branch: "main",
        priority: "P1",
        draft_id: id
      })
      assert.deepInclude((yield* send("GET", path)).body, {
        linked_task_id: "t",
        linked_project_id: null,
        status: "promoted"
      })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/t")).body.draft_id, id)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/t/history")).body.total, 1)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks?queue=incoming")).body.total, 1)
    }))

  it.effect("makes a project that names the draft, and counts it once", () =>
    Effect.gen(function*() {
      const { id, path, send } = yield* withDraft
      const promotion = { project: { id: "p", branch: "feature/p", title: "Another title" } }
      const { body, status } = yield* send("POST", `${path}/promote`, promotion)
      assert.strictEqual(status, 201)
      assert.deepInclude(body.project, { id: "p", title: "Another title", branch: "feature/p", draft_id: id })
      assert.deepInclude((yield* send("GET", path)).body, { linked_project_id: "p", status: "promoted" })
      const again = yield* send("POST", `${path}/promote`, promotion)
      assert.deepInclude(again.body, { _tag: "DraftPromoted", linked_project_id: "p", linked_task_id: null })
      assert.strictEqual((yield* send("GET", "/api/v1/projects")).body.total, 1)
      assert.strictEqual((yield* send("GET", "/api/v1/projects/p")).body.draft_id, id)
    }))

  it.effect("refuses a second promotion and creates nothing", () =>
    Effect.gen(function*() {
      const { path, send } = yield* withDraft
      yield* send("POST", `${path}/promote`, { task: { id: "t" } })
      for (const body of [{ task: { id: "u" } }, { project: { id: "u", branch: "b" } }]) {
        const again = yield* send("POST", `${path}/promote`, body)
        assert.strictEqual(again.status, 409)
        assert.deepInclude(again.body, { _tag: "DraftPromoted", linked_task_id: "t" })
      }
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/u")).status, 404)
      yield* send("PATCH", path, { linked_task_id: null })
      assert.strictEqual((yield* send("POST", `${path}/promote`, { task: { id: "u" } })).status, 201)
    }))

  it.effect("of several promotions at once, one succeeds", () =>
    Effect.gen(function*() {
      const { path, send } = yield* withDraft
      const bodies = [{ task: { id: "t" } }, { project: { id: "p", branch: "b" } }, { task: { id: "u" } }]
      const answers = yield* Effect.forEach(bodies, (body) => send("POST", `${path}/promote`, body), {
        concurrency: 3
      })
      assert.deepStrictEqual(answers.map(({ status }) => status).toSorted(), [201, 409, 409])
      const { linked_project_id, linked_task_id } = (yield* send("GET", path)).body
      assert.lengthOf([linked_task_id, linked_project_id].filter((id) => id !== null), 1)
    }))

  it.effect("leaves the draft as it is if the task or the project cannot be made", () =>
    Effect.gen(function*() {
      const { path, send } = yield* withDraft
      yield* send("POST", "/api/v1/tasks", { id: "t", file_path: "t", branch: "b", external_key: "k" })
      yield* send("POST", "/api/v1/projects", { id: "p", title: "P", branch: "b" })
      const before = (yield* send("GET", path)).body
      const refusals = [
        [{ task: { id: "t" } }, "TaskExists"],
        [{ task: { id: "u", external_key: "k" } }, "TaskExists"],
        [{ task: { id: "u", project_id: "none", branch: "b" } }, "InvalidTask"],
        [{ task: { id: "u", blocked_by: "u" } }, "InvalidTask"],
        [{ project: { id: "p", branch: "b" } }, "ProjectExists"],
        [{}, "InvalidPromotion"],
        [{ task: { id: "u" }, project: { id: "q", branch: "b" } }, "InvalidPromotion"]
      ] as const
      for (const [body, tag] of refusals) {
        assert.strictEqual((yield* send("POST", `${path}/promote`, body, key)).body._tag, tag, JSON.stringify(body))
      }
      assert.deepStrictEqual((yield* send("GET", path)).body, before)
      assert.strictEqual((yield* send("GET", "/api/v1/projects")).body.total, 1)
      assert.strictEqual((yield* send("POST", `${drafts}/99/promote`, { task: { id: "u" } })).status, 404)
    }))

  it.effect("answers a repetition under the same key like the first request", () =>
    Effect.gen(function*() {
      const { path, send } = yield* withDraft
      for (const body of [{ task: { id: "t" } }, { project: { id: "p", branch: "b" } }]) {
        const first = yield* send("POST", `${path}/promote`, body, { "idempotency-key": JSON.stringify(body) })
        const again = yield* send("POST", `${path}/promote`, body, { "idempotency-key": JSON.stringify(body) })
        assert.strictEqual(again.status, 201)
        assert.deepStrictEqual(again.body, first.body)
        assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
        yield* send("PATCH", path, { linked_task_id: null })
      }
    }))

  it.effect("a list of drafts that a client knows changes with the promotion", () =>
    Effect.gen(function*() {
      const { path, send } = yield* withDraft
      const { headers } = yield* send("GET", drafts)
      const known = { "if-none-match": String(headers.get("etag")) }
      assert.strictEqual((yield* send("GET", drafts, undefined, known)).status, 304)
      yield* send("POST", `${path}/promote`, { task: { id: "t" } })
      assert.strictEqual((yield* send("GET", drafts, undefined, known)).status, 200)
    }))
})
