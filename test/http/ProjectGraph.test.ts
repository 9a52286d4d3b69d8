/** What a project shows of its tasks: how many each queue holds, and which task waits for which. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { MaxEdges, MaxTasks } from "../../src/domain/dependency/ProjectGraph.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const scope = "red"
const task = (id: string, rest: object = {}) => ({
  id,
  scope,
  file_path: `TASK-${id}.md`,
  branch: "b",
  project_id: "p",
  ...rest
})

const idOf = (n: number) => `t${String(n).padStart(4, "0")}`

const withProject = Effect.gen(function*() {
  const database = migrated()
  const { send } = yield* server.make({}, () => database.db)
  yield* send("POST", "/api/v1/projects", { id: "p", scope, title: "P", branch: "b" })
  return { send, raw: database.raw }
})

describe("a project", () => {
  it.effect("has the number of its tasks in each queue, alone and in the list", () =>
    Effect.gen(function*() {
      const { raw, send } = yield* withProject
      yield* send("POST", "/api/v1/projects", { id: "empty", scope, title: "E", branch: "b" })
      assert.deepStrictEqual((yield* send("GET", "/api/v1/projects/p")).body.counts, {})
      for (const id of ["a", "b", "c"]) yield* send("POST", "/api/v1/tasks", task(id))
      yield* send("POST", "/api/v1/tasks/c/cancel")
      yield* send("POST", "/api/v1/tasks", { ...task("d"), project_id: null })
      const counts = { incoming: 2, cancelled: 1 }
      const look = Effect.gen(function*() {
        assert.deepStrictEqual((yield* send("GET", "/api/v1/projects/p")).body.counts, counts)
        const { body } = yield* send("GET", `/api/v1/projects?scope=${scope}`)
        assert.deepStrictEqual(
          Object.fromEntries(body.projects.map((project: any) => [project.id, project.counts])),
          { p: counts, empty: {} }
        )
      })
      yield* look
      // A project that is older than the counters has none until the cron counts its tasks.
      raw.exec("DELETE FROM queue_counts WHERE scope < ' '")
      yield* look
    }))

  it.effect("a list that a client knows changes when a task moves", () =>
    Effect.gen(function*() {
      const { send } = yield* withProject
      yield* send("POST", "/api/v1/tasks", task("a"))
      for (const list of [`/api/v1/projects?scope=${scope}`, "/api/v1/projects"]) {
        const known = { "if-none-match": (yield* send("GET", list)).headers.get("etag")! }
        assert.strictEqual((yield* send("GET", list, undefined, known)).status, 304)
        yield* send("PATCH", "/api/v1/tasks/a", { queue: list.includes("?") ? "provisional" : "incoming" })
        assert.strictEqual((yield* send("GET", list, undefined, known)).status, 200)
      }
    }))
})

describe("GET /api/v1/projects/:id/graph", () => {
  it.effect("has the tasks of the project, their blockers, and what is unmet", () =>
    Effect.gen(function*() {
      const { send } = yield* withProject
      yield* send("POST", "/api/v1/tasks", { ...task("outside"), project_id: null })
      yield* send("POST", "/api/v1/tasks", { ...task("foreign"), scope: "blue", project_id: null })
      yield* send("POST", "/api/v1/tasks", task("a", { priority: "P1" }))
      yield* send("POST", "/api/v1/tasks", task("b", { depends_on: ["a", "TASK-outside", "never", "foreign"] }))
      yield* send("POST", "/api/v1/tasks/a/accept", { accepted_by: "x" })
      const forced = yield* send("POST", "/api/v1/tasks/a/force-queue", { queue: "done", reason: "r" })
      assert.strictEqual(forced.status, 200)
      const { body, status } = yield* send("GET", "/api/v1/projects/p/graph")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(
        body.nodes.map(({ blocked_by, of_project, queue, task_id }: any) => [task_id, queue, of_project, blocked_by])
          .toSorted(),
        [
          ["a", "done", true, null],
          ["b", "incoming", true, "TASK-outside,never,foreign"],
          ["foreign", null, false, null],
          ["never", null, false, null],
          ["outside", "incoming", false, null]
        ]
      )
      assert.deepStrictEqual(
        body.edges.map(({ blocker_id, satisfied_at, task_id }: any) => [task_id, blocker_id, satisfied_at !== null])
          .toSorted(),
        [["b", "a", true], ["b", "foreign", false], ["b", "never", false], ["b", "outside", false]]
      )
      assert.isFalse(body.truncated)
      assert.strictEqual((yield* send("GET", "/api/v1/projects/none/graph")).status, 404)
      assert.strictEqual((yield* send("GET", "/api/v1/projects/p/graph?scope=blue")).status, 404)
    }))

  it.effect("says that it is truncated exactly if there are more tasks or dependencies", () =>
    Effect.gen(function*() {
      const { raw, send } = yield* withProject
      const insert = raw.prepare(
        `INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank,
        branch, flow, created_at, updated_at, project_id)
        VALUES (?, 'red', ?, 't', 'incoming', 1, 'P2', 2, 'b', 'default', 1, 1, 'p')`
      )
      const edge = raw.prepare(`INSERT INTO dependencies (scope, blocker_key, blocker_id, task_id, position)
        VALUES ('red', ?, ?, ?, 0)`)
      const graph = Effect.map(send("GET", "/api/v1/projects/p/graph"), ({ body }) => [
        body.nodes.filter((node: any) => node.of_project).length,
        body.edges.length,
        body.truncated
      ])
      for (let n = 0; n < MaxTasks; n++) insert.run(idOf(n), idOf(n))
      for (let n = 0; n < MaxEdges; n++) edge.run(`x${n}`, `x${n}`, idOf(n % 100))
      assert.deepStrictEqual(yield* graph, [MaxTasks, MaxEdges, false])
      edge.run("more", "more", idOf(0))
      assert.deepStrictEqual(yield* graph, [MaxTasks, MaxEdges, true])
      raw.exec("DELETE FROM dependencies")
      insert.run("z", "z")
      assert.deepStrictEqual(yield* graph, [MaxTasks, 0, true])
      edge.run("z", "z", idOf(0))
      // It waits for a task of the project that does not fit. That is shown, because the edge names it.
      assert.deepStrictEqual(yield* graph, [MaxTasks + 1, 1, true])
    }))
})
