/** Projects over real SQL: defaults, what PATCH changes, scopes, and deleting only what has no tasks. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { ProjectId, TaskId } from "../../src/domain/Identifier.ts"
import { NewProject, ProjectPatch } from "../../src/domain/record/Project.ts"
import { Projects } from "../../src/services/record/Projects.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { ServicesLayer } from "../support/layers.ts"

const id = ProjectId.make
const fresh = (name: string, rest: object = {}) =>
  Schema.decodeSync(NewProject)({ id: name, title: name, branch: "b", ...rest })
const change = Schema.decodeUnknownSync(ProjectPatch)
const task = (name: string, project_id: string, priority: string) => ({
  id: TaskId.make(name),
  file_path: name,
  branch: "x",
  project_id,
  priority
})
const at = (time: DateTime.Utc | null) => time === null ? null : DateTime.toEpochMillis(time)

describe("Projects", () => {
  it.effect("creates with defaults for absent fields, null and empty text, and refuses a second project with the same id", () =>
    Effect.gen(function*() {
      const projects = yield* Projects
      const blank = { description: "", status: null, base_branch: "", auto_accept: null, flow: "" }
      for (
        const project of [yield* projects.create("red", fresh("p")), yield* projects.create("red", fresh("q", blank))]
      ) {
        assert.deepInclude(project, {
          scope: "red",
          status: "draft",
          base_branch: "main",
          flow: "project",
          auto_accept: false,
          description: null,
          completed_at: null
        })
      }
      assert.isTrue((yield* projects.create("red", fresh("r", { auto_accept: 1 }))).auto_accept)
      const error = yield* Effect.flip(projects.create("blue", fresh("p")))
      assert.strictEqual(error.error, "Project p already exists")
      assert.strictEqual((yield* projects.get(id("p"), undefined)).scope, "red")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("stores the pull request, sets completed_at once, and leaves updated_at when nothing changes", () =>
    Effect.gen(function*() {
      const projects = yield* Projects
      yield* projects.create("red", fresh("p"))
      yield* TestClock.adjust("1 second")
      const pr = yield* projects.patch(id("p"), change({ pr_number: 7, pr_url: "u" }), undefined)
      assert.deepInclude(pr, { pr_number: 7, pr_url: "u" })
      assert.strictEqual(at(pr.updated_at), 1000)
      yield* TestClock.adjust("1 second")
      const same = yield* projects.patch(
        id("p"),
        change({ pr_number: 7, auto_accept: false, description: null }),
        undefined
      )
      assert.strictEqual(at(same.updated_at), 1000)
      const done = yield* projects.patch(id("p"), change({ status: "completed" }), undefined)
      assert.strictEqual(at(done.completed_at), 2000)
      yield* TestClock.adjust("1 second")
      const again = yield* projects.patch(id("p"), change({ status: "completed" }), undefined)
      assert.deepStrictEqual([at(again.completed_at), at(again.updated_at)], [2000, 2000])
      const cleared = yield* projects.patch(
        id("p"),
        change({ status: "active", completed_at: null, pr_url: null }),
        undefined
      )
      assert.deepStrictEqual([cleared.completed_at, cleared.pr_url, cleared.pr_number], [null, null, 7])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("refuses a PATCH without fields, or one that clears the branch", () =>
    Effect.gen(function*() {
      const projects = yield* Projects
      yield* projects.create("red", fresh("p"))
      const nothing = yield* Effect.flip(projects.patch(id("p"), change({ unknown: 1 }), undefined))
      assert.strictEqual(nothing.error, "No fields to update")
      for (const branch of [null, ""]) assert.throws(() => change({ branch }), /branch/)
      const missing = yield* Effect.flip(projects.patch(id("x"), change({ title: "t" }), undefined))
      assert.strictEqual(missing.error, "Project x not found")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("finds nothing in another scope, and pages are newest first", () =>
    Effect.gen(function*() {
      const projects = yield* Projects
      for (const name of ["a", "b", "c"]) {
        yield* projects.create("red", fresh(name, { created_by: name === "c" ? "me" : "you" }))
        if (name === "b") yield* TestClock.adjust("1 second")
      }
      yield* projects.create("blue", fresh("d"))
      const page = yield* projects.list("red", { limit: 2, offset: 1 })
      assert.deepStrictEqual(page.projects.map((project) => project.id), [id("b"), id("a")])
      assert.deepInclude(page, { total: 3, offset: 1, limit: 2 })
      assert.strictEqual((yield* projects.list("red", { created_by: "me", status: "" })).total, 1)
      for (
        const effect of [
          projects.get(id("a"), "blue"),
          projects.tasks(id("a"), "blue"),
          projects.patch(id("a"), change({ title: "t" }), "blue"),
          projects.remove(id("a"), "blue")
        ]
      ) {
        assert.strictEqual(
          (yield* Effect.flip(effect as Effect.Effect<unknown, { _tag: string }>))._tag,
          "ProjectNotFound"
        )
      }
      assert.strictEqual((yield* projects.get(id("a"), "red")).title, "a")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("lists all its tasks by rank, and can be deleted only without tasks", () =>
    Effect.gen(function*() {
      const projects = yield* Projects
      const queue = yield* TaskQueue
      yield* projects.create("red", fresh("p"))
      yield* queue.create("red", task("old", "p", "P2"))
      yield* TestClock.adjust("1 second")
      for (const [name, priority] of [["new", "P2"], ["late", "P10"], ["urgent", "P0"]] as const) {
        yield* queue.create("red", task(name, "p", priority))
      }
      const found = yield* projects.tasks(id("p"), "red")
      assert.deepStrictEqual(found.tasks.map((each) => String(each.id)), ["urgent", "new", "old", "late"])
      assert.deepInclude(found, { project_id: id("p"), total: 4 })
      const refused = yield* Effect.flip(projects.remove(id("p"), undefined))
      assert.deepInclude({ ...refused }, {
        error: "Cannot delete project p: has 4 tasks",
        hint: "Delete or unlink tasks first"
      })
      for (const each of found.tasks) yield* queue.remove(each.id, undefined)
      assert.strictEqual((yield* projects.tasks(id("p"), undefined)).total, 0)
      yield* projects.remove(id("p"), undefined)
      assert.strictEqual((yield* Effect.flip(projects.get(id("p"), undefined)))._tag, "ProjectNotFound")
    }).pipe(Effect.provide(ServicesLayer)))
})
