/** Moving a scope from the old server: everything arrives and works. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { chunks } from "../../src/cli/transfer/old/copy.ts"
import { make, minutes, now } from "./move.ts"
import { iso, type Row, sqlite, task } from "./OldServer.ts"

const earlier = now - minutes(60)
const orchestrator = (id: string, scope: string): Row => ({
  id: `k-${id}`,
  cluster: "k",
  machine_id: id,
  hostname: null,
  repo_url: "https://example.com/repo.git",
  registered_at: iso(earlier),
  last_heartbeat: iso(now),
  status: "active",
  version: "1.2",
  capabilities: "{\"gpu\":true}",
  scope
})
const project = (id: string, rest: Row = {}): Row => ({
  id,
  title: `Project ${id}`,
  description: null,
  status: "active",
  branch: `feature/${id}`,
  base_branch: "develop",
  auto_accept: true,
  created_at: iso(earlier),
  created_by: "ada",
  completed_at: null,
  scope: "red",
  ...rest
})
const draft = (id: number, rest: Row = {}): Row => ({
  id,
  title: `Idea ${id}`,
  status: "idea",
  author: "ada",
  domain: null,
  file_path: null,
  created_at: iso(earlier + id),
  updated_at: iso(earlier + id + 1),
  linked_task_id: null,
  linked_project_id: null,
  tags: "[\"a\",\"b\"]",
  scope: "red",
  ...rest
})

const lease = (from: number, until: number | null): Row => ({
  queue: "claimed",
  claimed_by: "ann",
  claimed_at: sqlite(from),
  orchestrator_id: "k-m",
  lease_expires_at: until === null ? null : iso(until),
  attempt_count: 1
})

const counts = (report: { readonly kinds: Record<string, { created: number; existing: number; failed: number }> }) =>
  Object.fromEntries(
    Object.entries(report.kinds).map(([kind, { created, existing, failed }]) => [kind, [created, existing, failed]])
  )

const sizes = (records: ReadonlyArray<Row>) => chunks(records).map(({ length }) => length)

const asIso = (value: unknown) =>
  typeof value === "string" && !value.includes("T") ? `${value.replace(" ", "T")}.000Z` : value

describe("an import", () => {
  it.effect("copies the fields of tasks, projects, drafts and orchestrators unchanged, and nothing of other scopes", () =>
    Effect.gen(function*() {
      const full = task("full", earlier, {
        queue: "done",
        priority: "P0",
        complexity: "high",
        role: "implement",
        branch: "feature/x",
        commits_count: 3,
        turns_used: 41,
        attempt_count: 2,
        has_plan: 1,
        plan_id: "plan",
        project_id: "p",
        auto_accept: 1,
        rejection_count: 1,
        pr_number: 12,
        pr_url: "https://example.com/pr/12",
        checks: "pytest",
        check_results: "{\"pytest\":{\"status\":\"pass\"}}",
        needs_rebase: 1,
        last_rebase_attempt_at: iso(earlier),
        staging_url: "https://staging",
        submitted_at: sqlite(earlier + 5000),
        completed_at: iso(now - 1234),
        updated_at: sqlite(now),
        version: 9,
        needs_breakdown: 1,
        review_round: 2,
        execution_notes: "it's \"done\" ✓",
        title: "A full task",
        type: "feature",
        hooks: "[{\"name\":\"run_tests\"}]",
        flow: "project",
        flow_overrides: "{}",
        content: "# Body\n\nwith 'quotes', ünïcode and \\ backslashes",
        needs_intervention: 1
      })
      const forced = task("forced", earlier, { queue: "done", completed_at: sqlite(now - 2000) })
      const bare = task("bare", earlier, { queue: "done", updated_at: sqlite(now - 3000) })
      const custom = task("custom", earlier, { queue: "human_review", priority: null, title: null, version: null })
      const data = {
        orchestrators: [orchestrator("m", "red"), orchestrator("n", "blue")],
        projects: [project("p"), project("q", { scope: "blue" })],
        drafts: [draft(7), draft(9, { tags: null, linked_task_id: "full" }), draft(11, { scope: "blue" })],
        tasks: [full, forced, bare, custom, task("other", earlier, { scope: "blue" })]
      }
      const { run, send, tasks } = yield* make(data)
      const report = yield* run()
      assert.deepStrictEqual(report.problems, [])
      assert.deepInclude(counts(report), {
        orchestrators: [1, 0, 0],
        projects: [1, 0, 0],
        drafts: [2, 0, 0],
        tasks: [4, 0, 0]
      })

      const copied = yield* tasks
      assert.deepStrictEqual(Object.keys(copied).sort(), ["bare", "custom", "forced", "full"])
      const times = new Set(["created_at", "updated_at", "submitted_at", "completed_at", "last_rebase_attempt_at"])
      for (const [name, value] of Object.entries(full)) {
        assert.deepStrictEqual(copied.full[name], times.has(name) ? asIso(value) : value, name)
      }
      assert.strictEqual(copied.forced.completed_at, iso(now - 2000))
      assert.strictEqual(copied.bare.completed_at, iso(now - 3000), "done without completed_at")
      assert.include(copied.custom, { queue: "human_review", priority: "P2", title: "custom", version: 1 })
      assert.deepInclude((yield* send("GET", "/api/v1/projects/p")).body, project("p"))
      assert.deepInclude((yield* send("GET", "/api/v1/drafts/9")).body, data.drafts[1])
      assert.deepInclude((yield* send("GET", "/api/v1/orchestrators/k-m")).body, {
        ...orchestrator("m", "red"),
        status: "offline"
      })
      assert.strictEqual((yield* send("GET", "/api/v1/orchestrators/k-n")).status, 404)
      // The next draft gets a number of its own.
      assert.strictEqual((yield* send("POST", "/api/v1/drafts", { title: "t", author: "a" })).body.id, 10)
    }))

  it.effect("changes nothing when it is repeated", () =>
    Effect.gen(function*() {
      const { run, send, tasks } = yield* make({
        orchestrators: [orchestrator("m", "red")],
        projects: [project("p")],
        drafts: [draft(1)],
        tasks: [task("a", earlier), task("b", earlier, { blocked_by: "a" }), task("c", earlier, { queue: "done" })]
      })
      yield* run()
      yield* send("PATCH", "/api/v1/tasks/a", { title: "changed here" })
      yield* send("PATCH", "/api/v1/drafts/1", { title: "changed here" })
      const before = yield* tasks
      const report = yield* run()
      assert.deepStrictEqual(report.problems, [])
      assert.deepInclude(counts(report), {
        orchestrators: [0, 1, 0],
        projects: [0, 1, 0],
        drafts: [0, 1, 0],
        tasks: [0, 3, 0]
      })
      assert.deepStrictEqual(yield* tasks, before)
      assert.strictEqual((yield* send("GET", "/api/v1/drafts/1")).body.title, "changed here")
      const { history } = (yield* send("GET", "/api/v1/tasks/b/history")).body
      assert.strictEqual(history.length, 1)
      assert.include(history[0], { event: "imported", version: 1, from_queue: null, to_queue: "incoming" })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks?scope=red&queue=incoming")).body.total, 2)
    }))

  it.effect("8.2#16: turns blocked_by into dependencies: done blockers do not block, and an accept releases", () =>
    Effect.gen(function*() {
      const { run, send, tasks } = yield* make({
        tasks: [
          task("waits", earlier + 9000, { blocked_by: "first, TASK-second,finished" }),
          task("was-waiting", earlier + 8000, { blocked_by: "finished" }),
          task("lost", earlier, { blocked_by: "awaiting-approval" }),
          task("first", earlier + 7000, { queue: "provisional" }),
          task("second", earlier + 6000, { queue: "provisional" }),
          task("finished", earlier, { queue: "done" })
        ]
      })
      const report = yield* run()
      assert.deepStrictEqual(report.notes, [
        "Task lost waits for awaiting-approval, which the scope has not got. Clear its blocked_by."
      ])
      const before = yield* tasks
      assert.strictEqual(before.waits.blocked_by, "first,TASK-second")
      assert.isNull(before["was-waiting"].blocked_by)
      for (const id of ["first", "second"]) {
        assert.strictEqual((yield* send("POST", `/api/v1/tasks/${id}/accept`, { accepted_by: "ada" })).status, 200)
      }
      const after = yield* tasks
      assert.isNull(after.waits.blocked_by)
      assert.strictEqual(after.lost.blocked_by, "awaiting-approval")
    }))

  it.effect("unblocks tasks of an earlier request if a later one brings a blocker that is done", () =>
    Effect.gen(function*() {
      const { send, tasks } = yield* make({})
      const load = (...records: ReadonlyArray<Row>) => send("POST", "/api/v1/scopes/red/import", { tasks: records })
      yield* load(task("a", earlier, { blocked_by: "z,y", version: 4 }))
      assert.strictEqual((yield* tasks).a.blocked_by, "z,y")
      yield* load(task("z", earlier, { queue: "done" }), task("b", earlier, { blocked_by: "TASK-z" }))
      assert.include((yield* tasks).a, { blocked_by: "y", version: 5 })
      assert.include((yield* tasks).b, { blocked_by: null, version: 1 })
      const { history } = (yield* send("GET", "/api/v1/tasks/a/history")).body
      assert.deepStrictEqual(history.map((entry: any) => [entry.version, entry.event]), [
        [4, "imported"],
        [5, "blockers_changed"]
      ])
    }))

  it.effect("8.2#15: a valid lease goes on, an expired one is given up, and nothing is stuck in claimed", () =>
    Effect.gen(function*() {
      const { run, send, tasks } = yield* make({
        orchestrators: [orchestrator("m", "red")],
        tasks: [
          task("live", earlier, lease(earlier, now + minutes(30))),
          task("long", earlier, lease(earlier, now + minutes(60 * 72))),
          // As the Python client writes it.
          task("renewed", earlier, {
            ...lease(earlier, null),
            lease_expires_at: iso(now + minutes(9)).replace("000Z", "123456+00:00")
          }),
          task("lapsed", earlier, lease(earlier, now - 1)),
          task("resumed", earlier, lease(earlier, null)),
          task("nobody", earlier, { queue: "claimed" }),
          task("review", earlier, { ...lease(earlier, now + minutes(5)), queue: "provisional" }),
          task("old-review", earlier, { ...lease(earlier, now - 1), queue: "provisional" }),
          task("put-aside", earlier, { ...lease(earlier, now + minutes(5)), queue: "needs_continuation" })
        ]
      })
      assert.deepStrictEqual((yield* run()).problems, [])
      const copied = yield* tasks
      assert.include(copied.live, {
        queue: "claimed",
        claimed_by: "ann",
        claimed_at: iso(earlier),
        orchestrator_id: "k-m",
        lease_expires_at: iso(now + minutes(30)),
        fencing_token: 1,
        attempt_count: 1
      })
      assert.strictEqual(copied.long.lease_expires_at, iso(now + minutes(60 * 24)), "a lease lasts a day at most")
      assert.strictEqual(copied.renewed.lease_expires_at, iso(now + minutes(9) + 123))
      for (const id of ["lapsed", "resumed", "nobody"]) {
        assert.include(copied[id], { queue: "incoming", claimed_by: null, lease_expires_at: null }, id)
      }
      assert.strictEqual(copied.lapsed.attempt_count, 1)
      assert.include(copied.review, { queue: "provisional", claimed_by: "ann" })
      assert.include(copied["old-review"], { queue: "provisional", claimed_by: null })
      assert.include(copied["put-aside"], { queue: "needs_continuation", claimed_by: null, orchestrator_id: null })

      const work = { commits_count: 1, turns_used: 5 }
      const submitted = yield* send("POST", "/api/v1/tasks/live/submit", work)
      assert.deepStrictEqual([submitted.status, submitted.body.queue], [200, "provisional"])
      // The machine is known, and gets the task that was given up. The imported lease expires like any other.
      const claim = { orchestrator_id: "k-m", agent_name: "bob", scope: "red" }
      assert.include((yield* send("POST", "/api/v1/tasks/claim", claim)).body, { id: "lapsed", fencing_token: 1 })
      yield* TestClock.adjust("10 minutes")
      assert.include((yield* send("POST", "/api/v1/tasks/claim", claim)).body, { id: "lapsed", claimed_by: "bob" })
      assert.include((yield* tasks).renewed, { queue: "incoming", attempt_count: 2, lease_losses: 1 })
    }))

  it.effect("reads 1,200 tasks page by page, writes them in pieces, and counts them", () =>
    Effect.gen(function*() {
      const queues = ["incoming", "done", "failed", "provisional", "escalated"]
      const { old, run, send, tasks } = yield* make({
        tasks: Array.from({ length: 1200 }, (_, n) =>
          task(`t${n}`, earlier + n * 1000, { queue: queues[n % 5], content: "x".repeat(20_000) })),
        drafts: Array.from({ length: 60 }, (_, n) =>
          draft(n + 1))
      })
      const report = yield* run()
      assert.deepInclude(counts(report), { tasks: [1200, 0, 0], drafts: [60, 0, 0] })
      const pages = old.requests.filter(({ pathname }) => pathname === "/api/v1/tasks")
      assert.deepStrictEqual(pages.map(({ searchParams }) => searchParams.get("offset")), ["0", "500", "1000"])
      assert.strictEqual(Object.keys(yield* tasks).length, 1200)
      for (const queue of queues) {
        assert.strictEqual((yield* send("GET", `/api/v1/tasks?scope=red&queue=${queue}`)).body.total, 240, queue)
      }
    }))

  it.effect("reads again in another order if pages shift, and reports if it could not see everything", () =>
    Effect.gen(function*() {
      let shifted = false
      const all = Array.from({ length: 700 }, (_, n) => task(`t${n}`, earlier + n * 1000))
      const shifting = yield* make({ tasks: all }, (url) => {
        if (url.pathname !== "/api/v1/tasks" || url.searchParams.get("offset") !== "500" || shifted) return undefined
        shifted = true
        return Response.json({ tasks: [all[200], ...all.slice(1, 200)], total: 700, offset: 500, limit: 500 })
      })
      assert.deepInclude(counts(yield* shifting.run()), { tasks: [700, 0, 0] })
      assert.isTrue(shifting.old.requests.some(({ searchParams }) => searchParams.get("sort") === "priority"))

      const lying = yield* make({}, (url) =>
        url.pathname === "/api/v1/messages"
          ? Response.json({ messages: [], total: 3, offset: 0, limit: 500 })
          : undefined)
      assert.deepInclude((yield* lying.run()).problems, {
        kind: "messages",
        id: "*",
        error: "3 were announced and 0 found. Run this again."
      })
    }))

  it.effect("gives the same report for a dry run as for the import, across requests, and writes nothing", () =>
    Effect.gen(function*() {
      const { run, send } = yield* make({
        orchestrators: [orchestrator("m", "red")],
        projects: [
          ...Array.from({ length: 150 }, (_, n) => project(`p${n}`, { description: "x".repeat(9000) })),
          project("theirs"),
          project("odd", { pr_number: "x" })
        ],
        drafts: [draft(1), draft(2)],
        tasks: [
          ...Array.from({ length: 150 }, (_, n) => task(`t${n}`, earlier + n * 1000, { project_id: `p${149 - n}` })),
          ...["theirs", "odd", "gone"].map((id) => task(`of-${id}`, earlier, { project_id: id })),
          task("broken", earlier, { queue: "" }),
          task("large", earlier, { content: "x".repeat(2_000_000) }),
          task("here", earlier),
          task("elsewhere", earlier),
          task("path", earlier, { file_path: "taken" })
        ]
      })
      const load = (scope: string, batch: object) => send("POST", `/api/v1/scopes/${scope}/import`, batch)
      yield* load("red", { tasks: [task("here", earlier), task("other", earlier, { file_path: "taken" })] })
      yield* load("blue", { projects: [project("theirs")], drafts: [draft(2)], tasks: [task("elsewhere", earlier)] })
      const foretold = yield* run({ dryRun: true })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks?scope=red")).body.total, 2)
      assert.strictEqual((yield* send("GET", "/api/v1/projects?scope=red")).body.total, 0)
      assert.deepInclude(counts(foretold), { projects: [150, 0, 2], drafts: [1, 0, 1], tasks: [150, 1, 7] })
      const report = yield* run()
      assert.deepStrictEqual(foretold, report)
      assert.deepStrictEqual(
        report.problems.map(({ id }) => id).toSorted(),
        ["2", "broken", "elsewhere", "large", "odd", "of-gone", "of-odd", "of-theirs", "path", "theirs"]
      )
    }))

  it.effect("names the records whose texts or numbers cannot be copied unchanged, and copies the rest", () =>
    Effect.gen(function*() {
      const big = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON("9007199254740993")
      const { run, tasks } = yield* make({
        projects: [{ id: "p", title: "x\ud83d", scope: "red", status: "active", created_at: iso(earlier) }],
        tasks: [
          ...Array.from({ length: 120 }, (_, n) => task(`half-${n}`, earlier, { title: `${n}\ud83d` })),
          task("big", earlier, { metadata: { n: [1, big] } }),
          task("text", earlier, { hooks: "[{\"name\":\"\\ud83d\"}]" }),
          task("whole", earlier, { title: "🐙", metadata: { n: "9007199254740993" } })
        ]
      })
      const report = yield* run()
      assert.deepStrictEqual(counts(report), { ...counts(report), projects: [0, 0, 1], tasks: [1, 0, 122] })
      const errors = Object.fromEntries(report.problems.map(({ error, id }) => [id, error]))
      assert.match(errors["p"]!, /^title: .*half of a surrogate pair/)
      assert.match(errors["half-77"]!, /^title: .*half of a surrogate pair/)
      assert.match(errors["big"]!, /^metadata\.n\.1: .*got 9007199254740993/)
      assert.match(errors["text"]!, /^hooks: /)
      const { whole, ...others } = yield* tasks
      assert.deepInclude(whole, { title: "🐙", metadata: { n: "9007199254740993" } })
      assert.deepStrictEqual(others, {})
    }))

  it.effect("says what to do about a missing project, and that works", () =>
    Effect.gen(function*() {
      const { run, send } = yield* make({ tasks: [task("a", earlier, { project_id: "PROJ-404" })] })
      assert.include((yield* run()).problems[0]?.error, "if it is gone, create it (POST /api/v1/projects), and repeat")
      yield* send("POST", "/api/v1/projects", { id: "PROJ-404", title: "Lost", branch: "b", scope: "red" })
      assert.deepInclude(counts(yield* run()), { tasks: [1, 0, 0] })
    }))

  it.effect("names the roles that other machines registered, which are not copied", () =>
    Effect.gen(function*() {
      const role = (name: string, orchestrator_id: string | null): Row => ({
        name,
        description: null,
        claims_from: "incoming",
        orchestrator_id,
        created_at: sqlite(earlier)
      })
      const { run, send } = yield* make({
        orchestrators: [orchestrator("m", "red"), orchestrator("n", "blue")],
        roles: [role("builder", "k-m"), role("fixer", "k-n"), role("poet", null)],
        tasks: [task("a", earlier, { role: "fixer" }), task("b", earlier, { role: "builder" })]
      })
      const { kinds, notes } = yield* run()
      assert.strictEqual(kinds.roles.created, 1)
      assert.deepStrictEqual(notes, [
        "Roles not copied, as no orchestrator of the scope registered them: fixer (of 1 open task), poet. Once the scope has roles, no task can be created with others: register those it needs (POST /api/v1/roles/register)."
      ])
      const create = () =>
        send("POST", "/api/v1/tasks", { id: "c", file_path: "c", branch: "b", scope: "red", role: "fixer" })
      assert.strictEqual((yield* create()).status, 400)
      yield* send("POST", "/api/v1/roles/register", {
        orchestrator_id: "k-m",
        roles: [{ name: "fixer" }],
        scope: "red"
      })
      assert.strictEqual((yield* create()).status, 201)
    }))

  it.effect("does not copy projects without a scope, and says so, unless asked to", () =>
    Effect.gen(function*() {
      const { run, tasks } = yield* make({
        projects: [project("p", { scope: null })],
        tasks: [task("a", earlier, { project_id: "p" })]
      })
      const report = yield* run()
      assert.deepStrictEqual(report.notes, ["1 project belongs to no scope. --unscoped copies it too."])
      assert.deepStrictEqual(report.problems, [
        {
          kind: "tasks",
          id: "a",
          error:
            "project_id: the scope has no project p. Import it first or, if it is gone, create it (POST /api/v1/projects), and repeat this."
        }
      ])
      assert.deepStrictEqual((yield* run({ unscoped: true })).problems, [])
      assert.strictEqual((yield* tasks).a.project_id, "p")
    }))

  it("puts at most 100 records and 900 kB into a request", () => {
    assert.deepStrictEqual(sizes(Array.from({ length: 201 }, (_, id) => ({ id }))), [100, 100, 1])
    const large = { content: "ü".repeat(200_000) }
    assert.deepStrictEqual(sizes([large, large, large, { content: "x".repeat(2_000_000) }, large]), [2, 1, 1, 1])
    assert.deepStrictEqual(sizes([]), [])
  })
})
