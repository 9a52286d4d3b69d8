/** How flows, roles, limits and administrators bear upon moves. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { defaultFlow, projectFlow, testingFlow } from "../support/flows.ts"
import * as server from "../support/server.ts"

const scope = "red"
const task = (id: string, rest: object = {}) => ({ id, scope, file_path: `${id}.md`, branch: "b", ...rest })
const claim = (rest: object = {}) => ({ scope, orchestrator_id: "k-m", agent_name: "ann", ...rest })
const done = { commits_count: 1, turns_used: 3 }

const start = Effect.gen(function*() {
  const { send } = yield* server.make()
  const post = (path: string, body: unknown = {}) => send("POST", `/api/v1/${path}`, body)
  yield* post("orchestrators/register", { scope, cluster: "k", machine_id: "m" })
  return { send, post }
})

describe("lists without a limit", () => {
  it.effect("C9: hold all tasks of a queue with work, and the newest of a queue of finished tasks", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const numbers = Array.from({ length: 60 }, (_, i) => i)
      yield* Effect.forEach(numbers, (i) => post("tasks", task(`w-${i}`, { queue: "provisional" })))
      yield* Effect.forEach(numbers, (i) => post("tasks", task(`d-${i}`, { queue: "done" })))
      const sizes = [
        "queue=provisional",
        "queue=provisional,incoming",
        "queue=done",
        "queue=provisional&limit=7",
        "role="
      ]
      const found = yield* Effect.forEach(sizes, (query) => send("GET", `/api/v1/tasks?scope=${scope}&${query}`))
      assert.deepStrictEqual(found.map(({ body }) => body.tasks.length), [60, 60, 50, 7, 50])
      assert.strictEqual(found[0]?.body.limit, 500)
    }))

  it.effect("8.1#11: find the tasks that need intervention among many", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      for (const id of ["a", "b", "c"]) yield* post("tasks", task(id, { needs_intervention: id === "b" }))
      yield* send("PATCH", "/api/v1/tasks/c", { queue: "requires-intervention", needs_intervention: true })
      const ids = Effect.fnUntraced(function*(query: string) {
        const { tasks, total } = (yield* send("GET", `/api/v1/tasks?scope=${scope}&${query}`)).body
        assert.strictEqual(total, tasks.length)
        return tasks.map(({ id }: { readonly id: string }) => id).toSorted().join("")
      })
      assert.strictEqual(yield* ids("needs_intervention=True"), "bc")
      assert.strictEqual(yield* ids("needs_intervention=True&queue=incoming"), "b")
      assert.strictEqual(yield* ids("needs_intervention=1&sort=priority"), "bc")
      assert.strictEqual(yield* ids("needs_intervention=False"), "a")
    }))
})

describe("a task that follows a flow", () => {
  it.effect("is accepted, rejected and requeued if the flow has the step; a refusal names the missing one", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/default", { scope, ...defaultFlow })
      yield* post("tasks", task("a"))
      yield* post("tasks/claim", claim())
      const refused = yield* post("tasks/a/accept", { accepted_by: "x" })
      assert.strictEqual(refused.status, 409)
      assert.deepStrictEqual(refused.body.details, [
        "Invalid transition: flow \"default\" does not allow claimed → done"
      ])
      assert.include(refused.body.error, "Failed to accept task")
      assert.strictEqual((yield* post("tasks/a/submit", done)).body.queue, "provisional")
      assert.strictEqual((yield* post("tasks/a/accept", { accepted_by: "x" })).body.queue, "done")
    }))

  it.effect("A3: a project's task may also take the steps of the child flow", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/project", { scope, ...projectFlow })
      yield* post("projects", { id: "p", title: "P", branch: "feature", scope })
      for (const [id, rest] of [["child", { project_id: "p" }], ["alone", {}]] as const) {
        yield* post("tasks", task(id, { flow: "project", role: id, ...rest }))
        yield* post("tasks/claim", claim({ role_filter: id }))
      }
      assert.strictEqual((yield* post("tasks/alone/accept", { accepted_by: "x" })).status, 409)
      const accepted = yield* post("tasks/child/accept", { accepted_by: "flow-engine" })
      assert.deepInclude(accepted.body, { queue: "done", branch: "feature", claimed_by: null })
    }))

  it.effect("A3: a task of a project that was submitted after its lease expired can be accepted", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/project", { scope, ...projectFlow })
      yield* post("projects", { id: "p", title: "P", branch: "feature", scope })
      yield* post("tasks", task("child", { flow: "project", project_id: "p" }))
      yield* post("tasks", task("other", { flow: "project", project_id: "p" }))
      yield* post("tasks/claim", claim({ lease_duration_seconds: 60 }))
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual((yield* post("tasks/claim", claim({ agent_name: "bob" }))).body.id, "child")
      yield* post("tasks/claim", claim({ lease_duration_seconds: 60 }))
      yield* TestClock.adjust("61 seconds")
      // Every claim takes expired leases back. This one gets no task for its role.
      yield* post("tasks/claim", claim({ role_filter: "none" }))
      assert.include((yield* send("GET", "/api/v1/tasks/other")).body, { queue: "incoming", lease_losses: 1 })
      assert.strictEqual((yield* post("tasks/other/accept", { accepted_by: "flow-engine" })).body.queue, "done")
    }))

  it.effect("A11, A12: goes on from the queue it was claimed from, and returns there", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/qa", { scope, ...testingFlow })
      yield* post("tasks", task("a", { flow: "qa" }))
      yield* post("tasks/claim", claim())
      assert.strictEqual((yield* post("tasks/a/submit", done)).body.queue, "testing")
      assert.strictEqual((yield* post("tasks/claim", claim({ queue: "testing" }))).body.queue, "claimed")
      assert.strictEqual((yield* post("tasks/a/requeue")).body.queue, "testing")
      yield* post("tasks/claim", claim({ queue: "testing" }))
      assert.strictEqual((yield* post("tasks/a/submit", done)).body.queue, "provisional")
    }))

  it.effect("A9: blocks its dependents again if its flow leads out of done", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const reopening = [...defaultFlow.transitions, { from: "done", to: "incoming" }]
      yield* send("PUT", "/api/v1/flows/default", { scope, states: defaultFlow.states, transitions: reopening })
      yield* post("tasks", task("a", { queue: "provisional" }))
      yield* post("tasks", task("b", { blocked_by: "a" }))
      yield* post("tasks/a/accept", { accepted_by: "x" })
      assert.isNull((yield* send("GET", "/api/v1/tasks/b")).body.blocked_by)
      const reopened = yield* post("tasks/a/reject", { reason: "it broke", rejected_by: "x" })
      assert.deepInclude(reopened.body, { queue: "incoming", completed_at: null })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/b")).body.blocked_by, "a")
    }))

  it.effect("cannot be put into a queue the flow does not have, nor be created there", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/default", { scope, ...defaultFlow })
      yield* post("tasks", task("a"))
      const error = "Invalid queue \"tesitng\". Valid queues for flow \"default\": incoming, claimed, done, failed"
      for (
        const answer of [
          yield* send("PATCH", "/api/v1/tasks/a", { queue: "tesitng" }),
          yield* post("tasks/a/force-queue", { queue: "tesitng", reason: "r" }),
          yield* post("tasks", task("b", { queue: "tesitng" })),
          yield* post("tasks/claim", claim({ queue: "tesitng" }))
        ]
      ) {
        assert.strictEqual(answer.status, 400)
        assert.include(answer.body.error, error)
      }
      // A claim may name the queue of any flow of its scope, and of the child flow of one.
      const other = { ...defaultFlow, states: [...defaultFlow.states, "sanding"] }
      const child_flow = { states: ["painting"], transitions: [] }
      yield* send("PUT", "/api/v1/flows/other", { scope, ...other, child_flow })
      for (const [queue, status] of [["sanding", 404], ["painting", 404], ["tesitng", 400]] as const) {
        assert.strictEqual((yield* post("tasks/claim", claim({ queue }))).status, status, queue)
      }
      // Where clients put tasks aside is no matter of flows.
      for (const queue of ["escalated", "breakdown", "rejected", "recycled", "needs_continuation"]) {
        assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/a", { queue })).body.queue, queue)
      }
      assert.strictEqual((yield* post("tasks", task("b", { queue: "tesitng", flow: "unknown" }))).status, 201)
    }))
})

describe("a task in requires-intervention", () => {
  it.effect("A4: is submitted, accepted or returned as from the queue it was in before", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const stuck = Effect.fnUntraced(function*(id: string, submitted: boolean) {
        yield* post("tasks", task(id, { role: id }))
        yield* post("tasks/claim", claim({ role_filter: id }))
        if (submitted) yield* post(`tasks/${id}/submit`, done)
        const patched = yield* send("PATCH", `/api/v1/tasks/${id}`, {
          scope,
          queue: "requires-intervention",
          needs_intervention: true,
          execution_notes: "push failed"
        })
        assert.include(patched.body, { queue: "requires-intervention", needs_intervention: 1, claimed_by: null })
      })
      yield* send("PUT", "/api/v1/flows/default", { scope, ...defaultFlow })
      yield* stuck("a", false)
      assert.strictEqual((yield* post("tasks/a/accept", { accepted_by: "x" })).status, 409)
      assert.include((yield* post("tasks/a/submit", done)).body, { queue: "provisional", needs_intervention: 0 })
      yield* stuck("b", true)
      assert.strictEqual((yield* post("tasks/b/accept", { accepted_by: "x" })).body.queue, "done")
      yield* stuck("c", true)
      assert.strictEqual((yield* post("tasks/c/reject", { reason: "r", rejected_by: "x" })).body.queue, "incoming")
      yield* stuck("d", true)
      assert.strictEqual((yield* post("tasks/d/submit", done)).body.queue, "provisional")
    }))
})

const steps = (...pairs: ReadonlyArray<readonly [string, string]>) => ({
  scope,
  states: ["incoming", "claimed", "testing", "qa", "done"],
  transitions: pairs.map(([from, to]) => ({ from, to }))
})

describe("moves from unusual queues", () => {
  it.effect("a late submit counts even if it leads to the queue to which the task returned", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* post("tasks", task("a", { queue: "needs_continuation" }))
      yield* post("tasks/claim", claim({ queue: "needs_continuation", lease_duration_seconds: 60 }))
      yield* TestClock.adjust("61 seconds")
      yield* post("tasks/claim", claim())
      assert.include((yield* send("GET", "/api/v1/tasks/a")).body, { queue: "needs_continuation", lease_losses: 1 })
      const late = yield* post("tasks/a/submit", { commits_count: 3, turns_used: 120, execution_notes: "half" })
      assert.include(late.body, { queue: "needs_continuation", execution_notes: "half", commits_count: 3 })
      const { incoming = 0, needs_continuation } = (yield* send("GET", `/api/v1/scheduler/poll?scope=${scope}`)).body
        .queue_counts
      assert.deepStrictEqual([incoming, needs_continuation], [0, 1])
    }))

  it.effect("steps of a flow out of requires-intervention count, and a step to itself traps no task", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/own", steps(["incoming", "claimed"], ["requires-intervention", "done"]))
      yield* post("tasks", task("a", { flow: "own", role: "a" }))
      yield* post("tasks/claim", claim({ role_filter: "a" }))
      yield* send("PATCH", "/api/v1/tasks/a", { queue: "requires-intervention" })
      assert.strictEqual((yield* post("tasks/a/accept", { accepted_by: "x" })).body.queue, "done")
      const loop = steps(["claimed", "testing"], ["testing", "testing"], ["testing", "qa"], ["qa", "done"])
      yield* send("PUT", "/api/v1/flows/loop", loop)
      yield* post("tasks", task("b", { flow: "loop", queue: "testing" }))
      yield* post("tasks/claim", claim({ queue: "testing" }))
      assert.strictEqual((yield* post("tasks/b/submit", done)).body.queue, "qa")
    }))

  it.effect("a task with an intervention after done returns to done, also by its holder", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/default", { scope, ...defaultFlow })
      yield* post("tasks", task("a", { queue: "provisional" }))
      yield* post("tasks/a/accept", { accepted_by: "x" })
      yield* send("PATCH", "/api/v1/tasks/a", { queue: "requires-intervention", needs_intervention: true })
      const fixer = claim({ queue: "requires-intervention", lease_duration_seconds: 60 })
      yield* post("tasks/claim", fixer)
      yield* TestClock.adjust("61 seconds")
      yield* post("tasks/claim", claim())
      const lapsed = (yield* send("GET", "/api/v1/tasks/a")).body
      assert.include(lapsed, { queue: "requires-intervention", needs_intervention: 1 })
      yield* post("tasks/claim", fixer)
      assert.strictEqual((yield* post("tasks/a/accept", { accepted_by: "fixer" })).body.queue, "done")
    }))

  it.effect("a PATCH that changes the project follows the flow of the new project", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* send("PUT", "/api/v1/flows/project", {
        scope,
        ...projectFlow,
        child_flow: { transitions: [{ from: "claimed", to: "kid" }] }
      })
      yield* post("projects", { id: "p", title: "P", branch: "f", scope })
      yield* post("tasks", task("a", { flow: "project" }))
      const patch = (body: object) => send("PATCH", "/api/v1/tasks/a", body)
      assert.strictEqual((yield* patch({ queue: "kid" })).status, 400)
      assert.strictEqual((yield* patch({ queue: "kid", project_id: "p" })).body.queue, "kid")
      assert.strictEqual((yield* patch({ queue: "incoming", project_id: null })).status, 200)
      yield* patch({ project_id: "p" })
      assert.strictEqual((yield* patch({ queue: "kid", project_id: null })).status, 400)
    }))
})

describe("fail and force-queue", () => {
  it.effect("C1: fail keeps the reason, and is refused for a finished task", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* post("tasks", task("a"))
      yield* post("tasks/claim", claim())
      const failed = yield* post("tasks/a/fail", { reason: "the build is broken" })
      assert.include(failed.body, { queue: "failed", execution_notes: "the build is broken", claimed_by: null })
      const entry = (yield* send("GET", "/api/v1/tasks/a/history")).body.history.at(-1)
      assert.include(entry, { event: "failed", from_queue: "claimed", actor: "ann", reason: "the build is broken" })
      const again = yield* post("tasks/a/fail", { reason: "again" })
      assert.strictEqual(again.status, 409)
      assert.include(
        again.body.error,
        "it is in failed, and only a task that is in neither done, failed nor cancelled can be."
      )
      assert.deepStrictEqual(again.body.details, [
        "Invalid transition: task is in failed, expected neither done, failed nor cancelled"
      ])
      assert.include((yield* post("tasks/a/fail", {})).body.error, "Missing required field: reason")
    }))

  it.effect("force-queue reaches done, unblocks dependents, records the actor and sends a message", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* post("tasks", task("a"))
      yield* post("tasks", task("b", { blocked_by: "a" }))
      yield* post("tasks/claim", claim())
      const forced = yield* post("tasks/a/force-queue", { queue: "done", reason: "merged by hand", actor: "joe" })
      assert.include(forced.body, { queue: "done", claimed_by: null })
      assert.isString(forced.body.completed_at)
      assert.isNull((yield* send("GET", "/api/v1/tasks/b")).body.blocked_by)
      const entry = (yield* send("GET", "/api/v1/tasks/a/history")).body.history.at(-1)
      assert.deepInclude(entry, { event: "force_queue", actor: "joe", reason: "merged by hand", to_queue: "done" })
      const { messages } = (yield* send("GET", "/api/v1/tasks/a/messages")).body
      assert.deepInclude(messages[0], { from_actor: "system", to_actor: null, type: "force_queue" })
      assert.strictEqual(messages[0].content, "merged by hand")
      assert.strictEqual((yield* post("tasks/a/force-queue", { queue: "incoming", reason: "not yet" })).status, 200)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/b")).body.blocked_by, "a")
      // A16: a task forced into `claimed` has a lease, and so cannot stay there.
      const held = yield* post("tasks/a/force-queue", { queue: "claimed", reason: "r" })
      assert.include(held.body, { queue: "claimed", claimed_by: "unknown" })
      assert.isString(held.body.lease_expires_at)
    }))
})

describe("hooks", () => {
  it.effect("B2: simultaneous completions are all kept", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const names = Array.from({ length: 10 }, (_, i) => `hook-${i}`)
      yield* post(
        "tasks",
        task("a", { hooks: JSON.stringify(names.map((name) => ({ name, point: "before_submit" }))) })
      )
      yield* Effect.forEach(
        names,
        (name, i) => post(`tasks/a/hooks/${name}/complete`, { status: i === 3 ? "failed" : "passed", evidence: { i } }),
        { concurrency: 10 }
      )
      const { body } = yield* send("GET", "/api/v1/tasks/a")
      assert.isString(body.hooks)
      assert.deepStrictEqual(
        JSON.parse(body.hooks),
        names.map((name, i) => ({
          name,
          point: "before_submit",
          status: i === 3 ? "failed" : "passed",
          evidence: { i }
        }))
      )
      assert.strictEqual(body.version, 11)
      const unknown = yield* post("tasks/a/hooks/lint/complete", { status: "passed" })
      assert.deepStrictEqual([unknown.status, unknown.body.error], [404, "Hook 'lint' not found on task"])
      assert.strictEqual((yield* post("tasks/none/hooks/lint/complete", { status: "passed" })).status, 404)
      yield* send("PATCH", "/api/v1/tasks/a", { hooks: "not JSON" })
      for (const evidence of [null, "e"]) {
        assert.strictEqual((yield* post("tasks/a/hooks/lint/complete", { status: "passed", evidence })).status, 404)
      }
    }))
})

describe("claims", () => {
  it.effect("8.1#1, 8.2#1: a machine at its limit gets 429 with counts, and still gets reviews", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      for (const id of ["a", "b", "c"]) yield* post("tasks", task(id))
      yield* post("tasks", task("r", { queue: "provisional" }))
      assert.strictEqual((yield* post("tasks/claim", claim({ max_claimed: 2 }))).status, 200)
      assert.strictEqual((yield* post("tasks/claim", claim({ max_claimed: 2 }))).status, 200)
      const full = yield* post("tasks/claim", claim({ max_claimed: 2 }))
      assert.strictEqual(full.status, 429)
      assert.deepInclude(full.body, { claimed: 2, max_claimed: 2, orchestrator_id: "k-m" })
      assert.isAbove(Number(full.headers.get("retry-after")), 0)
      assert.strictEqual((yield* post("tasks/claim", claim({ max_claimed: 2, queue: "provisional" }))).body.id, "r")
      yield* post("tasks/a/submit", done)
      assert.strictEqual((yield* post("tasks/claim", claim({ max_claimed: 2 }))).body.id, "c")
    }))

  it.effect("use the queue of their first role, and refuse unknown roles if the scope has roles", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      yield* post("roles/register", {
        orchestrator_id: "k-m",
        roles: [{ name: "gatekeeper", claims_from: "provisional" }, { name: "build" }]
      })
      yield* post("tasks", task("a", { role: "gatekeeper", queue: "provisional" }))
      yield* post("tasks", task("b", { role: "build" }))
      assert.include((yield* post("tasks/claim", claim({ role_filter: "gatekeeper" }))).body, {
        id: "a",
        queue: "provisional"
      })
      assert.include((yield* post("tasks/claim", claim({ role_filter: ["build"] }))).body, {
        id: "b",
        queue: "claimed"
      })
      const error = "Unknown role 'builder'. Registered roles: build, gatekeeper"
      assert.deepInclude(yield* post("tasks/claim", claim({ role_filter: ["builder"] })), { status: 400 })
      assert.strictEqual((yield* post("tasks/claim", claim({ role_filter: ["builder"] }))).body.error, error)
      assert.strictEqual((yield* post("tasks", task("c", { role: "builder" }))).body.error, error)
      // D7: the roles of one scope are nothing to another.
      assert.strictEqual((yield* post("tasks", { ...task("c", { role: "builder" }), scope: "blue" })).status, 201)
    }))

  it.effect("say why there is no task: none for that role, all waiting, all held, or none at all", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const reason = (rest: object = {}) => Effect.map(post("tasks/claim", claim(rest)), ({ body }) => body.reason)
      assert.strictEqual(yield* reason(), "none_ready")
      yield* post("tasks", task("a", { role: "build" }))
      assert.strictEqual(yield* reason({ role_filter: "review" }), "role_mismatch")
      assert.strictEqual(yield* reason({ type_filter: ["x"] }), "role_mismatch")
      yield* send("PATCH", "/api/v1/tasks/a", { blocked_by: "b" })
      assert.strictEqual(yield* reason({ role_filter: "build" }), "blocked")
      yield* post("tasks", task("r", { queue: "provisional" }))
      yield* post("tasks/claim", claim({ queue: "provisional" }))
      const held = yield* post("tasks/claim", claim({ queue: "provisional" }))
      assert.deepInclude(held.body, { reason: "held", counts: { incoming: 1, provisional: 1 } })
      yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "maintenance" })
      assert.strictEqual(yield* reason(), "maintenance")
    }))

  it.effect("8.1#14: use the order of priorities that they ask for", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      for (const [id, priority] of [["a", "P0"], ["b", "P1"], ["c", "P2"], ["d", "P2"]] as const) {
        yield* post("tasks", task(id, { priority, role: "build" }))
        yield* TestClock.adjust("1 second")
      }
      const order = { priority_order: ["P2", "P1"] }
      assert.strictEqual((yield* post("tasks/claim", claim(order))).body.id, "c")
      assert.strictEqual((yield* post("tasks/claim", claim({ ...order, role_filter: ["build", "x"] }))).body.id, "d")
      assert.strictEqual((yield* post("tasks/claim", claim(order))).body.id, "b")
      assert.strictEqual((yield* post("tasks/claim", claim(order))).body.id, "a")
    }))
})

const takeBack = (attempt_count: number) => ({
  scope,
  queue: "incoming",
  claimed_by: null,
  lease_expires_at: null,
  attempt_count,
  needs_intervention: false
})

describe("a PATCH that ends a lease from an old list", () => {
  const endReview = { scope, queue: "provisional", claimed_by: null, lease_expires_at: null }

  it.effect("brings back neither a finished review nor a finished task", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const patch = (body: object) => send("PATCH", "/api/v1/tasks/a", body)
      yield* post("tasks", task("a", { queue: "provisional" }))
      yield* post("tasks/claim", claim({ queue: "provisional" }))
      assert.include((yield* patch(endReview)).body, { queue: "provisional", claimed_by: null })
      yield* post("tasks/a/reject", { reason: "r", rejected_by: "x" })
      assert.include((yield* patch(endReview)).body, { queue: "incoming" })
      yield* post("tasks/claim", claim({ agent_name: "bob" }))
      assert.include((yield* patch(endReview)).body, { queue: "claimed", claimed_by: "bob" })
      yield* post("tasks/a/submit", done)
      yield* post("tasks/a/accept", { accepted_by: "x" })
      for (const body of [endReview, { ...endReview, queue: "incoming", attempt_count: 1 }]) {
        const answer = yield* patch(body)
        assert.strictEqual(answer.status, 200)
        assert.include(answer.body, { queue: "done" })
        assert.isString(answer.body.completed_at)
      }
      assert.include((yield* patch({ queue: "incoming" })).body, { queue: "incoming" })
    }))

  it.effect("T2: does not lower the counter of attempts", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* post("tasks", task("a", { attempt_count: 3 }))
      yield* post("tasks/claim", claim())
      const requeued = { scope, queue: "incoming", claimed_by: null, lease_expires_at: null, attempt_count: 1 }
      assert.include((yield* send("PATCH", "/api/v1/tasks/a", requeued)).body, { queue: "incoming", attempt_count: 3 })
      assert.include((yield* send("PATCH", "/api/v1/tasks/a", { attempt_count: 1 })).body, { attempt_count: 1 })
    }))
})

describe("a PATCH that takes a lease back", () => {
  it.effect("takes back an expired lease, and neither a valid one nor a finished task", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* post("tasks", task("a"))
      yield* post("tasks/claim", claim({ lease_duration_seconds: 60 }))
      const live = yield* send("PATCH", "/api/v1/tasks/a", takeBack(1))
      assert.include(live.body, { queue: "claimed", claimed_by: "ann", attempt_count: 0 })
      yield* TestClock.adjust("61 seconds")
      assert.include((yield* send("PATCH", "/api/v1/tasks/a", takeBack(1))).body, {
        queue: "incoming",
        claimed_by: null,
        attempt_count: 1
      })
      // Another agent holds the task when a second machine sends the same.
      yield* post("tasks/claim", claim({ agent_name: "bob" }))
      assert.include((yield* send("PATCH", "/api/v1/tasks/a", takeBack(1))).body, { claimed_by: "bob" })
      yield* post("tasks/a/submit", done)
      assert.include((yield* send("PATCH", "/api/v1/tasks/a", takeBack(1))).body, { queue: "provisional" })
    }))

  it.effect("counts the loss, and a late call of the holder still counts", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      yield* post("tasks", task("a", { attempt_count: 4 }))
      yield* post("tasks/claim", claim({ lease_duration_seconds: 60 }))
      yield* TestClock.adjust("61 seconds")
      assert.include((yield* send("PATCH", "/api/v1/tasks/a", takeBack(2))).body, {
        queue: "incoming",
        attempt_count: 5,
        lease_losses: 1
      })
      assert.strictEqual((yield* post("tasks/a/submit", done)).body.queue, "provisional")
    }))
})
