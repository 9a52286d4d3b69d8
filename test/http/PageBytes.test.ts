/** Answers end at about 4 MB. Lists continue by a cursor, without gaps or repetitions. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { DatabaseSync } from "node:sqlite"
import { MaxPageBytes } from "../../src/domain/Page.ts"
import { migrated } from "../support/layers.ts"
import { some } from "../support/runs.ts"
import * as Server from "../support/server.ts"

// The rows are written directly to the database: the server accepts smaller texts only, but older versions accepted
// larger ones.
const Rows = 12
const Huge = 4_500_000

const insert = (raw: DatabaseSync, table: string, row: Record<string, string | number | null>) =>
  raw.prepare(
    `INSERT INTO ${table} (${Object.keys(row).join()}) VALUES (${Object.keys(row).map(() => "?").join()})`
  ).run(...Object.values(row))

/** Half of it is of two bytes a character. */
const text = (bytes: number) => "x".repeat(bytes / 2) + "é".repeat(bytes / 4)

const at = (n: number) => Date.UTC(2026, 0, 1) + n

type Fill = (raw: DatabaseSync, n: number, bytes: number) => void

const task = (column: string, rest: Record<string, string | number | null> = {}): Fill => (raw, n, bytes) =>
  insert(raw, "tasks", {
    id: `t${n}`,
    scope: "red",
    file_path: `TASK-t${n}.md`,
    title: "t",
    queue: "incoming",
    version: 1,
    priority: "P1",
    priority_rank: 1,
    branch: "b",
    flow: "default",
    created_at: at(n),
    updated_at: at(n),
    ...rest,
    [column]: column === "hooks" || column === "metadata" ? JSON.stringify([text(bytes)]) : text(bytes)
  })

const history: Fill = (raw, n, bytes) =>
  insert(raw, "history", {
    task_id: "t",
    version: n + 1,
    scope: "red",
    event: "edited",
    to_queue: "incoming",
    reason: text(bytes),
    grants: 0,
    at: at(n)
  })

const message: Fill = (raw, n, bytes) =>
  insert(raw, "messages", {
    id: `m${n}`,
    scope: "red",
    task_id: "t",
    from_actor: "a",
    to_actor: "b",
    type: "comment",
    content: text(bytes),
    status: "pending",
    created_at: at(n)
  })

interface List {
  readonly path: string
  readonly fill: Fill
  /** Where the records are in the answer, and what each goes by. */
  readonly records: string
  readonly id: string
  /** Whether it is asked for with `limit` and so is no page by itself. */
  readonly whole?: boolean
  readonly counts?: string
}

const of = (path: string, column = "content", rest: Record<string, string | number | null> = {}): List => ({
  path,
  fill: task(column, rest),
  records: "tasks",
  id: "id",
  counts: JSON.stringify({ [String(rest.queue ?? "incoming")]: Rows })
})

const lists: ReadonlyArray<List> = [
  of("/tasks?scope=red"),
  of("/tasks?scope=red&limit=500"),
  of("/tasks?scope=red&queue=incoming"),
  of("/tasks?scope=red&queue=incoming&content=false", "hooks"),
  of("/tasks?scope=red&queue=incoming,failed&content=false", "metadata"),
  of("/tasks?scope=red&sort=priority", "check_results"),
  of("/tasks?scope=red&queue=incoming&sort=priority", "execution_notes"),
  of("/tasks?scope=red&queue=done", "content", { queue: "done", completed_at: 1 }),
  of("/tasks?scope=red&role=r", "content", { role: "r" }),
  of("/tasks?scope=red&project_id=p", "failure_reason", { project_id: "p" }),
  of("/tasks?scope=red&needs_intervention=true", "checks", { needs_intervention: 1 }),
  { ...of("/projects/p/tasks", "content", { project_id: "p" }), whole: true },
  { ...of("/projects/p/tasks?content=false", "flow_overrides", { project_id: "p" }), whole: true },
  { path: "/tasks/t/history", fill: history, records: "history", id: "version", whole: true },
  { path: "/tasks/t/history?content=false", fill: history, records: "history", id: "version", whole: true },
  { path: "/messages?scope=red", fill: message, records: "messages", id: "id" },
  { path: "/messages?scope=red&offset=0", fill: message, records: "messages", id: "id" },
  { path: "/messages?scope=red&to_actor=b", fill: message, records: "messages", id: "id" },
  { path: "/tasks/t/messages?scope=red", fill: message, records: "messages", id: "id" },
  {
    path: "/actions?scope=red",
    records: "actions",
    id: "id",
    fill: (raw, n, bytes) =>
      insert(raw, "actions", {
        id: `a${n}`,
        scope: "red",
        entity_type: "task",
        entity_id: "t",
        action_type: "x",
        label: "l",
        action_data: text(bytes),
        proposed_by: "a",
        status: "proposed",
        proposed_at: at(n)
      })
  },
  {
    path: "/drafts?scope=red",
    records: "drafts",
    id: "id",
    fill: (raw, n, bytes) =>
      insert(raw, "drafts", {
        scope: "red",
        title: text(bytes),
        status: "idea",
        author: "a",
        created_at: at(n),
        updated_at: at(n)
      })
  },
  {
    path: "/projects?scope=red",
    records: "projects",
    id: "id",
    fill: (raw, n, bytes) =>
      insert(raw, "projects", {
        id: `p${n}`,
        scope: "red",
        title: "t",
        description: text(bytes),
        status: "draft",
        base_branch: "main",
        created_at: at(n),
        updated_at: at(n)
      })
  },
  {
    path: "/flows?scope=red",
    records: "flows",
    id: "name",
    whole: true,
    fill: (raw, n, bytes) =>
      insert(raw, "flows", {
        name: `f${n}`,
        scope: "red",
        description: text(bytes),
        states: "[]",
        transitions: "[]",
        rules: "{}",
        registered_at: at(n),
        updated_at: at(n)
      })
  },
  {
    path: "/roles?scope=red",
    records: "roles",
    id: "name",
    whole: true,
    fill: (raw, n, bytes) =>
      insert(raw, "roles", {
        name: `r${n}`,
        scope: "red",
        description: text(bytes),
        claims_from: "incoming",
        orchestrator_id: "k-m",
        created_at: at(n)
      })
  },
  {
    path: "/orchestrators?scope=red",
    records: "orchestrators",
    id: "id",
    whole: true,
    fill: (raw, n, bytes) =>
      insert(raw, "orchestrators", {
        id: `k-${n}`,
        scope: "red",
        cluster: "k",
        machine_id: String(n),
        capabilities: text(bytes),
        status: "active",
        registered_at: at(n),
        last_heartbeat: at(1000 - n)
      })
  }
]

const serving = Effect.gen(function*() {
  const { db, raw } = migrated() // The rows of an older version, which no limit held: the local database enforces one.
  ;(raw as unknown as { limits: { length: number } }).limits.length = 100_000_000
  const read: Array<number> = []
  const batch: typeof db.batch = async (statements) => {
    const answers = await db.batch<never>(statements)
    read.push(Buffer.byteLength(JSON.stringify(answers.map(({ results }) => results))))
    return answers
  }
  const { send } = yield* Server.make(
    {},
    () => ({ prepare: (text: string) => db.prepare(text), batch }) as unknown as typeof db
  )
  const get = (path: string) =>
    Effect.map(send("GET", `/api/v1${path}`), ({ body, status }) => {
      assert.strictEqual(status, 200, JSON.stringify(body).slice(0, 300))
      return { body, bytes: Buffer.byteLength(JSON.stringify(body)) }
    })
  /** How many bytes D1 answered to each batch. */
  return { get, raw, read }
})

const project = (raw: DatabaseSync) =>
  insert(raw, "projects", {
    id: "p",
    scope: "red",
    title: "t",
    status: "draft",
    base_branch: "main",
    created_at: 1,
    updated_at: 1
  })

interface Got {
  readonly body: any
  readonly bytes: number
}

const ids = ({ body }: { readonly body: any }) => body.tasks.map((row: { id: string }) => row.id)

describe("a page", () => {
  it.effect.each(some(lists, 5).map((list) => [list.path, list] as const))(
    "of %s ends at about 4 MB, and its cursor leads to the rest",
    ([, { counts, fill, id, path, records }]) =>
      Effect.gen(function*() {
        const { get, raw } = yield* serving
        if (path.includes("/p/") || path.includes("project_id")) project(raw)
        for (let n = 0; n < Rows; n++) fill(raw, n, n === 5 ? Huge : 1_000_000)
        if (counts !== undefined) insert(raw, "queue_counts", { scope: "red", counts })
        const seen: Array<unknown> = []
        let cursor: string | null = null
        let pages = 0
        do {
          const next: string = cursor === null ? "" : `${path.includes("?") ? "&" : "?"}cursor=${cursor}`
          // A cursor says where a page begins, so nothing else may.
          const { body, bytes }: Got = yield* get(`${cursor === null ? path : path.replace("&offset=0", "")}${next}`)
          const found = body[records]
          assert.isAbove(found.length, 0)
          assert.isBelow(bytes, found.length === 1 ? 2 * Huge : MaxPageBytes * 1.1, `${found.length} rows`)
          // A page is as long as it may be.
          if (body.next_cursor !== null && found.length > 1) assert.isAtLeast(bytes, 900_000)
          if ("total" in body) assert.strictEqual(body.total, Rows)
          seen.push(...found.map((row: Record<string, unknown>) => row[id]))
          cursor = body.next_cursor
          pages++
        } while (cursor !== null)
        assert.isAtLeast(pages, 5)
        assert.lengthOf(seen, Rows)
        assert.lengthOf(new Set(seen), Rows)
      })
  )

  it.effect("of messages states its offset if it ends early", () =>
    Effect.gen(function*() {
      const { get, raw } = yield* serving
      for (let n = 0; n < Rows; n++) message(raw, n, 1_000_000)
      const { body } = yield* get("/messages?scope=red")
      assert.deepStrictEqual(body.messages.map((row: { id: string }) => row.id), ["m9", "m10", "m11"])
      assert.strictEqual(body.offset, 9)
    }))

  it.effect("of messages says where it begins, and D1 answers little more than it", () =>
    Effect.gen(function*() {
      const { get, raw, read } = yield* serving
      for (let n = 0; n < Rows; n++) message(raw, n, 1_000_000)
      yield* get("/messages?scope=red")
      assert.isAbove(Math.max(...read), 3_000_000)
      // The row that does not fit is read as well.
      assert.isBelow(Math.max(...read), MaxPageBytes + 2 * 1_100_000)
    }))

  it.effect("of a complete list has the order of the list, and that of pages if it ends early", () =>
    Effect.gen(function*() {
      const { get, raw } = yield* serving
      project(raw)
      for (let n = 0; n < 5; n++) task("content", { project_id: "p" })(raw, n, 100)
      assert.deepStrictEqual(ids(yield* get("/projects/p/tasks")), ["t4", "t3", "t2", "t1", "t0"])
      raw.exec("UPDATE tasks SET content = hex(zeroblob(900000))")
      assert.deepStrictEqual(ids(yield* get("/projects/p/tasks")), ["t0", "t1"])
    }))

  it.effect.each(
    ["/tasks?scope=red", "/tasks?scope=red&limit=500", "/projects/p/tasks", "/messages?scope=red"] as const
  )("of %s ends at about 4 MB as JSON, where that is longer than the text", (path) =>
    Effect.gen(function*() {
      const { get, raw } = yield* serving
      project(raw)
      const messages = path.startsWith("/messages")
      const many = 40
      for (let n = 0; n < many; n++) {
        if (messages) message(raw, n, 4)
        else task("content", { project_id: "p" })(raw, n, 4)
      }
      raw.prepare(`UPDATE ${messages ? "messages" : "tasks"} SET content = ?`).run("\u0001".repeat(70_000))
      insert(raw, "queue_counts", { scope: "red", counts: JSON.stringify({ incoming: many }), messages_total: many })
      const seen = new Set<string>()
      for (let cursor: string | null = ""; cursor !== null;) {
        const next: string = cursor === "" ? "" : `${path.includes("?") ? "&" : "?"}cursor=${cursor}`
        const { body, bytes }: Got = yield* get(`${path}${next}`)
        assert.isBelow(bytes, MaxPageBytes * 1.1)
        assert.strictEqual(body.total, many)
        for (const { id } of messages ? body.messages : body.tasks) seen.add(id)
        cursor = body.next_cursor
      }
      assert.strictEqual(seen.size, many)
    }))

  it.effect("of small rows holds the requested number, and a complete list holds more than 500", () =>
    Effect.gen(function*() {
      const { get, raw } = yield* serving
      for (let n = 0; n < 1200; n++) history(raw, n, 100)
      const { body } = yield* get("/tasks/t/history")
      assert.lengthOf(body.history, 1200)
      assert.strictEqual(body.next_cursor, null)
      assert.lengthOf((yield* get("/tasks/t/history?limit=500")).body.history, 500)
    }))
})

describe("a poll", () => {
  it.effect("ends at about 4 MB, with the oldest tasks", () =>
    Effect.gen(function*() {
      const { get, raw } = yield* serving
      for (let n = 0; n < Rows; n++) task("hooks", { queue: "provisional" })(raw, n, 1_000_000)
      insert(raw, "queue_counts", { scope: "red", counts: JSON.stringify({ provisional: Rows }) })
      const { body, bytes } = yield* get("/scheduler/poll?scope=red")
      assert.deepStrictEqual(body.provisional_tasks.map((row: { id: string }) => row.id), ["t0", "t1", "t2"])
      assert.strictEqual(body.queue_counts.provisional, Rows)
      assert.isBelow(bytes, MaxPageBytes * 1.1)
    }))

  it.effect("holds about 1 MB of flows", () =>
    Effect.gen(function*() {
      const { get, raw } = yield* serving
      for (let n = 0; n < 60; n++) {
        const states = Array.from({ length: 190 }, (_, i) => `${"€".repeat(190)}${i}`)
        insert(raw, "flows", {
          name: `f${n}`,
          scope: "red",
          states: JSON.stringify(states),
          transitions: "[]",
          rules: "{}",
          registered_at: 1,
          updated_at: 1
        })
      }
      const { body, bytes } = yield* get("/scheduler/poll?scope=red")
      assert.isBelow(bytes, 1_100_000)
      assert.lengthOf(Object.keys(body.flows), 9)
    }))

  it.effect("holds more than 500 small tasks", () =>
    Effect.gen(function*() {
      const { get, raw } = yield* serving
      for (let n = 0; n < 600; n++) task("hooks", { queue: "provisional" })(raw, n, 100)
      const { body } = yield* get("/scheduler/poll?scope=red")
      assert.lengthOf(body.provisional_tasks, 600)
    }))
})
