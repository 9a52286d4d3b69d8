/**
 * A database that has been in use: as many records of every kind as it is deep, in one scope, made by the server itself.
 * Each measurement uses records of its own and removes them, so that no measurement finds the records of another.
 */
import type { D1Database } from "@cloudflare/workers-types"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { DatabaseSync } from "node:sqlite"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as server from "../support/server.ts"

export const scope = "deep"

const Rows = 200

/** Has the server make everything: for each finished task a waiting one, a message, a proposal, a draft and a project. */
const live = Effect.fnUntraced(function*(open: () => D1Database, depth: number) {
  const { send } = yield* server.make({}, open)
  const post = Effect.fnUntraced(function*(path: string, body: object, key?: string) {
    const answer = yield* send("POST", `/api/v1${path}`, { scope, ...body }, key ? { "idempotency-key": key } : {})
    if (answer.status >= 300) return yield* Effect.die(new Error(`${path}: ${JSON.stringify(answer.body)}`))
    return answer.body
  })
  const { orchestrator_id } = yield* post("/orchestrators/register", { cluster: "k", machine_id: "deep" })
  for (let n = 0; n < depth; n++) {
    yield* TestClock.adjust(1000)
    const id = `deep-${n}`
    // Each measurement makes tasks of its own, and claims those first.
    const rest = { scope, branch: "b", priority: "P3", type: n % 2 === 0 ? "product" : "infra" }
    yield* post("/tasks", { id, file_path: `${id}.md`, ...rest }, id)
    yield* post("/tasks/claim", { orchestrator_id, agent_name: "ann" })
    yield* post(`/tasks/${id}/submit`, { commits_count: 1, turns_used: 1 })
    yield* post(`/tasks/${id}/accept`, { accepted_by: "bob" })
    yield* post("/messages", { task_id: id, from_actor: "a", to_actor: "deep", type: "comment", content: "c" })
    yield* post("/actions", { entity_type: "task", entity_id: id, action_type: "x", label: "l", proposed_by: "a" })
    yield* post("/drafts", { title: "t", author: "a" })
    yield* post("/projects", { id: `deep-${n}`, title: "t", branch: "b" })
  }
  for (let n = 0; n < depth; n++) {
    const id = `deep-waiting-${n}`
    const blocked_by = n % 10 === 0 ? `never-${n}` : null
    const role = n % 3 === 0 ? "builder" : undefined
    yield* post("/tasks", {
      id,
      file_path: `${id}.md`,
      branch: "b",
      priority: "P3",
      project_id: "deep-0",
      blocked_by,
      role
    })
  }
  // A project at its cap, whose tasks are in the way of every claim in this scope.
  const stopped = { scope: "stopped", project_id: "stopped", branch: "b", priority: "P0" }
  yield* post("/projects", { scope: "stopped", id: "stopped", title: "t", branch: "b", max_tokens: 1 })
  yield* post("/tasks", { ...stopped, id: "spent", file_path: "TASK-spent.md" })
  yield* post("/tasks/spent/fail", { ...stopped, reason: "r", usage: { input_tokens: 1 } })
  for (let n = 0; n < depth; n++) {
    const role = n % 3 === 0 ? "builder" : undefined
    yield* post("/tasks", { ...stopped, id: `stopped-${n}`, file_path: `TASK-stopped-${n}.md`, role })
  }
  // What the cron finds to do is done, and it has been through everything.
  yield* TestClock.adjust("1 hour")
  const tick = Maintenance.use(({ tick }) => tick).pipe(Effect.provide(servicesWith({}, open)))
  yield* Effect.repeat(tick, { times: Math.ceil(depth / 20) + 1 })
})

const tablesOf = (raw: DatabaseSync) =>
  raw.prepare(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_version'"
  ).all()
    .map(({ name }) => {
      // Without the columns that are generated.
      const columns = raw.prepare(`SELECT name FROM pragma_table_info('${String(name)}')`).all()
      return { name: String(name), columns: columns.map(({ name }) => String(name)) }
    })

/** What writes the rows that these tables have. */
const inserts = (raw: DatabaseSync, db: D1Database, tables: ReturnType<typeof tablesOf>, where = "1") =>
  tables.flatMap(({ columns, name }) => {
    const rows = raw.prepare(`SELECT json_array(${columns.join()}) AS row FROM ${name} WHERE ${where}`).all()
      .map(({ row }) => row)
    const values = columns.map((_, i) => `value ->> ${i}`).join()
    const insert = db.prepare(`INSERT INTO ${name} (${columns.join()}) SELECT ${values} FROM json_each(?) WHERE true`)
    return Array.from(
      { length: Math.ceil(rows.length / Rows) },
      (_, i) => insert.bind(`[${rows.slice(i * Rows, (i + 1) * Rows).join()}]`)
    )
  })

/** Copies what one database holds into another, which is empty, in one batch. */
export const copy = (raw: DatabaseSync, db: D1Database) =>
  db.batch([db.prepare("PRAGMA defer_foreign_keys = on"), ...inserts(raw, db, tablesOf(raw))])

/** The time a record was made at. */
const times = ["created_at", "registered_at", "proposed_at", "at"]

/** What belongs to records of others, or to the server. */
const kept = new Set([
  "queue_counts",
  "d1_costs",
  "dependencies",
  "sweeps",
  "fencing_floor",
  "usage",
  "usage_caps",
  "parked_accounts",
  "breakers"
])

/** The counters of the projects that have no tasks. No measurement changes them, and there are as many as the database is deep. */
const idle = "scope > char(31) || 'deep-' AND scope < char(31) || 'deep.' AND scope <> char(31) || 'deep-0'"

/** What takes everything away that was made after `since`, and has the counters as they were. */
const restoring = (raw: DatabaseSync, db: D1Database, since: number) => {
  const deletes = tablesOf(raw).filter(({ name }) => !kept.has(name)).map(
    ({ columns, name }) => {
      const time = times.find((time) => columns.includes(time))
      if (time === undefined) throw new Error(`When a row of ${name} was made is not known: test/budget/Filled.ts`)
      return db.prepare(`DELETE FROM ${name} WHERE ${time} > ?`).bind(since)
    }
  )
  return [
    db.prepare("PRAGMA defer_foreign_keys = on"),
    ...deletes,
    db.prepare("DELETE FROM dependencies WHERE task_id NOT IN (SELECT id FROM tasks)"),
    ...["queue_counts", "d1_costs", "sweeps", "usage", "usage_caps", "parked_accounts", "breakers"].flatMap((name) => {
      const changes = name === "queue_counts" ? `NOT (${idle})` : "1"
      return [
        db.prepare(`DELETE FROM ${name} WHERE ${changes}`),
        ...inserts(raw, db, tablesOf(raw).filter((table) => table.name === name), changes)
      ]
    })
  ]
}

export interface Filled {
  readonly raw: DatabaseSync
  /** When the last of its records was made. */
  readonly since: number
}

/** A database in process that has been in use. The time of the test has moved on. */
export const make = Effect.fnUntraced(function*(depth: number) {
  const { db, raw } = migrated()
  yield* live(() => db, depth)
  const since = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
  yield* TestClock.adjust("1 hour")
  return { raw, since }
})

/** Copies what is there into an empty database, and answers how that is brought back to it. */
export const into = Effect.fnUntraced(function*(db: D1Database, { raw, since }: Filled) {
  yield* Effect.promise(() => copy(raw, db))
  const statements = restoring(raw, db, since)
  return { restore: Effect.promise(() => db.batch(statements)) }
})
