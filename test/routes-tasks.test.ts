/** The task routes over HTTP: what a plain client sends and gets, and every kind of input that does not fit. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as server from "./support/server.ts"

const task = (id: string, rest: object = {}) => ({ id, file_path: `${id}.md`, branch: "main", ...rest })
const machine = { cluster: "k", machine_id: "m", repo_url: "git@example.com:r.git" }
const claim = { orchestrator_id: "k-m", agent_name: "ann" }

const ready = Effect.gen(function*() {
  const api = yield* server.make()
  yield* api.send("POST", "/api/v1/orchestrators/register", machine)
  return api
})

describe("the life of a task", () => {
  it.effect("create, claim, submit, reject, claim, submit, accept", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      const created = yield* send(
        "POST",
        "/api/v1/tasks",
        task("a", { content: "# Do it", metadata: { by: "me", n: [1] } })
      )
      assert.strictEqual(created.status, 201)
      assert.include(created.body, {
        id: "a",
        queue: "incoming",
        title: "a",
        priority: "P2",
        scope: "default",
        version: 1
      })
      assert.deepStrictEqual(created.body.metadata, { by: "me", n: [1] })
      assert.strictEqual(created.body.needs_intervention, 0)
      assert.match(created.body.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

      const claimed = yield* send("POST", "/api/v1/tasks/claim", { ...claim, lease_duration_seconds: 14_400 })
      assert.strictEqual(claimed.status, 200)
      assert.include(claimed.body, {
        id: "a",
        queue: "claimed",
        claimed_by: "ann",
        orchestrator_id: "k-m",
        fencing_token: 1
      })
      assert.strictEqual(Date.parse(claimed.body.lease_expires_at) - Date.parse(claimed.body.claimed_at), 14_400_000)
      assert.strictEqual(claimed.body.content, "# Do it")

      const submitted = yield* send("POST", "/api/v1/tasks/a/submit", {
        commits_count: 2,
        turns_used: 9,
        execution_notes: "done so",
        pr_number: 7,
        pr_url: "https://example.com/7"
      })
      assert.include(submitted.body, { queue: "provisional", claimed_by: null, fencing_token: null, pr_number: 7 })

      const rejected = yield* send("POST", "/api/v1/tasks/a/reject", { reason: "no tests", rejected_by: "gate" })
      assert.include(rejected.body, { queue: "incoming", rejection_count: 1, last_rejection_reason: "no tests" })

      const next = yield* send("POST", "/api/v1/tasks/claim", claim)
      assert.include(next.body.handoff, { execution_notes: "done so", last_rejection_reason: "no tests" })
      const again = yield* send("POST", "/api/v1/tasks/a/submit", { commits_count: 1, turns_used: 3 })
      assert.include(
        again.body,
        { execution_notes: null, check_results: null, pr_number: 7 },
        "a submission without notes does not show those of the attempt before it"
      )

      assert.include(
        (yield* send("GET", "/api/v1/tasks/a/handoff")).body.setbacks[0],
        { event: "rejected", reason: "no tests", execution_notes: "done so", check_results: null },
        "the handoff keeps the notes of the result that was rejected"
      )

      const accepted = yield* send("POST", "/api/v1/tasks/a/accept", { accepted_by: "gate" })
      assert.include(accepted.body, { queue: "done", version: 7 })
      assert.isString(accepted.body.completed_at)

      const history = yield* send("GET", "/api/v1/tasks/a/history")
      assert.deepStrictEqual(
        history.body.history.map((
          entry: any
        ) => [entry.version, entry.event, entry.from_queue, entry.to_queue, entry.actor]),
        [
          [1, "created", null, "incoming", null],
          [2, "claimed", "incoming", "claimed", "ann"],
          [3, "submitted", "claimed", "provisional", "ann"],
          [4, "rejected", "provisional", "incoming", "gate"],
          [5, "claimed", "incoming", "claimed", "ann"],
          [6, "submitted", "claimed", "provisional", "ann"],
          [7, "accepted", "provisional", "done", "gate"]
        ]
      )
      assert.strictEqual(history.body.history[3].reason, "no tests")

      assert.deepStrictEqual((yield* send("DELETE", "/api/v1/tasks/a")).body, { message: "Task deleted", task_id: "a" })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a")).status, 404)
      const kept = yield* send("GET", "/api/v1/tasks/a/history")
      assert.strictEqual(kept.body.history.at(-1).event, "deleted")
    }))

  it.effect("an agent out of turns leads the task to needs_continuation", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a"))
      yield* send("POST", "/api/v1/tasks/claim", claim)
      const burnt = yield* send("POST", "/api/v1/tasks/a/submit", { commits_count: 0, turns_used: 80 })
      assert.strictEqual(burnt.body.queue, "needs_continuation")
      const history = yield* send("GET", "/api/v1/tasks/a/history")
      assert.strictEqual(history.body.history[2].event, "burnout_detected")
      assert.strictEqual(
        (yield* send("POST", "/api/v1/tasks/claim", { ...claim, queue: "needs_continuation" })).body.queue,
        "claimed"
      )
    }))

  it.effect("a late submission counts until someone else takes the task", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a"))
      const late = { commits_count: 1, turns_used: 1 }
      const lose = Effect.gen(function*() {
        yield* send("POST", "/api/v1/tasks/claim", { ...claim, lease_duration_seconds: 60 })
        yield* TestClock.adjust("60 seconds")
        // A claim that finds nothing else takes the expired lease back first.
        yield* send("POST", "/api/v1/tasks/claim", { ...claim, queue: "needs_continuation" })
        assert.include((yield* send("GET", "/api/v1/tasks/a")).body, {
          queue: "incoming",
          claimed_by: null,
          lease_losses: 1
        })
      })
      yield* lose
      yield* send("PATCH", "/api/v1/tasks/a", { title: "edited meanwhile" })
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/a/submit", late)).body.queue, "provisional")
      const history = yield* send("GET", "/api/v1/tasks/a/history")
      assert.deepStrictEqual(
        history.body.history.map((entry: any) => [entry.event, entry.actor]),
        [["created", null], ["claimed", "ann"], ["lease_expired", "ann"], ["edited", null], ["submitted", "ann"]]
      )
      yield* send("POST", "/api/v1/tasks/a/requeue")
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/a/submit", late)).status, 409, "it was moved meanwhile")
    }))

  it.effect("priority, then age, then id decide which task is next", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      for (const [id, priority] of [["c", "P2"], ["b", "P10"], ["a", "P2"], ["d", "P1"]] as const) {
        yield* send("POST", "/api/v1/tasks", task(id, { priority }))
      }
      yield* TestClock.adjust("1 second")
      yield* send("POST", "/api/v1/tasks", task("0", { priority: "P2" }))
      const order: Array<string> = []
      for (let i = 0; i < 5; i++) order.push((yield* send("POST", "/api/v1/tasks/claim", claim)).body.id)
      assert.deepStrictEqual(order, ["d", "a", "c", "0", "b"])
    }))
})

describe("claims", () => {
  it.effect("an empty claim says why, and when to ask again", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a", { role: "build" }))
      const empty = yield* send("POST", "/api/v1/tasks/claim", { ...claim, role_filter: "review" })
      assert.strictEqual(empty.status, 404)
      assert.include(empty.body, { message: "No tasks available", reason: "role_mismatch" })
      assert.deepStrictEqual(empty.body.counts, { incoming: 1 })
      assert.strictEqual(empty.headers.get("retry-after"), String(empty.body.retry_after_seconds))
      assert.strictEqual(
        (yield* send("POST", "/api/v1/tasks/claim", { ...claim, role_filter: ["x", "build"] })).body.id,
        "a"
      )
    }))

  it.effect("the most urgent of several roles and types is next", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("old", { role: "build", type: "bug" }))
      yield* TestClock.adjust("1 second")
      yield* send("POST", "/api/v1/tasks", task("urgent", { role: "review", type: "feature", priority: "P0" }))
      const both = { ...claim, role_filter: ["build", "review"] }
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/claim", { ...both, type_filter: "bug" })).body.id, "old")
      yield* send("POST", "/api/v1/tasks/old/requeue")
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/claim", both)).body.id, "urgent")
    }))

  it.effect("an orchestrator in maintenance gets no work, and a reason", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a"))
      yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "maintenance" })
      const refused = yield* send("POST", "/api/v1/tasks/claim", claim)
      assert.deepStrictEqual([refused.status, refused.body.reason], [404, "maintenance"])
      yield* send("PATCH", "/api/v1/orchestrators/k-m", { status: "active" })
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/claim", claim)).body.id, "a")
    }))

  it.effect("a review is claimed once, and stays provisional", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a", { queue: "provisional" }))
      const review = yield* send("POST", "/api/v1/tasks/claim", { ...claim, queue: "provisional" })
      assert.include(review.body, { id: "a", queue: "provisional", claimed_by: "ann" })
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/claim", { ...claim, queue: "provisional" })).status, 404)
    }))

  it.effect.each(["claimed", "done", "failed"])("no claim takes a task from %s", (queue) =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a", { queue }))
      const refused = yield* send("POST", "/api/v1/tasks/claim", { ...claim, queue })
      assert.deepStrictEqual([refused.status, refused.body._tag], [400, "InvalidTask"])
    }))
})

describe("lists", () => {
  it.effect("are newest first, filtered, paged and counted", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      for (const id of ["a", "b", "c", "d", "e"]) {
        yield* send(
          "POST",
          "/api/v1/tasks",
          task(id, { role: id < "c" ? "build" : "review", needs_intervention: id === "b" })
        )
        yield* TestClock.adjust("1 second")
      }
      yield* send("PATCH", "/api/v1/tasks/b", { needs_intervention: true, queue: "failed" })
      const ids = (path: string) =>
        Effect.map(
          send("GET", `/api/v1/tasks${path}`),
          ({ body }) => [body.tasks.map((t: any) => t.id).join(""), body.total]
        )
      assert.deepStrictEqual(yield* ids(""), ["edcba", 5])
      assert.deepStrictEqual(yield* ids("?limit=2&offset=1"), ["dc", 5])
      assert.deepStrictEqual(yield* ids("?queue=incoming&limit=2"), ["ed", 4])
      assert.deepStrictEqual(yield* ids("?queue=incoming,failed&limit=4"), ["edcb", 5])
      assert.deepStrictEqual(yield* ids("?role=build"), ["ba", 2])
      assert.deepStrictEqual(yield* ids("?sort=priority"), ["abcde", 5])
      assert.deepStrictEqual(yield* ids("?needs_intervention=True"), ["b", 1])
      assert.deepStrictEqual(yield* ids("?scope=elsewhere"), ["", 0])
      assert.deepStrictEqual(yield* ids("?limit=0"), ["", 5])
      assert.strictEqual((yield* send("GET", "/api/v1/tasks?limit=1000")).body.limit, 500)
    }))
})

describe("scopes", () => {
  it.effect("a task of another scope is not found, and a request by id needs no scope", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a", { scope: "red" }))
      const both = yield* send("POST", "/api/v1/tasks?scope=blue", task("b", { scope: "red" }))
      assert.strictEqual(both.body.scope, "red", "the body's scope wins over the query's")
      yield* send("DELETE", "/api/v1/tasks/b")
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a")).status, 200)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a?scope=red")).status, 200)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a?scope=blue")).status, 404)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a/history?scope=blue")).status, 404)
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/a", { title: "x", scope: "blue" })).status, 404)
      assert.strictEqual((yield* send("DELETE", "/api/v1/tasks/a?scope=blue")).status, 404)
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/claim", claim)).status, 404)
      assert.strictEqual((yield* send("POST", "/api/v1/tasks/claim", { ...claim, scope: "red" })).body.id, "a")
    }))

  it.effect("can be required", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make({ REQUIRE_SCOPE: "true" })
      const refused = yield* send("POST", "/api/v1/tasks", task("a"))
      assert.deepStrictEqual(
        [refused.status, refused.body.error],
        [400, "Missing required field: scope. All tasks must belong to a scope."]
      )
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).status, 400)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks?scope=red")).status, 200)
    }))
})

describe("input that does not fit", () => {
  const cases: ReadonlyArray<readonly [string, string, unknown, number, string]> = [
    ["POST", "/api/v1/tasks", "{", 400, "valid JSON"],
    ["POST", "/api/v1/tasks", "", 400, "Missing required fields: id, file_path"],
    ["POST", "/api/v1/tasks", "null", 400, "Missing required fields: id, file_path"],
    ["POST", "/api/v1/tasks", "[]", 400, "Missing required fields: id, file_path"],
    ["POST", "/api/v1/tasks", {}, 400, "Missing required fields: id, file_path"],
    ["POST", "/api/v1/tasks", { id: "", file_path: "p", branch: "b" }, 400, "Missing required fields: id ("],
    ["POST", "/api/v1/tasks", { id: "n", file_path: "p", scope: "red" }, 400, "Missing required field: branch"],
    ["POST", "/api/v1/tasks", task("n", { title: 7 }), 400, "body.title"],
    ["POST", "/api/v1/tasks", task("n", { auto_accept: "yes" }), 400, "body.auto_accept"],
    ["POST", "/api/v1/tasks", task("n", { project_id: "nope" }), 400, "there is no project nope"],
    ["POST", "/api/v1/tasks", task("n", { blocked_by: "n" }), 400, "cannot wait for itself"],
    ["POST", "/api/v1/tasks", task("n".repeat(201)), 400, "body.id: "],
    ["POST", "/api/v1/tasks", { ...task("n"), id: 5 }, 400, "body.id: Expected string"],
    ["POST", "/api/v1/tasks", task(".."), 400, "body.id"],
    ["POST", "/api/v1/tasks", task(" "), 400, "body.id"],
    ["POST", "/api/v1/tasks", task("n\u0000"), 400, "body.id"],
    ["POST", "/api/v1/tasks", task("old"), 409, "already exists"],
    ["POST", "/api/v1/tasks", { ...task("n"), file_path: "old.md" }, 409, "file_path old.md"],
    ["POST", "/api/v1/tasks/claim", {}, 400, "Missing required fields: orchestrator_id, agent_name"],
    ["POST", "/api/v1/tasks/claim", { ...claim, orchestrator_id: "x" }, 400, "no orchestrator x"],
    ["POST", "/api/v1/tasks/claim", { ...claim, lease_duration_seconds: "abc" }, 400, "lease_duration_seconds"],
    ["POST", "/api/v1/tasks/claim", { ...claim, lease_duration_seconds: -1 }, 400, "from 1 to 86400"],
    ["POST", "/api/v1/tasks/claim", { ...claim, lease_duration_seconds: 1e300 }, 400, "from 1 to 86400"],
    ["GET", "/api/v1/tasks?limit=abc", undefined, 400, "query.limit"],
    ["GET", "/api/v1/tasks?limit=-1", undefined, 400, "query.limit"],
    ["GET", "/api/v1/tasks?offset=1.5", undefined, 400, "query.offset"],
    ["GET", "/api/v1/tasks?needs_intervention=perhaps", undefined, 400, "query.needs_intervention"],
    ["GET", "/api/v1/tasks/none", undefined, 404, "Task not found"],
    ["PATCH", "/api/v1/tasks/none", { title: "x" }, 404, "Task not found"],
    ["PATCH", "/api/v1/tasks/old", {}, 400, "No fields to update"],
    ["PATCH", "/api/v1/tasks/old", { unknown: 1 }, 400, "No fields to update"],
    ["PATCH", "/api/v1/tasks/old", { queue: "done" }, 400, "Cannot set queue to \"done\""],
    ["PATCH", "/api/v1/tasks/old", { queue: "" }, 400, "body.queue"],
    ["PATCH", "/api/v1/tasks/old", { attempt_count: -1 }, 400, "body.attempt_count"],
    ["PATCH", "/api/v1/tasks/old", { lease_expires_at: "soon" }, 400, "body.lease_expires_at"],
    ["PATCH", "/api/v1/tasks/old", { lease_expires_at: "2030-01-01T00:00:00Z" }, 409, "Nobody holds a lease"],
    ["PATCH", "/api/v1/tasks/old", { title: "x", version: 9 }, 409, "at version 1, not 9"],
    ["PATCH", "/api/v1/tasks/old", { project_id: "nope" }, 400, "there is no project nope"],
    ["DELETE", "/api/v1/tasks/none", undefined, 404, "Task not found"],
    ["POST", "/api/v1/tasks/old/submit", {}, 400, "Missing required fields: commits_count, turns_used"],
    ["POST", "/api/v1/tasks/old/submit", { commits_count: 1, turns_used: 1 }, 409, "it is in incoming"],
    ["POST", "/api/v1/tasks/old/accept", {}, 400, "Missing required field: accepted_by"],
    ["POST", "/api/v1/tasks/old/accept", { accepted_by: "x" }, 409, "Failed to accept task"],
    ["POST", "/api/v1/tasks/old/reject", { reason: "x" }, 400, "Missing required fields: rejected_by ("],
    ["POST", "/api/v1/tasks/old/requeue", "", 409, "it is in incoming"],
    ["GET", "/api/v1/tasks/none/history", undefined, 404, "Task not found"],
    ["GET", "/api/v1/nothing", undefined, 404, "Not Found"],
    ["PUT", "/api/v1/tasks", {}, 405, "PUT is not allowed"],
    ["GET", "/api/v1/tasks/%E0%A4%A", undefined, 400, ""]
  ]

  it.effect.each(cases)("%s %s %j", ([method, path, body, status, text]) =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("old"))
      const answer = yield* send(method, path, body)
      assert.strictEqual(answer.status, status, JSON.stringify(answer.body))
      assert.isString(answer.body.error)
      assert.include(answer.body.error, text)
    }))

  it.effect("a body nested too deeply is refused, however deep", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      for (const depth of [101, 10_000, 100_000]) {
        const metadata = `${"[".repeat(depth)}${"]".repeat(depth)}`
        const body = `{"id":"deep","file_path":"d","branch":"b","metadata":${metadata}}`
        assert.strictEqual((yield* send("POST", "/api/v1/tasks", body)).status, 400, String(depth))
      }
    }))

  it.effect("null clears, and is never kept as text", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a", { hooks: null, metadata: null, flow_overrides: null }))
      yield* send("PATCH", "/api/v1/tasks/a", { checks: "x", check_results: { unit: true } })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a")).body.check_results, "{\"unit\":true}")
      yield* send("PATCH", "/api/v1/tasks/a", { checks: null, check_results: null })
      const cleared = yield* send("GET", "/api/v1/tasks/a")
      assert.include(cleared.body, {
        checks: null,
        check_results: null,
        hooks: null,
        metadata: null,
        flow_overrides: null
      })
    }))

  it.effect("no accepted input makes a task unreadable", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a"))
      const long = yield* send("PATCH", "/api/v1/tasks/a", { claimed_by: "x", orchestrator_id: "y".repeat(201) })
      assert.strictEqual(long.status, 400)
      const many = yield* send("PATCH", "/api/v1/tasks/a", { attempt_count: Number.MAX_SAFE_INTEGER })
      assert.strictEqual(many.status, 400)
      const blockers = Array.from({ length: 101 }, (_, i) => `b${i}`).join(",")
      assert.strictEqual((yield* send("POST", "/api/v1/tasks", task("b", { blocked_by: blockers }))).status, 400)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).status, 200)
    }))

  it.effect("a PATCH grants neither a blocked or finished task nor an endless lease", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("waits", { blocked_by: "nobody" }))
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/waits", { claimed_by: "bob" })).body._tag, "TaskBlocked")
      yield* send("POST", "/api/v1/tasks", task("over", { queue: "done" }))
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/over", { claimed_by: "bob" })).status, 400)
      yield* send("POST", "/api/v1/tasks", task("a"))
      const ahead = { claimed_by: "bob", lease_expires_at: "9999-01-01T00:00:00Z" }
      const endless = yield* send("PATCH", "/api/v1/tasks/a", ahead)
      assert.deepStrictEqual([endless.status, endless.body.field], [400, "lease_expires_at"])
      assert.match(endless.body.error, /^lease_expires_at: .* 86400 seconds/)
      assert.strictEqual((yield* send("PATCH", "/api/v1/tasks/a", { orchestrator_id: "k-m" })).body._tag, "NotLeased")
    }))

  it.effect("two simultaneous PATCHes are both kept", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      yield* send("POST", "/api/v1/tasks", task("a"))
      yield* send("POST", "/api/v1/tasks", task("done", { queue: "done" }))
      yield* send("POST", "/api/v1/tasks", task("after", { blocked_by: "done" }))
      yield* Effect.all([
        send("PATCH", "/api/v1/tasks/a", { title: "one" }),
        send("PATCH", "/api/v1/tasks/a", { role: "two", queue: "failed" }),
        send("PATCH", "/api/v1/tasks/done", { title: "one" }),
        send("PATCH", "/api/v1/tasks/done", { queue: "incoming" })
      ], { concurrency: "unbounded" })
      assert.include((yield* send("GET", "/api/v1/tasks/a")).body, {
        title: "one",
        role: "two",
        queue: "failed",
        version: 3
      })
      assert.include((yield* send("GET", "/api/v1/tasks/done")).body, { title: "one", queue: "incoming" })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/after")).body.blocked_by, "done")
    }))

  it.effect("a body over 1 MiB is refused, and one just below is kept", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      const large = yield* send("POST", "/api/v1/tasks", task("a", { content: "x".repeat(1024 * 1024) }))
      assert.deepStrictEqual([large.status, large.body.error], [413, "The body is larger than 1 MiB."])
      assert.isNotNull(large.headers.get("server-timing"))
      const fitting = "é".repeat(250_000)
      // Unknown fields are tolerated, and not kept.
      yield* send("POST", "/api/v1/tasks", task("a", { content: fitting, unknown: fitting }))
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a")).body.content, fitting)
    }))

  it.effect("a JSON body is JSON whatever its content type says", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      const form = { "content-type": "application/x-www-form-urlencoded" }
      const created = yield* send("POST", "/api/v1/tasks", JSON.stringify(task("a")), form)
      assert.strictEqual(created.status, 201)
    }))

  it.effect("errors never contain words that clients take for an unreachable server", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      const missing = yield* send("GET", "/api/v1/tasks/fix-network-timeout")
      assert.notMatch(missing.body.error, /network|timeout/i)
      assert.strictEqual(missing.body.task_id, "fix-network-timeout")
    }))
})

describe("every answer", () => {
  it.effect("shows its costs, and can be read by a page of this machine", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      const answer = yield* send("GET", "/api/v1/tasks", undefined, { origin: "http://localhost:5173" })
      assert.match(answer.headers.get("server-timing") ?? "", /^d1;dur=\d+;desc="trips=1 read=\d+ written=\d+"$/)
      assert.strictEqual(answer.headers.get("access-control-allow-origin"), "http://localhost:5173")
      assert.isString(answer.headers.get("x-request-id"))
    }))

  it.effect("to HEAD is that of GET, without the body", () =>
    Effect.gen(function*() {
      const { send } = yield* ready
      for (const path of ["/api/v1/tasks", "/api/health", "/docs", "/openapi.json"]) {
        const head = yield* send("HEAD", path)
        assert.deepStrictEqual([head.status, head.body], [200, ""], path)
      }
      assert.strictEqual((yield* send("HEAD", "/api/v1/tasks/none")).status, 404)
      assert.strictEqual((yield* send("HEAD", "/nothing")).status, 404)
    }))
})
