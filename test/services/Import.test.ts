/** Import over real SQL: the kinds without an endpoint of their own, and conflicts. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { ImportBatch, importKinds } from "../../src/domain/transfer/Import.ts"
import { Import } from "../../src/services/transfer/Import.ts"
import { Database } from "../../src/sql/Database.ts"
import { task } from "../import/OldServer.ts"
import { testingFlow } from "../support/flows.ts"
import { ServicesLayer } from "../support/layers.ts"

const now = Date.UTC(2026, 2, 2, 12)
const at = now - 3_600_000
const decode = Schema.decodeUnknownSync(ImportBatch)

const load = (scope: string, batch: unknown) => Import.use(({ run }) => run(scope, decode(batch)))
const rows = (table: string) =>
  Database.use(({ batch, sql }) => Effect.map(batch([sql`SELECT * FROM ${sql(table)}`]), ([rows = []]) => rows))

const message = (id: string, rest: object = {}) => ({
  id,
  task_id: "42",
  from_actor: "human",
  to_actor: "agent",
  type: "comment",
  content: "hello",
  created_at: "2026-03-02T11:00:00.000Z",
  scope: "red",
  parent_message_id: null,
  ...rest
})
const action = (id: string, rest: object = {}) => ({
  id,
  entity_type: "draft",
  entity_id: "42",
  action_type: "proposal",
  label: "Do it",
  description: null,
  status: "proposed",
  proposed_by: "ada",
  proposed_at: "2026-03-02T11:00:00.000Z",
  executed_at: null,
  result: null,
  expires_at: null,
  metadata: null,
  scope: "red",
  action_data: "{\"command\":\"x\"}",
  ...rest
})

const nested = (levels: number) => Array.from({ length: levels }).reduce<unknown>((inside) => [inside], 1)

describe("Import", () => {
  it.effect("writes flows with their rules, roles, messages in order, and actions", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const transitions = [
        { from: "incoming", to: "claimed", agent: "implementer" },
        { from: "claimed", to: "review", runs: ["push_branch"] },
        { from: "review", to: "done", conditions: [{ name: "c", on_fail: "incoming" }] }
      ]
      const report = yield* load("red", {
        flows: [{
          name: "default",
          scope: "red",
          states: "[\"incoming\",\"claimed\",\"review\",\"done\"]",
          transitions: JSON.stringify(transitions),
          registered_at: "2026-03-02 11:00:00",
          updated_at: "2026-03-02 11:30:00"
        }],
        roles: [{
          name: "reviewer",
          description: null,
          claims_from: "review",
          orchestrator_id: "k-m",
          created_at: "2026-03-02 11:00:00"
        }],
        messages: [
          message("msg-2"),
          message("msg-1", { parent_message_id: "msg-2", created_at: "2026-03-02 11:00:01" })
        ],
        actions: [action("act-1", { status: "completed", executed_at: "2026-03-02T11:30:00.000Z", result: "ok" })]
      })
      assert.deepStrictEqual(report.conflicts, [])
      const [flow] = yield* rows("flows")
      assert.deepStrictEqual(JSON.parse(String(flow?.transitions)), transitions)
      assert.deepInclude(flow, { scope: "red", registered_at: at, updated_at: at + 1_800_000, child_flow: null })
      assert.deepInclude(JSON.parse(String(flow?.rules)).task, {
        leads: { incoming: { claimed: 1 }, claimed: { review: 1 }, review: { done: 1 } },
        submit: "review"
      })
      assert.deepInclude((yield* rows("roles"))[0], { scope: "red", name: "reviewer", claims_from: "review" })
      const messages = yield* rows("messages")
      assert.deepStrictEqual(messages.map(({ id, seq }) => [id, seq]), [["msg-2", 1], ["msg-1", 2]])
      assert.deepInclude(messages[1], {
        task_id: "42",
        parent_message_id: "msg-2",
        to_actor: "agent",
        created_at: at + 1000,
        status: "pending"
      })
      assert.deepInclude((yield* rows("actions"))[0], {
        id: "act-1",
        entity_id: "42",
        status: "completed",
        executed_at: at + 1_800_000,
        result: "ok",
        action_data: "{\"command\":\"x\"}"
      })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("reports records that do not fit with the field, and writes the others", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const report = yield* load("red", {
        tasks: [
          task("good", at),
          task("quoted", at, { queue: "a\"b" }),
          task("nowhere", at, { queue: "" }),
          task("undated", at, { completed_at: "yesterday" }),
          task("counted", at, { attempt_count: "many" }),
          task("self", at, { blocked_by: "x,self" }),
          task("x".repeat(201), at),
          task("late", at, { created_at: "2026-13-41 10:00:00" }),
          task("homeless", at, { project_id: "p" }),
          "nonsense"
        ],
        drafts: [{ id: "slug", title: "t", author: "a", created_at: "2026-03-02 11:00:00" }],
        flows: [{ name: "f", states: "[", transitions: "[]" }],
        actions: [action("act-1", { status: "lost" })],
        messages: [message("msg-1", { content: "" })]
      })
      assert.strictEqual(report.imported.tasks, 1)
      assert.deepStrictEqual(
        report.conflicts.map(({ error, id, kind }) => [kind, id.slice(0, 20), /^\w+/.exec(error)?.[0]]),
        [
          ["flows", "f", "states"],
          ["drafts", "slug", "id"],
          ["tasks", "quoted", "queue"],
          ["tasks", "nowhere", "queue"],
          ["tasks", "undated", "completed_at"],
          ["tasks", "counted", "attempt_count"],
          ["tasks", "self", "blocked_by"],
          ["tasks", "x".repeat(20), "id"],
          ["tasks", "late", "created_at"],
          ["tasks", "#9", "The"],
          ["tasks", "homeless", "project_id"],
          ["messages", "msg-1", "content"],
          ["actions", "act-1", "status"]
        ]
      )
      assert.deepStrictEqual((yield* rows("queue_counts")).map(({ counts }) => counts), ["{\"incoming\":1}"])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("accepts what the endpoints of a record accept, and names the field that does not fit", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const most = Number.MAX_SAFE_INTEGER
      const created_at = "2026-03-02 11:00:00"
      const role = { name: "builder", claims_from: "incoming", orchestrator_id: "k-m", created_at }
      const { conflicts, imported } = yield* load("red", {
        roles: [role, { ...role, name: "   " }, { ...role, name: "b", claims_from: "done" }],
        orchestrators: [{ id: "k-m", cluster: "k", machine_id: "m", max_agents: -1 }],
        drafts: [{ id: most, title: "t", author: "a", created_at }],
        tasks: [
          task("good", at),
          task("version", at, { version: most }),
          task("attempts", at, { attempt_count: 1_000_000_001 }),
          task("token", at, { fencing_token: most }),
          task("machine", at, { orchestrator_id: ".." }),
          task("deep", at, { metadata: nested(200), hooks: nested(100_000) })
        ],
        messages: [message("msg-\u0007"), message("msg-1")],
        actions: [action("x".repeat(201)), action("act-1")]
      })
      assert.include(imported, { roles: 1, orchestrators: 0, drafts: 0, tasks: 1, messages: 1, actions: 1 })
      assert.deepStrictEqual(
        conflicts.map(({ error, kind }) => [kind, error.match(/\b\w+(?=: )/g)?.join()]),
        [
          ["roles", "name"],
          ["roles", "claims_from"],
          ["orchestrators", "max_agents"],
          ["drafts", "id"],
          ["tasks", "version"],
          ["tasks", "attempt_count"],
          ["tasks", "fencing_token"],
          ["tasks", "orchestrator_id"],
          ["tasks", "hooks,metadata"],
          ["messages", "id"],
          ["actions", "id"]
        ]
      )
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("refuses a flow that could not be registered, with the same sentence", () =>
    Effect.gen(function*() {
      const report = yield* load("red", {
        flows: [
          { ...testingFlow, name: "good" },
          { ...testingFlow, name: "text", states: JSON.stringify(testingFlow.states), child_flow: "" },
          { ...testingFlow, name: "quoted", states: [...testingFlow.states, "a\"b"] },
          { ...testingFlow, name: "endless", states: ["incoming", "claimed"] },
          { ...testingFlow, name: "astray", transitions: "[{\"from\":\"claimed\",\"to\":\"tseting\"}]" },
          { ...testingFlow, name: "childless", child_flow: "{}" }
        ]
      })
      assert.deepStrictEqual(report.conflicts.map(({ error, id }) => [id, error.replace(/: Expected.*/, "")]), [
        ["quoted", "states.5"],
        ["endless", "Flow states must include built-in state \"done\". Got: incoming, claimed"],
        ["astray", "transitions[0].to: \"tseting\" is not a state of this flow. Add it to its states."],
        ["childless", "child_flow.transitions must be a list of at most 500 transitions."]
      ])
      assert.deepStrictEqual((yield* rows("flows")).map(({ name }) => name), ["good", "text"])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("neither takes a record from another scope nor overwrites one", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const created_at = "2026-03-02 11:00:00"
      const batch = {
        orchestrators: [{ id: "k-m", cluster: "k", machine_id: "m" }],
        projects: [{ id: "p", title: "P", branch: "b", created_at }],
        drafts: [{ id: 1, title: "D", author: "a", created_at }],
        tasks: [task("t", at)],
        messages: [message("msg-1")],
        actions: [action("act-1")]
      }
      const kinds = ["projects", "drafts", "tasks", "messages", "actions"]
      assert.deepStrictEqual((yield* load("red", batch)).conflicts, [])
      const elsewhere = yield* load("blue", batch)
      assert.deepStrictEqual(elsewhere.conflicts.map(({ kind }) => kind), kinds)
      // A machine is known by its name in its scope, so that one may work for several.
      assert.strictEqual(elsewhere.imported.orchestrators, 1)
      assert.isTrue(kinds.every((kind) => elsewhere.imported[kind as "tasks"] === 0))
      for (const { error } of elsewhere.conflicts) assert.match(error, /^Another (scope|draft)/)

      const clash = yield* load("red", {
        drafts: [{ id: 1, title: "Another", author: "a", created_at: "2026-03-02 11:00:01" }],
        tasks: [task("u", at, { file_path: "TASK-t.md" }), task("t", at, { title: "changed there" })]
      })
      assert.isTrue(importKinds.every((kind) => clash.imported[kind] === 0))
      assert.strictEqual(clash.existing.tasks, 1)
      assert.deepStrictEqual(clash.conflicts.map(({ id, kind }) => [kind, id]), [["drafts", "1"], ["tasks", "u"]])
      assert.match(clash.conflicts[1]!.error, /^file_path: another task of the scope has the path TASK-t.md/)
      assert.strictEqual((yield* rows("tasks"))[0]?.title, "t")
      assert.deepStrictEqual((yield* rows("queue_counts")).filter(({ scope }) => scope === "red"), [{
        scope: "red",
        by_project: 0,
        counts: "{\"incoming\":1}",
        revision: 1,
        messages_revision: 1,
        drafts_revision: 1,
        projects_revision: 1,
        messages_total: null,
        drafts_total: null,
        projects_total: null,
        leases_revision: 0,
        events: "{\"imported\":1}",
        lives: "{}",
        machines_revision: 1,
        seq: 1
      }])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("counts a record that is sent twice in a request once", () =>
    Effect.gen(function*() {
      const report = yield* load("red", {
        tasks: [task("t", at), task("t", at)],
        messages: [message("m"), message("m")]
      })
      assert.deepStrictEqual([report.imported.tasks, report.existing.tasks], [1, 1])
      assert.deepStrictEqual([report.imported.messages, report.existing.messages], [1, 1])
      assert.strictEqual((yield* rows("history")).length, 1)
      assert.throws(() => decode({ tasks: Array.from({ length: 101 }, () => ({})) }), /100/)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("predicts the report in a dry run, and writes nothing", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const created_at = "2026-03-02 11:00:00"
      const project = (id: string, rest: object = {}) => ({ id, created_at, ...rest })
      const draft = (id: number, rest: object = {}) => ({ id, title: "D", author: "a", created_at, ...rest })
      const machine = { id: "k-m", cluster: "k", machine_id: "m" }
      const role = { name: "builder", orchestrator_id: "k-m" }
      const there = {
        flows: [{ ...testingFlow, name: "there" }],
        roles: [role],
        orchestrators: [machine],
        projects: [project("there")],
        drafts: [draft(1)],
        tasks: [task("there", at)],
        messages: [message("there")],
        actions: [action("there")]
      }
      yield* load("red", there)
      yield* load("blue", {
        projects: [project("theirs")],
        drafts: [draft(2)],
        tasks: [task("theirs", at)],
        messages: [message("theirs")],
        actions: [action("theirs")]
      })
      const batch = {
        flows: [...there.flows, { ...testingFlow, name: "new" }, { ...testingFlow, name: "f", states: "[" }],
        roles: [role, { ...role, name: "new" }, { ...role, name: "" }, { ...role, name: "new" }],
        orchestrators: [machine, { ...machine, id: "k-n" }, { ...machine, id: "k-o", max_agents: -1 }],
        projects: [project("there"), project("new"), project("theirs"), project("odd", { pr_number: "x" })],
        drafts: [
          draft(1),
          draft(1, { created_at: "2026-03-02 11:00:01" }),
          draft(2),
          draft(3),
          draft(3),
          draft(3, { created_at: "2026-03-02 11:00:01" })
        ],
        tasks: [
          task("there", at),
          task("theirs", at),
          task("path", at, { file_path: "TASK-there.md" }),
          task("first", at, { file_path: "same" }),
          task("second", at, { file_path: "same" }),
          task("twice", at, { project_id: "gone" }),
          task("twice", at),
          task("outrun", at, { file_path: "later", project_id: "gone" }),
          task("later", at, { file_path: "later" }),
          ...["there", "new", "theirs", "odd", "gone"].map((id) => task(`of-${id}`, at, { project_id: id })),
          task("odd", at, { queue: "" })
        ],
        messages: [message("there"), message("theirs"), message("new"), message("new")],
        actions: [action("there"), action("theirs"), action("new"), action("odd", { status: "lost" })]
      }
      const everything = Effect.forEach([...importKinds, "history", "queue_counts"], rows)
      const before = yield* everything
      const foretold = yield* load("red", { ...batch, dry_run: true })
      assert.deepStrictEqual(yield* everything, before)
      assert.deepStrictEqual(
        foretold.conflicts.filter(({ kind }) => kind === "tasks").map(({ error, id }) => [id, /^\w+/.exec(error)?.[0]]),
        [
          ["odd", "queue"],
          ["theirs", "Another"],
          ["path", "file_path"],
          ["second", "file_path"],
          ["outrun", "file_path"],
          ["of-theirs", "project_id"],
          ["of-odd", "project_id"],
          ["of-gone", "project_id"]
        ]
      )
      assert.strictEqual(
        foretold.conflicts.find(({ id }) => id === "of-gone")?.error,
        "project_id: the scope has no project gone. Import it first or, if it is gone, create it (POST /api/v1/projects), and repeat this."
      )
      assert.deepStrictEqual(yield* load("red", batch), { ...foretold, dry_run: false })
      const again = yield* load("red", { ...batch, dry_run: true })
      assert.deepStrictEqual(yield* load("red", batch), { ...again, dry_run: false })
      assert.isTrue(importKinds.every((kind) => again.imported[kind] === 0))
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("continues the counts of a deleted task with the same id", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const { batch, sql } = yield* Database
      yield* batch([
        sql`INSERT INTO history ${
          sql.insert({ task_id: "t", version: 7, scope: "red", event: "deleted", grants: 3, at })
        }`
      ])
      const lease = { queue: "claimed", claimed_by: "ann", lease_expires_at: "2026-03-02T13:00:00Z" }
      yield* load("red", { tasks: [task("t", at, lease)] })
      assert.deepInclude((yield* rows("tasks"))[0], { version: 8, grants: 4, fencing_token: 4, claimed_at: at })
    }).pipe(Effect.provide(ServicesLayer)))
})
