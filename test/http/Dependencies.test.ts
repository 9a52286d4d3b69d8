/** Dependencies over HTTP: what a task waits for, what a failure means, circles, and the graph. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as server from "../support/server.ts"

const start = (config: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const { connect, send } = yield* server.make(config)
    const create = (id: string, rest: object = {}) =>
      send("POST", "/api/v1/tasks", { id, file_path: id, branch: "b", ...rest })
    const read = (id: string) => Effect.map(send("GET", `/api/v1/tasks/${id}`), ({ body }) => body)
    const history = (id: string) => Effect.map(send("GET", `/api/v1/tasks/${id}/history`), ({ body }) => body.history)
    const list = (id: string) => Effect.map(send("GET", `/api/v1/tasks/${id}/dependencies`), ({ body }) => body)
    const force = (id: string, queue: string) => send("POST", `/api/v1/tasks/${id}/force-queue`, { queue, reason: "r" })
    const put = (id: string, blocker: string, body?: object) =>
      send("PUT", `/api/v1/tasks/${id}/dependencies/${blocker}`, body)
    return { connect, send, create, read, history, list, force, put }
  })

const fails = (task_id: string) => ({ task_id, on_failure: "fail" })
const skips = (task_id: string) => ({ task_id, on_failure: "skip" })

describe("the dependencies of a task", () => {
  it.effect("T11: come from depends_on and blocked_by together, in order, even if the blocker is done or does not exist", () =>
    Effect.gen(function*() {
      const { create, list } = yield* start()
      yield* create("a")
      yield* create("b", { queue: "done" })
      const task = yield* create("t", { blocked_by: "a, TASK-b", depends_on: [skips("x"), "y", fails("a"), "b"] })
      assert.include(task.body, { blocked_by: "a,x,y", version: 1 })
      const { dependencies, ...rest } = yield* list("t")
      assert.deepStrictEqual(rest, { task_id: "t", version: 1, blocked_by: "a,x,y" })
      assert.deepStrictEqual(
        dependencies.map((edge: any) => [edge.blocker_id, edge.on_failure, edge.satisfied_at !== null, edge.queue]),
        [
          ["a", "fail", false, "incoming"],
          ["TASK-b", "wait", true, "done"],
          ["x", "skip", false, null],
          ["y", "wait", false, null],
          ["b", "wait", true, "done"]
        ]
      )
    }))

  it.effect("are refused if they are impossible", () =>
    Effect.gen(function*() {
      const { create, put, send } = yield* start()
      const many = Array.from({ length: 101 }, (_, i) => `x${i}`)
      for (const depends_on of [["t"], many, ["a,b"], [{ task_id: "a", on_failure: "explode" }], "a"]) {
        assert.strictEqual((yield* create("t", { depends_on })).status, 400, JSON.stringify(depends_on).slice(0, 40))
      }
      yield* create("t")
      assert.strictEqual((yield* put("t", "t")).body._tag, "InvalidTask")
      assert.strictEqual((yield* put("t", "a,b")).body._tag, "InvalidTask")
      assert.strictEqual((yield* send("PUT", "/api/v1/tasks/t/dependencies", {})).status, 400)
      assert.strictEqual((yield* send("PUT", "/api/v1/tasks/t/dependencies", { depends_on: many })).status, 400)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/none/dependencies")).body._tag, "TaskNotFound")
      assert.strictEqual((yield* put("none", "a")).body._tag, "TaskNotFound")
    }))

  it.effect("change one by one or together: each change makes a version and a history entry, an empty one makes none", () =>
    Effect.gen(function*() {
      const { create, history, put, read, send } = yield* start()
      yield* create("a")
      yield* create("t")
      assert.include((yield* put("t", "a")).body, { version: 2, blocked_by: "a" })
      assert.include((yield* put("t", "TASK-a")).body, { version: 2, blocked_by: "a" })
      const skipping = (yield* put("t", "TASK-a", { on_failure: "skip" })).body
      assert.deepInclude(skipping, { version: 3, blocked_by: "a" })
      assert.strictEqual(skipping.dependencies[0].on_failure, "skip")
      const all = { depends_on: ["b", skips("a")] }
      assert.include((yield* send("PUT", "/api/v1/tasks/t/dependencies", all)).body, { version: 4, blocked_by: "b,a" })
      assert.include((yield* send("PUT", "/api/v1/tasks/t/dependencies", all)).body, { version: 4 })
      const removed = yield* send("DELETE", "/api/v1/tasks/t/dependencies/TASK-b")
      assert.include(removed.body, { version: 5, blocked_by: "a" })
      const again = yield* send("DELETE", "/api/v1/tasks/t/dependencies/b")
      assert.strictEqual(again.status, 404)
      assert.include(again.body, { _tag: "DependencyNotFound", task_id: "t", blocker_id: "b" })
      const cleared = yield* send("DELETE", "/api/v1/tasks/t/dependencies")
      assert.deepStrictEqual(cleared.body, { task_id: "t", version: 6, blocked_by: null, dependencies: [] })
      assert.include((yield* send("DELETE", "/api/v1/tasks/t/dependencies")).body, { version: 6 })
      assert.include(yield* read("t"), { version: 6, blocked_by: null, queue: "incoming" })
      const rows = yield* history("t")
      assert.deepStrictEqual(rows.map(({ event }: any) => event), [
        "created",
        ...Array.from({ length: 5 }, () => "dependencies_changed")
      ])
      assert.deepStrictEqual(JSON.parse(JSON.stringify(rows[2].details)), {
        dependencies: [[{ task_id: "a", on_failure: "wait" }], [{ task_id: "a", on_failure: "skip" }]]
      })
    }))

  it.effect("change only at the version and under the lease that the caller states", () =>
    Effect.gen(function*() {
      const { create, put, send } = yield* start()
      yield* create("t")
      assert.strictEqual((yield* put("t", "a", { version: 9 })).body._tag, "VersionConflict")
      assert.strictEqual((yield* put("t", "a", { version: 1 })).status, 200)
      assert.strictEqual((yield* put("t", "b", { fencing_token: 4 })).body._tag, "LeaseLost")
      const stale = yield* send("DELETE", "/api/v1/tasks/t/dependencies?version=1")
      assert.strictEqual(stale.body._tag, "VersionConflict")
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/t/dependencies/a?fencing_token=1")).status, 409)
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/t/dependencies/a?version=2")).status, 200)
    }))

  it.effect("A9: never count across scopes", () =>
    Effect.gen(function*() {
      const { create, list, read } = yield* start()
      yield* create("a", { scope: "red", queue: "done" })
      yield* create("t", { scope: "blue", depends_on: [fails("a")] })
      assert.strictEqual((yield* read("t")).blocked_by, "a")
      assert.strictEqual((yield* list("t")).dependencies[0].queue, null)
      yield* create("u", { scope: "blue", depends_on: [fails("b"), skips("b2")] })
      yield* create("b", { scope: "red", queue: "failed" })
      yield* create("b2", { scope: "red", queue: "failed" })
      assert.include(yield* read("u"), { queue: "incoming", blocked_by: "b,b2" })
      // What waits in another scope is not waited for.
      assert.strictEqual((yield* create("b3", { scope: "red", blocked_by: "t" })).status, 201)
    }))

  it.effect("keep their on_failure if a PATCH of blocked_by keeps them", () =>
    Effect.gen(function*() {
      const { create, list, send } = yield* start()
      yield* create("t", { depends_on: [skips("a"), "b"] })
      yield* send("PATCH", "/api/v1/tasks/t", { blocked_by: "c,a" })
      assert.deepStrictEqual(
        (yield* list("t")).dependencies.map((edge: any) => [edge.blocker_id, edge.on_failure]),
        [["c", "wait"], ["a", "skip"]]
      )
    }))
})

describe("circles of dependencies", () => {
  it.effect("A9: are refused with their path, in every request that adds a dependency", () =>
    Effect.gen(function*() {
      const { create, put, read, send } = yield* start()
      yield* create("a", { blocked_by: "b" })
      const closing = yield* create("b", { depends_on: ["TASK-a"] })
      assert.strictEqual(closing.status, 409)
      assert.deepInclude(closing.body, { _tag: "DependencyCycle", task_id: "b", path: ["b", "a", "b"] })
      assert.include(closing.body.error, "b waits for a waits for b")
      assert.strictEqual((yield* read("b")).error, "Task not found: b.")
      yield* create("b", { blocked_by: "TASK-c" })
      yield* create("c")
      const patched = yield* send("PATCH", "/api/v1/tasks/c", { blocked_by: "x,a", title: "new" })
      assert.deepStrictEqual(patched.body.path, ["c", "a", "b", "c"])
      assert.include(yield* read("c"), { title: "c", version: 1 })
      const all = yield* send("PUT", "/api/v1/tasks/c/dependencies", { depends_on: ["x", skips("b")] })
      assert.deepStrictEqual(all.body.path, ["c", "b", "c"])
      assert.strictEqual((yield* put("c", "a")).body._tag, "DependencyCycle")
      assert.deepStrictEqual((yield* put("c", "TASK-c")).body.path, ["c", "c"])
      // It would close as soon as the blocker is brought back, so a blocker that is done counts as well.
      yield* send("POST", "/api/v1/tasks/c/force-queue", { queue: "done", reason: "r" })
      assert.strictEqual((yield* put("c", "a")).status, 409)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/c/dependencies")).body.dependencies.length, 0)
    }))

  it.effect("cannot be closed by two simultaneous requests", () =>
    Effect.gen(function*() {
      const { create, put } = yield* start()
      yield* create("a")
      yield* create("b")
      const answers = yield* Effect.all([put("a", "b"), put("b", "a")], { concurrency: 2 })
      assert.deepStrictEqual(answers.map(({ status }) => status).toSorted(), [200, 409])
      const names = yield* Effect.all([create("c", { blocked_by: "d" }), create("d", { blocked_by: "c" })], {
        concurrency: 2
      })
      assert.deepStrictEqual(names.map(({ status }) => status).toSorted(), [201, 409])
    }))
})

describe("a blocker that fails", () => {
  const ways: Record<string, (id: string) => readonly [string, string, object]> = {
    fail: (id: string) => ["POST", `/api/v1/tasks/${id}/fail`, { reason: "r" }],
    force: (id: string) => ["POST", `/api/v1/tasks/${id}/force-queue`, { queue: "failed", reason: "r" }],
    cancel: (id: string) => ["POST", `/api/v1/tasks/${id}/force-queue`, { queue: "cancelled", reason: "r" }],
    patch: (id: string) => ["PATCH", `/api/v1/tasks/${id}`, { queue: "failed" }]
  }
  for (const [way, request] of Object.entries(ways)) {
    it.effect(`by ${way}: dependents with wait keep waiting, those with skip go on, those with fail fail with their own dependents`, () =>
      Effect.gen(function*() {
        const { create, history, list, read, send } = yield* start()
        yield* create("a")
        yield* create("wait", { depends_on: ["a"] })
        yield* create("skip", { depends_on: [skips("TASK-a"), "other"] })
        yield* create("fail", { depends_on: [fails("a")] })
        yield* create("next", { depends_on: [fails("TASK-fail"), fails("a")] })
        yield* create("last", { depends_on: [skips("next")] })
        assert.strictEqual((yield* send(...request("a"))).status, 200)
        assert.include(yield* read("wait"), { queue: "incoming", blocked_by: "a", version: 1 })
        assert.include(yield* read("skip"), { queue: "incoming", blocked_by: "other", version: 2 })
        const why = way === "cancel" ? "Blocker a was cancelled." : "Blocker a failed."
        assert.include(yield* read("fail"), { queue: "failed", failure_reason: why, version: 2 })
        assert.include(yield* read("next"), { queue: "failed", version: 2 })
        assert.include(yield* read("last"), { queue: "incoming", blocked_by: null, version: 2 })
        assert.deepInclude((yield* history("fail"))[1], {
          event: "dependency_failed",
          from_queue: "incoming",
          to_queue: "failed",
          reason: why
        })
        assert.deepInclude((yield* history("last"))[1], { event: "unblocked", reason: "Task next failed." })
        const poll = (yield* send("GET", "/api/v1/tasks?queue=failed,cancelled")).body
        assert.strictEqual(poll.total, 3)
        // Brought back, it keeps waiting who skipped it; those that failed with it stay where they are.
        yield* send("PATCH", "/api/v1/tasks/a", { queue: "incoming" })
        assert.include(yield* read("skip"), { blocked_by: "TASK-a,other", version: 3 })
        assert.include(yield* read("fail"), { queue: "failed", blocked_by: "a", version: 2 })
        assert.isNull((yield* list("skip")).dependencies[0].satisfied_at)
      }))
  }

  it.effect("after it was done fails its dependents, except for held and finished ones", () =>
    Effect.gen(function*() {
      const { create, force, read, send } = yield* start()
      yield* create("a", { queue: "done" })
      for (const id of ["t", "held", "done", "gone"]) yield* create(id, { depends_on: [fails("a")] })
      yield* send("PATCH", "/api/v1/tasks/held", { claimed_by: "ann" })
      yield* force("done", "done")
      yield* force("gone", "cancelled")
      yield* force("a", "failed")
      assert.include(yield* read("t"), { queue: "failed", failure_reason: "Blocker a failed." })
      assert.include(yield* read("held"), { queue: "claimed", claimed_by: "ann", blocked_by: "a" })
      assert.include(yield* read("done"), { queue: "done" })
      assert.include(yield* read("gone"), { queue: "cancelled" })
      // A redriven task waits, and does not fail again by an event of another task.
      yield* force("t", "incoming")
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/a/fail", { reason: "again" })).status, 409)
      assert.strictEqual((yield* send("PUT", "/api/v1/tasks/t/dependencies/b")).status, 200)
      assert.include(yield* read("t"), { queue: "incoming", blocked_by: "a,b" })
    }))

  it.effect("before the dependency is added counts at once", () =>
    Effect.gen(function*() {
      const { create, history, put, read } = yield* start()
      yield* create("a", { queue: "failed" })
      assert.include((yield* create("skip", { depends_on: [skips("a")] })).body, {
        queue: "incoming",
        blocked_by: null
      })
      yield* create("next", { depends_on: [fails("fail")] })
      assert.include((yield* create("fail", { depends_on: [fails("a")] })).body, { queue: "failed", version: 2 })
      assert.include(yield* read("next"), { queue: "failed", failure_reason: "Blocker fail failed." })
      yield* create("late")
      assert.include((yield* put("late", "a", { on_failure: "fail" })).body, { version: 3, blocked_by: "a" })
      assert.deepStrictEqual((yield* history("late")).map(({ event }: any) => event), [
        "created",
        "dependencies_changed",
        "dependency_failed"
      ])
      assert.include((yield* put("late", "a", { on_failure: "skip" })).body, { blocked_by: null })
      // It may also be created where it has ended already.
      yield* create("waits", { depends_on: [skips("b"), fails("c")] })
      yield* create("b", { queue: "cancelled" })
      assert.include(yield* read("waits"), { queue: "incoming", blocked_by: "c" })
      yield* create("c", { queue: "failed" })
      assert.include(yield* read("waits"), { queue: "failed", failure_reason: "Blocker c failed." })
    }))

  it.effect("with on_failure skip unblocks its dependents, and so does its deletion", () =>
    Effect.gen(function*() {
      const { create, send } = yield* start()
      yield* send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "m" })
      yield* create("a", { queue: "provisional" })
      yield* create("b", { queue: "provisional" })
      yield* create("t", { depends_on: [skips("a"), fails("b")] })
      const claim = send("POST", "/api/v1/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
      yield* send("POST", "/api/v1/tasks/a/fail", { reason: "r" })
      assert.strictEqual((yield* claim).status, 404)
      yield* send("DELETE", "/api/v1/tasks/b")
      assert.strictEqual((yield* claim).body.id, "t")
    }))
})

describe("the graph around a task", () => {
  it.effect("shows its blockers and dependents, and no other neighbours of those", () =>
    Effect.gen(function*() {
      const { connect, create, send } = yield* start()
      yield* create("a", { queue: "done" })
      yield* create("b", { depends_on: ["TASK-a", "later"] })
      yield* create("t", { depends_on: [skips("b")] })
      yield* create("u", { depends_on: [fails("t")] })
      yield* create("aside", { depends_on: ["a"] })
      yield* create("later", { scope: "elsewhere" })
      const { body } = yield* send("GET", "/api/v1/tasks/t/graph")
      assert.deepStrictEqual(
        body.nodes.map((node: any) => [node.task_id, node.queue, node.depth]).toSorted(),
        [["a", "done", -2], ["b", "incoming", -1], ["later", null, -2], ["t", "incoming", 0], ["u", "incoming", 1]]
      )
      assert.deepStrictEqual(
        body.edges.map((edge: any) => [edge.task_id, edge.blocker_id, edge.on_failure, edge.satisfied_at !== null])
          .toSorted(),
        [
          ["b", "a", "wait", true],
          ["b", "later", "wait", false],
          ["t", "b", "skip", false],
          ["u", "t", "fail", false]
        ]
      )
      assert.isFalse(body.truncated)
      const near = (yield* send("GET", "/api/v1/tasks/t/graph?depth=1")).body
      assert.deepStrictEqual(near.nodes.map((node: any) => node.task_id).toSorted(), ["b", "t", "u"])
      assert.isTrue(near.truncated)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/t/graph?depth=0")).status, 400)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/t/graph?scope=elsewhere")).status, 404)
      const client = yield* connect()
      const typed = yield* client.tasks.graph({ params: { id: "t" as any }, query: {} })
      assert.strictEqual(typed.nodes.length, 5)
    }))

  it.effect("is limited, and can show circles that another server left", () =>
    Effect.gen(function*() {
      const { create, send } = yield* start()
      const at = "2026-01-01T00:00:00Z"
      const record = (id: string, blocked_by: string) => ({
        id,
        file_path: id,
        queue: "incoming",
        branch: "b",
        blocked_by,
        created_at: at
      })
      const imported = yield* send("POST", "/api/v1/scopes/default/import", {
        tasks: [record("x", "y"), record("y", "z"), record("z", "x")]
      })
      assert.strictEqual(imported.body.imported.tasks, 3, JSON.stringify(imported.body))
      const { body } = yield* send("GET", "/api/v1/tasks/x/graph?depth=100")
      assert.strictEqual(body.nodes.length, 3)
      assert.strictEqual(body.edges.length, 3)
      yield* create("hub")
      yield* Effect.forEach(Array.from({ length: 230 }, (_, i) => `w${i}`), (id) => create(id, { blocked_by: "hub" }))
      const hub = (yield* send("GET", "/api/v1/tasks/hub/graph")).body
      assert.strictEqual(hub.nodes.length, 200)
      assert.isTrue(hub.truncated)
      // The circle is broken by a change of any of its edges, and a move of its tasks ends.
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/x/fail", { reason: "r" })).status, 200)
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/x/dependencies")).status, 200)
      assert.strictEqual((yield* send("PUT", "/api/v1/tasks/x/dependencies/y")).body._tag, "DependencyCycle")
    }))
})
