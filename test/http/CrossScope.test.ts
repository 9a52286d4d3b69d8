/** What a key may refer to: nothing of another scope, however it names it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"

/** Two scopes with a machine, a project and a task each; `red` and `blue` send with a key of theirs. */
const setup = Effect.gen(function*() {
  const { send } = yield* server.make({ API_SECRET_KEY: Secret })
  const as = (token: string) => (method: string, path: string, body?: unknown) =>
    send(method, path, body, { authorization: `Bearer ${token}` })
  const admin = as(Secret)
  const member = Effect.fnUntraced(function*(scope: string) {
    const machine = { scope, cluster: "k", machine_id: scope }
    const { api_key } = (yield* admin("POST", "/api/v1/orchestrators/register", machine)).body
    const call = as(api_key)
    yield* call("POST", "/api/v1/projects", { id: `${scope}-project`, title: "t", branch: scope })
    yield* call("POST", "/api/v1/tasks", { id: `${scope}-task`, file_path: scope, branch: "b" })
    return call
  })
  return { admin, red: yield* member("red"), blue: yield* member("blue") }
})

const claim = (orchestrator_id: string) => ({ orchestrator_id, agent_name: "ann" })

describe("D9: a key of one scope", () => {
  it.effect("does not claim for a machine of another scope", () =>
    Effect.gen(function*() {
      const { red } = yield* setup
      const refused = yield* red("POST", "/api/v1/tasks/claim", claim("k-blue"))
      assert.strictEqual(refused.status, 400)
      assert.include(refused.body.error, "k-blue")
      assert.strictEqual((yield* red("POST", "/api/v1/tasks/claim", claim("k-red"))).body.id, "red-task")
    }))

  it.effect("puts no task into a project or onto a machine of another scope", () =>
    Effect.gen(function*() {
      const { admin, red } = yield* setup
      const body = { id: "t", file_path: "t", branch: "own", project_id: "blue-project" }
      assert.strictEqual((yield* red("POST", "/api/v1/tasks", body)).status, 400)
      for (const patch of [{ project_id: "blue-project" }, { queue: "claimed", orchestrator_id: "k-blue" }]) {
        assert.strictEqual((yield* red("PATCH", "/api/v1/tasks/red-task", patch)).status, 400)
      }
      const { body: task } = yield* admin("GET", "/api/v1/tasks/red-task")
      assert.deepInclude(task, { queue: "incoming", project_id: null, orchestrator_id: null, version: 1 })
    }))

  it.effect("neither unblocks nor blocks a task of another scope", () =>
    Effect.gen(function*() {
      const { blue, red } = yield* setup
      yield* red("POST", "/api/v1/tasks", { id: "waits", file_path: "w", branch: "b", blocked_by: "blue-task" })
      yield* blue("POST", "/api/v1/tasks/claim", claim("k-blue"))
      const accepted = yield* blue("POST", "/api/v1/tasks/blue-task/accept", { accepted_by: "x" })
      assert.strictEqual(accepted.body.queue, "done")
      assert.strictEqual((yield* red("GET", "/api/v1/tasks/waits")).body.blocked_by, "blue-task")
    }))

  it.effect("unblocks nothing by a refused create with the id of a task of another scope", () =>
    Effect.gen(function*() {
      const { admin, blue, red } = yield* setup
      yield* red("POST", "/api/v1/tasks", { id: "waits", file_path: "w", branch: "b", blocked_by: "red-task" })
      for (const rest of [{}, { branch: "b", project_id: "none" }, { branch: "b" }]) {
        const refused = yield* blue("POST", "/api/v1/tasks", { id: "red-task", file_path: "q", queue: "done", ...rest })
        assert.isAtLeast(refused.status, 400)
      }
      const { body: task } = yield* admin("GET", "/api/v1/tasks/waits")
      assert.deepInclude(task, { blocked_by: "red-task", version: 1 })
    }))

  it.effect("changes nothing by a refused move, even if tasks wait for that task", () =>
    Effect.gen(function*() {
      const { admin, blue, red } = yield* setup
      for (const id of ["a", "TASK-a"]) yield* blue("POST", "/api/v1/tasks", { id, file_path: id, branch: "b" })
      yield* blue("POST", "/api/v1/tasks", { id: "w", file_path: "w", branch: "b", blocked_by: "TASK-a" })
      yield* admin("POST", "/api/v1/tasks/a/force-queue", { queue: "done", reason: "r" })
      const before = (yield* blue("GET", "/api/v1/tasks/w")).body
      assert.isNull(before.blocked_by, "either of the two names the blocker")
      for (const call of [red, blue]) {
        const body = { reason: "r", rejected_by: "x", accepted_by: "x" }
        for (const verb of ["reject", "requeue", "accept", "fail"]) {
          if (call === blue && verb === "fail") continue
          assert.isAtLeast((yield* call("POST", `/api/v1/tasks/TASK-a/${verb}`, body)).status, 400)
        }
      }
      assert.deepStrictEqual((yield* blue("GET", "/api/v1/tasks/w")).body, before)
    }))

  it.effect("D5: has to name the scope of a machine that several scopes have", () =>
    Effect.gen(function*() {
      const { admin, red } = yield* setup
      yield* red("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: "blue" })
      const path = "/api/v1/orchestrators/k-blue"
      for (
        const refused of [
          yield* admin("DELETE", path),
          yield* admin("PATCH", path, { status: "maintenance" }),
          yield* admin("POST", "/api/v1/roles/register", { orchestrator_id: "k-blue", roles: [{ name: "r" }] })
        ]
      ) {
        assert.deepStrictEqual([refused.status, refused.body._tag], [400, "ScopeRequired"])
      }
      assert.strictEqual((yield* admin("POST", `${path}/heartbeat`)).status, 200)
      assert.strictEqual((yield* admin("DELETE", `${path}?scope=red`)).status, 200)
      assert.strictEqual((yield* admin("PATCH", path, { status: "maintenance" })).body.scope, "blue")
    }))

  it.effect("rotates no key if it names another scope", () =>
    Effect.gen(function*() {
      const { red } = yield* setup
      const path = "/api/v1/orchestrators/scopes/red/rotate-key"
      assert.strictEqual((yield* red("POST", `${path}?scope=blue`)).status, 403)
      assert.strictEqual((yield* red("POST", path, { scope: "blue" })).status, 403)
    }))

  it.effect("records no actor of another scope or of an earlier lease with a submission", () =>
    Effect.gen(function*() {
      const { blue, red } = yield* setup
      yield* blue("POST", "/api/v1/tasks/claim", { ...claim("k-blue"), lease_duration_seconds: 60, agent_name: "spy" })
      yield* TestClock.adjust("61 seconds")
      yield* blue("POST", "/api/v1/tasks/claim", { ...claim("k-blue"), role_filter: "none" })
      yield* blue("DELETE", "/api/v1/tasks/blue-task")
      yield* red("POST", "/api/v1/tasks", { id: "blue-task", file_path: "x", branch: "b" })
      yield* red("PATCH", "/api/v1/tasks/blue-task", { queue: "requires-intervention" })
      yield* red("POST", "/api/v1/tasks/blue-task/submit", { commits_count: 0, turns_used: 0 })
      const { history } = (yield* red("GET", "/api/v1/tasks/blue-task/history")).body
      assert.include(history.at(-1), { event: "submitted", actor: "registration of k-red" })
    }))

  it.effect("cannot create a task in done on a server with a secret; the administrator can", () =>
    Effect.gen(function*() {
      const { admin, red } = yield* setup
      const body = { id: "over", file_path: "over", branch: "b", queue: "done", scope: "red" }
      const refused = yield* red("POST", "/api/v1/tasks", body)
      assert.strictEqual(refused.status, 400)
      assert.include(refused.body.error, "only the administrator may create a task in done")
      assert.strictEqual((yield* admin("POST", "/api/v1/tasks", body)).status, 201)
    }))

  it.effect("cannot reply to a message of another scope", () =>
    Effect.gen(function*() {
      const { blue, red } = yield* setup
      const message = { task_id: "t", from_actor: "a", type: "comment", content: "secret of blue" }
      const { id } = (yield* blue("POST", "/api/v1/messages", message)).body
      const reply = yield* red("POST", "/api/v1/messages", { ...message, content: "c", parent_message_id: id })
      assert.isAtLeast(reply.status, 400)
      const thread = yield* red("GET", `/api/v1/messages?thread_id=${id}`)
      assert.notInclude(JSON.stringify(thread.body), "secret of blue")
    }))

  it.effect("learns of an id in another scope only that it is taken", () =>
    Effect.gen(function*() {
      const { red } = yield* setup
      for (
        const [path, body] of [
          ["/api/v1/tasks", { id: "blue-task", file_path: "x", branch: "b" }],
          ["/api/v1/projects", { id: "blue-project", title: "t", branch: "b" }]
        ] as const
      ) {
        const taken = yield* red("POST", path, body)
        assert.strictEqual(taken.status, 409, JSON.stringify(taken.body))
        assert.notInclude(JSON.stringify(taken.body), "\"blue\"")
      }
    }))

  it.effect("D5: may use names of machines that other scopes use", () =>
    Effect.gen(function*() {
      const { blue, red } = yield* setup
      const twin = { cluster: "k", machine_id: "blue", version: "red" }
      assert.strictEqual((yield* red("POST", "/api/v1/orchestrators/register", twin)).status, 201)
      assert.strictEqual((yield* red("PATCH", "/api/v1/orchestrators/k-blue", { status: "maintenance" })).status, 200)
      assert.deepInclude((yield* blue("GET", "/api/v1/orchestrators/k-blue")).body, {
        scope: "blue",
        status: "active",
        version: null
      })
      // One machine that works for two projects: each has its own limit, roles and rest.
      assert.strictEqual((yield* red("POST", "/api/v1/tasks/claim", claim("k-blue"))).body.reason, "maintenance")
      assert.strictEqual((yield* blue("POST", "/api/v1/tasks/claim", claim("k-blue"))).body.id, "blue-task")
      assert.include((yield* blue("GET", "/api/v1/scheduler/poll?orchestrator_id=k-blue")).body, {
        scope: "blue",
        orchestrator_registered: true
      })
      assert.strictEqual((yield* red("DELETE", "/api/v1/orchestrators/k-blue")).status, 200)
      assert.strictEqual((yield* blue("GET", "/api/v1/orchestrators/k-blue")).status, 200)
    }))

  it.effect("reads no history of another scope, even if it reused the id of a task deleted there", () =>
    Effect.gen(function*() {
      const { blue, red } = yield* setup
      assert.strictEqual((yield* blue("DELETE", "/api/v1/tasks/blue-task")).status, 200)
      assert.strictEqual((yield* red("GET", "/api/v1/tasks/blue-task/history")).status, 404)
      yield* red("POST", "/api/v1/tasks", { id: "blue-task", file_path: "n", branch: "b" })
      const { history } = (yield* red("GET", "/api/v1/tasks/blue-task/history")).body
      assert.deepStrictEqual(history.map((entry: any) => [entry.scope, entry.event]), [["red", "created"]])
    }))

  it.effect("D4, D7: neither polls nor registers roles for a machine of another scope", () =>
    Effect.gen(function*() {
      const { blue, red } = yield* setup
      yield* blue("PUT", "/api/v1/flows/hidden", { states: ["incoming", "claimed", "done"], transitions: [] })
      const poll = (yield* red("GET", "/api/v1/scheduler/poll?orchestrator_id=k-blue")).body
      assert.include(poll, { scope: "red", orchestrator_registered: false })
      assert.notInclude(JSON.stringify(poll), "hidden")
      const roles = [{ name: "r" }]
      const refused = yield* red("POST", "/api/v1/roles/register", { orchestrator_id: "k-blue", roles })
      assert.isAtLeast(refused.status, 400)
      assert.deepStrictEqual((yield* blue("GET", "/api/v1/roles")).body.roles, [])
    }))
})
