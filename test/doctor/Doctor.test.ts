/** The doctor finds everything that is wrong with a database, and nothing wrong with a sound one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync } from "node:fs"
import type { DatabaseSync } from "node:sqlite"
import type { Ask } from "../../scripts/data/doctor/Database.ts"
import * as Doctor from "../../scripts/data/doctor/Doctor.ts"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { everything } from "../support/Faulty.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const asking = (raw: DatabaseSync): Ask => async (questions) => questions.map((sql) => raw.prepare(sql).all())

/** A database in which there are tasks in every state: one waits for another, one is held, one is done. */
const used = Effect.fnUntraced(function*() {
  const { db, raw } = migrated()
  raw.exec("CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE)")
  for (const file of readdirSync("migrations")) raw.prepare("INSERT INTO d1_migrations (name) VALUES (?)").run(file)
  const { send } = yield* server.make({}, () => db)
  const post = (path: string, body: object, key?: string) =>
    Effect.map(
      send("POST", `/api/v1${path}`, body, key ? { "idempotency-key": key } : {}),
      (answer) => assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
    )
  yield* post("/orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* post("/projects", { id: "p", title: "t", branch: "b" })
  for (const [id, priority] of [["finished", "P0"], ["held", "P1"], ["free", "P2"]] as const) {
    yield* post("/tasks", { id, file_path: id, branch: "b", project_id: "p", priority }, id)
  }
  yield* post("/tasks", { id: "waiting", file_path: "w", branch: "b", blocked_by: "free" })
  yield* post("/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
  yield* post("/tasks/finished/submit", { commits_count: 1, turns_used: 1 })
  yield* post("/tasks/finished/accept", { accepted_by: "bob" })
  yield* post("/tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
  return raw
})

/** What breaks each invariant, as no request could. */
const breaks: Record<string, string> = {
  "the counters equal what counting the tasks gives":
    "UPDATE queue_counts SET counts = json_set(counts, '$.incoming', 7)",
  "the totals equal counting the records": "UPDATE queue_counts SET projects_total = 7",
  "every version has one history row, and the newest is the task's own":
    "DELETE FROM history WHERE task_id = 'held' AND version = 2",
  "every change of the feed is counted, and a task's later changes have higher numbers":
    "UPDATE queue_counts SET seq = seq - 1",
  "every event of the feed is counted": "UPDATE queue_counts SET events = json_remove(events, '$.created')",
  "where projects may be stopped, claims find every task by its project": "UPDATE queue_counts SET by_project = 1",
  "projects with a cap or a breaker are known to claims": "UPDATE projects SET max_tokens = 5",
  "a task moves on from the queue it was in":
    "UPDATE history SET from_queue = 'failed' WHERE task_id = 'finished' AND version = 3",
  "a lease is whole or absent, and a claimed task has one": "UPDATE tasks SET claimed_at = NULL WHERE id = 'held'",
  "every grant has a token of its own, higher than those before":
    "UPDATE history SET event = 'claimed' WHERE task_id = 'finished'",
  "a task shows the blockers it waits for, and no others": "UPDATE tasks SET blocked_by = NULL WHERE id = 'waiting'",
  "nothing waits for a task that is done":
    "UPDATE dependencies SET blocker_id = 'finished', blocker_key = 'finished' WHERE task_id = 'waiting'",
  "what is kept under an idempotency key can be answered again": "UPDATE idempotency_keys SET answer = '{'",
  "the newest history row is in the scope of its task": "UPDATE history SET scope = 'another' WHERE task_id = 'free'",
  "a path is of one task in its scope": "UPDATE tasks SET file_path = 'TASK-free.md' WHERE id IN ('free', 'held')",
  "what a task refers to is in its scope": "UPDATE projects SET scope = 'another'",
  "no task is larger than claims hand out":
    "UPDATE tasks SET content = replace(hex(zeroblob(800001)), '00', 'xx') WHERE id = 'free'",
  "nothing refers to what there is not": "UPDATE tasks SET project_id = 'nowhere' WHERE id = 'free'"
}

const failing = ({ checks }: Doctor.Report) => checks.filter(({ found }) => found.length > 0)

const down: Ask = () => Promise.reject(new Error("no answer"))

describe("the doctor", () => {
  it.effect("finds nothing wrong with what the server made, and changes nothing", () =>
    Effect.gen(function*() {
      const raw = yield* used()
      const before = everything(raw)
      const report = yield* Effect.promise(() => Doctor.examine(asking(raw)))
      assert.deepStrictEqual(failing(report), [])
      assert.isTrue(report.healthy)
      assert.lengthOf(report.checks, integrity.length + 2)
      assert.deepStrictEqual(everything(raw), before)
    }))

  it("knows how to break every invariant", () => {
    assert.sameMembers(Object.keys(breaks), integrity.map(({ name }) => name))
  })

  it.effect.each(Object.entries(breaks))("finds that this does not hold: %s", ([name, sql]) =>
    Effect.gen(function*() {
      const raw = yield* used()
      raw.exec(`PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; ${sql}`)
      const report = yield* Effect.promise(() => Doctor.examine(asking(raw)))
      assert.isFalse(report.healthy)
      assert.include(failing(report).map(({ check }) => check), name)
      assert.include(Doctor.render(report), `FAIL ${name}\n`)
    }))

  it.effect("reports by how much a counter has drifted", () =>
    Effect.gen(function*() {
      const raw = yield* used()
      raw.exec("UPDATE queue_counts SET counts = json_set(counts, '$.incoming', 7) WHERE scope = 'default'")
      const [finding] = failing(yield* Effect.promise(() => Doctor.examine(asking(raw))))
      assert.deepStrictEqual(finding?.found.map((row) => ({ ...row as object })), [
        { scope: "default", queue: "incoming", drift: 5 }
      ])
    }))

  it.effect.each<[what: string, sql: string, line: string]>([
    ["a missing index", "DROP INDEX tasks_ready", "index tasks_ready is missing"],
    ["a missing table", "DROP TABLE idempotency_keys", "table idempotency_keys is missing"],
    ["another column", "ALTER TABLE drafts ADD COLUMN more TEXT", "table drafts is CREATE TABLE drafts"],
    ["an index of its own", "CREATE INDEX more ON tasks (title)", "index more is in no migration"],
    [
      "a migration that was not applied",
      "DELETE FROM d1_migrations WHERE id = 1",
      "migration 0001_initial.sql was not applied"
    ],
    [
      "a migration of another version",
      "INSERT INTO d1_migrations (name) VALUES ('9999_later.sql')",
      "migration 9999_later.sql was applied and is not known here"
    ]
  ])("finds %s", ([, sql, line]) =>
    Effect.gen(function*() {
      const raw = yield* used()
      raw.exec(sql)
      const report = yield* Effect.promise(() => Doctor.examine(asking(raw)))
      assert.isFalse(report.healthy)
      assert.include(Doctor.render(report), line)
    }))

  it.effect("looks twice before it reports a problem", () =>
    Effect.gen(function*() {
      const raw = yield* used()
      const ask = asking(raw)
      let asked = 0
      const busy: Ask = async (questions) => {
        // The problem is there at the first look, and gone at the second.
        raw.exec(`UPDATE queue_counts SET counts = json_set(counts, '$.incoming', ${++asked === 2 ? 7 : 2})`)
        return ask(questions)
      }
      assert.deepStrictEqual(failing(yield* Effect.promise(() => Doctor.examine(busy))), [])
      assert.strictEqual(asked, 3)
    }))

  it.effect("fails without an answer", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.tryPromise(() => Doctor.examine(down)))
      assert.include(String(error.cause), "no answer")
    }))
})
