/** The overview of a scope: what it shows, its bounds, and when it is not sent again. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { MaxCounted, MaxListed, MaxProjectsSeen, MaxShown } from "../../src/domain/feed/Overview.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as server from "../support/server.ts"

const start = Effect.fnUntraced(function*(config: Record<string, string> = {}) {
  const { db, raw } = migrated()
  const { connect, send } = yield* server.make({ BACKOFF_SECONDS: "0", ...config }, () => db)
  const post = (path: string, body: unknown = {}) => send("POST", `/api/v1/${path}`, body)
  const overview = (query = "") => Effect.map(send("GET", `/api/v1/overview?scope=red${query}`), ({ body }) => body)
  const create = (id: string, rest: object = {}) =>
    post("tasks", { id, scope: "red", file_path: id, branch: "b", ...rest })
  const claim = (rest: object = {}) =>
    Effect.map(
      post("tasks/claim", {
        scope: "red",
        orchestrator_id: "k-m",
        agent_name: "ann",
        lease_duration_seconds: 60,
        ...rest
      }),
      ({ body }) => body
    )
  yield* TestClock.setTime(Date.parse("2026-03-02T10:30:00Z"))
  yield* post("orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
  const { tick } = yield* Effect.provide(Maintenance, servicesWith(config, () => db))
  return { claim, connect, create, overview, post, raw, send, tick }
})

const result = { commits_count: 2, turns_used: 3 }
/** The hours in which tasks became done. */
const hours = (body: any) =>
  body.lives.hours.filter(({ done }: any) => done > 0).map(({ done, hour }: any) => [hour.slice(11, 16), done])

const contents = (body: any) => body.questions.items.map(({ content }: any) => content)

const none = { total: 0, exact: true, items: [] }

describe("GET /api/v1/overview", () => {
  it.effect("of a scope that was never used is empty", () =>
    Effect.gen(function*() {
      const { send } = yield* start()
      const { body, headers, status } = yield* send("GET", "/api/v1/overview?scope=blue")
      assert.strictEqual(status, 200)
      const { lives, ...rest } = body
      assert.deepStrictEqual(rest, {
        breakers: { total: 0, exact: true, items: [] },
        unclaimable: { total: 0, exact: true, items: [] },
        scope: "blue",
        since: "2026-03-01T11:00:00.000Z",
        queues: {},
        oldest_ready: null,
        projects: none,
        machines: none,
        held: none,
        reviews: none,
        parks: none,
        questions: none,
        failures: { ...none, by_event: {} },
        usage: []
      })
      assert.strictEqual(lives.hours.length, 24)
      assert.deepStrictEqual([lives.exact, lives.hours[0], lives.hours[23]], [
        true,
        { hour: "2026-03-01T11:00:00.000Z", done: 0 },
        { hour: "2026-03-02T10:00:00.000Z", done: 0 }
      ])
      assert.match(headers.get("server-timing")!, /trips=1 /)
    }))

  it.effect("shows queues, projects, the oldest task, and what each machine holds with both clocks and the last note", () =>
    Effect.gen(function*() {
      const { claim, create, overview, post, raw, send } = yield* start()
      yield* post("projects", { id: "p", scope: "red", title: "Export", branch: "feature", status: "active" })
      yield* post("projects", { id: "old", scope: "red", title: "Old", branch: "b" })
      yield* send("PATCH", "/api/v1/projects/old", { status: "completed" })
      yield* create("young", { priority: "P0", max_attempt_seconds: 3600 })
      yield* create("older", { priority: "P3", project_id: "p" })
      yield* create("oldest", { priority: "P1" })
      yield* create("blocked", { priority: "P1", blocked_by: "young" })
      for (const [id, created] of [["older", "2026-03-01"], ["oldest", "2026-02-01"], ["blocked", "2026-01-01"]]) {
        raw.exec(`UPDATE tasks SET created_at = ${Date.parse(created!)} WHERE id = '${id}'`)
      }
      yield* post("orchestrators/register", { scope: "red", cluster: "k", machine_id: "idle" })
      yield* send("PATCH", "/api/v1/orchestrators/k-idle?scope=red", { status: "maintenance" })
      const { fencing_token } = yield* claim()
      yield* TestClock.adjust("1 second")
      yield* post("tasks/young/renew", { fencing_token, checkpoint: { notes: "Parser done." } })
      const body = yield* overview()
      assert.deepStrictEqual(body.queues, { claimed: 1, incoming: 3 })
      assert.deepInclude(body.oldest_ready, {
        task_id: "oldest",
        priority: "P1",
        created_at: "2026-02-01T00:00:00.000Z"
      })
      assert.deepStrictEqual(body.projects, {
        total: 1,
        exact: true,
        items: [{ id: "p", title: "Export", status: "active", branch: "feature", counts: { incoming: 1 } }]
      })
      assert.deepStrictEqual(body.machines, {
        total: 2,
        exact: true,
        items: [{ id: "k-idle", status: "maintenance", holds: 0 }, { id: "k-m", status: "active", holds: 1 }]
      })
      assert.deepStrictEqual(body.held, {
        total: 1,
        exact: true,
        items: [{
          task_id: "young",
          title: body.held.items[0].title,
          queue: "claimed",
          project_id: null,
          claimed_by: "ann",
          orchestrator_id: "k-m",
          claimed_at: "2026-03-02T10:30:00.000Z",
          lease_expires_at: "2026-03-02T10:31:01.000Z",
          deadline_at: "2026-03-02T11:30:00.000Z",
          note: "Parser done.",
          note_at: "2026-03-02T10:30:01.000Z"
        }]
      })
    }))

  it.effect("shows the results that wait for a review in the order of claims, without those that are reviewed", () =>
    Effect.gen(function*() {
      const { claim, create, overview, post } = yield* start()
      for (const [id, priority] of [["a", "P2"], ["b", "P0"], ["c", "P1"]]) {
        yield* create(id!, { priority })
        const { fencing_token } = yield* claim()
        yield* post(`tasks/${id}/submit`, { ...result, fencing_token, head_commit: `commit-${id}`, pr_number: 7 })
      }
      yield* claim({ queue: "provisional", agent_name: "bob" })
      const { held, machines, reviews } = yield* overview()
      assert.deepStrictEqual(held.items.map(({ queue, task_id }: any) => [task_id, queue]), [["b", "provisional"]])
      assert.strictEqual(machines.items[0].holds, 1)
      assert.deepStrictEqual([reviews.total, reviews.exact], [2, true])
      assert.deepStrictEqual(reviews.items.map(({ task_id }: any) => task_id), ["c", "a"])
      assert.deepInclude(reviews.items[0], {
        submitted_by: "ann",
        submitted_orchestrator_id: "k-m",
        submitted_at: "2026-03-02T10:30:00.000Z",
        branch: "b",
        head_commit: "commit-c",
        commits_count: 2
      })
    }))

  it.effect("shows the questions to people that nobody answered, and to nobody else", () =>
    Effect.gen(function*() {
      const { overview, post, send } = yield* start()
      const ask = (content: string, rest: object = {}) =>
        Effect.map(
          post("messages", { scope: "red", task_id: "t", from_actor: "ann", type: "question", content, ...rest }),
          ({ body }) => body.id as string
        )
      yield* ask("Which database?")
      yield* ask("Help!", { type: "intervention_request", to_actor: "human" })
      yield* ask("Are you done?", { to_actor: "bob" })
      yield* ask("All is well.", { type: "comment" })
      const answered = yield* ask("Answered?")
      yield* ask("Yes.", { type: "comment", parent_message_id: answered })
      const done = yield* ask("Done?")
      yield* send("PATCH", `/api/v1/messages/${done}`, { status: "done" })
      yield* ask("x".repeat(MaxShown + 1))
      const { questions } = yield* overview()
      assert.deepStrictEqual([questions.total, questions.exact], [3, true])
      assert.deepStrictEqual(questions.items.map(({ content }: any) => content), [
        `${"x".repeat(MaxShown - 2)} …`,
        "Help!",
        "Which database?"
      ])
    }))

  it.effect("shows what failed and was lost since a time, and the tasks done in each hour", () =>
    Effect.gen(function*() {
      const { claim, create, overview, post } = yield* start({ MAX_LEASE_LOSSES: "2" })
      yield* create("good")
      yield* claim()
      yield* post("tasks/good/submit", result)
      yield* post("tasks/good/accept", { accepted_by: "bob" })
      yield* create("bad")
      yield* claim()
      yield* post("tasks/bad/fail", { reason: "It does not compile." })
      yield* TestClock.adjust("1 hour")
      yield* create("lost")
      yield* claim()
      yield* TestClock.adjust("2 minutes")
      yield* claim()
      yield* create("waits", { depends_on: [{ task_id: "lost", on_failure: "fail" }] })
      yield* TestClock.adjust("2 minutes")
      yield* claim({ role_filter: "nobody" })
      const body = yield* overview()
      assert.deepStrictEqual(hours(body), [["10:00", 1]])
      const shown = body.failures.items.map(({ event, task_id, to_queue }: any) => `${task_id} ${event} ${to_queue}`)
      assert.strictEqual(body.failures.total, shown.length)
      assert.include(shown, "bad failed failed")
      assert.include(shown, "lost lease_expired incoming")
      assert.deepInclude(body.failures.items.at(-1), { reason: "It does not compile.", actor: "ann" })
      assert.strictEqual(
        Object.values<number>(body.failures.by_event).reduce((sum, n) => sum + n, 0),
        body.failures.total
      )
      const later = yield* overview("&since=2026-03-02T11:00:00Z")
      assert.strictEqual(later.failures.total, body.failures.total - 1)
      assert.deepStrictEqual(hours(later), [["10:00", 1]])
      yield* TestClock.adjust("2 days")
      assert.deepInclude(yield* overview(), { failures: { ...none, by_event: {} } })
      assert.strictEqual((yield* overview("&since=2026-03-02T10:00:00Z")).failures.total, body.failures.total)
    }))

  it.effect("says what was used yesterday and today", () =>
    Effect.gen(function*() {
      const { claim, create, overview, post } = yield* start()
      yield* create("a")
      const { fencing_token } = yield* claim({ lease_duration_seconds: 86_400 })
      for (const cost_usd of [1, 2, 3]) {
        yield* post("tasks/a/renew", { fencing_token, lease_duration_seconds: 86_400, usage: { cost_usd } })
        if (cost_usd < 3) yield* TestClock.adjust("1 day")
      }
      const { usage } = yield* overview()
      assert.deepStrictEqual(usage.map(({ cost_usd, day }: any) => [day, cost_usd]), [["2026-03-03", 2], [
        "2026-03-04",
        3
      ]])
    }))

  it.effect("has short lists with totals, and says where it stops counting", () =>
    Effect.gen(function*() {
      const { create, overview, raw } = yield* start()
      yield* create("a")
      const numbers = "WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2609)"
      raw.exec(`
        ${numbers} INSERT INTO messages (id, scope, task_id, from_actor, type, content, created_at)
          SELECT 'm' || i, 'red', 't', 'ann', 'question', 'c', i FROM n;
        ${numbers} INSERT INTO projects (id, scope, title, status, base_branch, created_at, updated_at)
          SELECT 'p' || i, 'red', 't', iif(i % 2, 'active', 'done'), 'main', i, i FROM n;
        ${numbers} INSERT INTO orchestrators (id, scope, cluster, machine_id, status, registered_at, last_heartbeat)
          SELECT 'k-' || i, 'red', 'k', i, 'active', 0, 0 FROM n;
        ${numbers} INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, grants, at, seq)
          SELECT 'a', i, 'red', 'failed', 'claimed', 'failed', 1, ${Date.parse("2026-03-02T10:30:00Z")}, i FROM n;
        UPDATE queue_counts SET seq = 2609 WHERE scope = 'red'`)
      const { failures, lives, machines, projects, questions } = yield* overview()
      for (
        const [list, total] of [
          [questions, MaxCounted],
          [machines, MaxCounted],
          [projects, MaxProjectsSeen / 2],
          [failures, MaxCounted]
        ]
      ) {
        assert.deepStrictEqual([list.total, list.exact, list.items.length], [total, false, MaxListed])
      }
      assert.isTrue(lives.exact)
      assert.strictEqual(failures.items[0].seq, 2609)
    }))

  it.effect("has an open question that is older than any number of answered ones", () =>
    Effect.gen(function*() {
      const { overview, post, raw } = yield* start()
      const ask = (content: string, rest: object = {}) =>
        Effect.map(
          post("messages", { scope: "red", task_id: "t", from_actor: "ann", type: "question", content, ...rest }),
          ({ body }) => body.id ?? body.message_id
        )
      yield* ask("open")
      const other = yield* ask("answered by a message of another type")
      for (let n = 0; n < MaxCounted + 10; n++) {
        const id = yield* ask(`q${n}`)
        yield* ask("yes", { type: "comment", parent_message_id: id, from_actor: "human" })
      }
      assert.deepStrictEqual(contents(yield* overview()), ["answered by a message of another type", "open"])
      yield* ask("yes", { type: "info", parent_message_id: other, from_actor: "human" })
      const body = yield* overview()
      assert.deepStrictEqual([contents(body), body.questions.exact], [["open"], true])
      // A reply that release 2.0.0 stored has not marked its question.
      raw.exec("UPDATE messages SET replied = 0")
      assert.deepStrictEqual(contents(yield* overview()), ["open"])
    }))

  it.effect("counts what became done in each of 24 hours, and forgets the hour a day before", () =>
    Effect.gen(function*() {
      const { claim, create, overview, post, raw } = yield* start()
      const finish = Effect.fnUntraced(function*(id: string) {
        yield* create(id)
        yield* claim()
        yield* post(`tasks/${id}/submit`, result)
        yield* post(`tasks/${id}/accept`, { accepted_by: "bob" })
      })
      for (const id of ["a", "b"]) yield* finish(id)
      yield* TestClock.adjust("23 hours")
      yield* finish("c")
      assert.deepStrictEqual(hours(yield* overview()), [["10:00", 2], ["09:00", 1]])
      yield* TestClock.adjust("1 hour")
      yield* finish("d")
      assert.deepStrictEqual(hours(yield* overview()), [["09:00", 1], ["10:00", 1]])
      // Retention does not change what was counted.
      raw.exec("DELETE FROM history WHERE to_queue = 'done'")
      assert.deepStrictEqual(hours(yield* overview()), [["09:00", 1], ["10:00", 1]])
    }))

  it.effect("is a 304 until something changes or the hour ends", () =>
    Effect.gen(function*() {
      const { claim, create, post, send, tick } = yield* start()
      yield* create("a")
      const read = (tag?: string) =>
        send("GET", "/api/v1/overview?scope=red", undefined, tag === undefined ? {} : { "if-none-match": tag })
      let tag = (yield* read()).headers.get("etag")!
      const differs = Effect.fnUntraced(function*(what: string) {
        const answer = yield* read(tag)
        assert.strictEqual(answer.status, 200, what)
        tag = answer.headers.get("etag")!
        assert.strictEqual((yield* read(tag)).status, 304, what)
      })
      assert.strictEqual((yield* read(tag)).status, 304)
      const { fencing_token } = yield* claim()
      yield* differs("a claim")
      yield* post("tasks/a/renew", { fencing_token, checkpoint: { notes: "n" } })
      yield* differs("a renewal with a checkpoint")
      yield* post("messages", { scope: "red", task_id: "t", from_actor: "ann", type: "question", content: "c" })
      yield* differs("a question")
      yield* post("projects", { id: "p", scope: "red", title: "t", branch: "b" })
      yield* differs("a project")
      yield* send("PATCH", "/api/v1/orchestrators/k-m?scope=red", { status: "maintenance" })
      yield* differs("the status of a machine")
      yield* send("PATCH", "/api/v1/orchestrators/k-m?scope=red", { status: "maintenance" })
      assert.strictEqual((yield* read(tag)).status, 304, "the same status again")
      yield* send("PATCH", "/api/v1/orchestrators/k-m?scope=red", { status: "offline" })
      yield* differs("the status of a machine")
      const beat = () => post("orchestrators/k-m/heartbeat", { scope: "red" })
      yield* beat()
      yield* differs("a heartbeat of a machine that was offline")
      yield* beat()
      assert.strictEqual((yield* read(tag)).status, 304, "a heartbeat")
      yield* post("orchestrators/register", { scope: "red", cluster: "k", machine_id: "n" })
      yield* differs("a new machine")
      yield* post("orchestrators/register", { scope: "red", cluster: "k", machine_id: "n" })
      assert.strictEqual((yield* read(tag)).status, 304, "a machine that registers again")
      yield* send("DELETE", "/api/v1/orchestrators/k-n?scope=red")
      yield* differs("a machine that is gone")
      yield* send("PATCH", "/api/v1/orchestrators/k-m?scope=red", { status: "offline" })
      yield* differs("the status of a machine")
      yield* claim()
      yield* differs("a claim that finds nothing, of a machine that was offline")
      yield* TestClock.adjust("10 minutes")
      yield* tick
      yield* differs("a machine that fell silent, and its lease")
      yield* create("z")
      yield* differs("a task")
      yield* TestClock.adjust("30 minutes")
      yield* differs("a new hour")
    }))

  it.effect("of a retained history does not reach back further than that", () =>
    Effect.gen(function*() {
      const { overview } = yield* start({ RETAIN_HISTORY_DAYS: "2" })
      assert.strictEqual((yield* overview("&since=2026-01-01T00:00:00Z")).since, "2026-02-28T11:00:00.000Z")
    }))

  it.effect("is read by the typed client", () =>
    Effect.gen(function*() {
      const { connect, create } = yield* start()
      yield* create("a")
      const client = yield* connect({ scope: "red" })
      const { oldest_ready, queues } = yield* client.overview.read({ query: {} })
      assert.deepStrictEqual([oldest_ready?.task_id as string, queues], ["a", { incoming: 1 }])
    }))
})

it.effect("with REQUIRE_SCOPE, an overview must name its scope; without it, it is that of the default scope", () =>
  Effect.gen(function*() {
    const strict = yield* start({ REQUIRE_SCOPE: "true" })
    const refused = yield* strict.send("GET", "/api/v1/overview")
    assert.deepStrictEqual([refused.status, refused.body.error], [
      400,
      "Missing required query parameter: scope. An overview is that of one scope."
    ])
    const { send } = yield* start()
    assert.strictEqual((yield* send("GET", "/api/v1/overview")).body.scope, "default")
  }))
