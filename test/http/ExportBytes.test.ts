/** Pages of an export end at about 2 MB, whichever texts of the records are long. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { migrated } from "../support/layers.ts"
import * as Server from "../support/server.ts"

const Records = 8
const long = "é".repeat(250_000)

/** Makes records of which one column is long, and names the kind that has them. */
const cases: ReadonlyArray<readonly [what: string, kind: string, statement: (n: number) => string]> = [
  ...["content", "flow_overrides", "checks", "hooks", "failure_reason", "title"].map((column) =>
    [`${column} of tasks`, "tasks", (n: number) => `UPDATE tasks SET ${column} = ? WHERE id = 't${n}'`] as const
  ),
  [
    "reasons in the history of tasks",
    "tasks",
    (n) => `UPDATE history SET reason = ? WHERE task_id = 't${n}'`
  ],
  [
    "reasons in the history of deleted tasks",
    "history",
    (n) =>
      `INSERT INTO history (task_id, version, scope, event, reason, grants, at) VALUES ('d${n}', 1, 'red', 'deleted', ?, 0, 1)`
  ],
  [
    "titles of drafts",
    "drafts",
    () => "INSERT INTO drafts (scope, title, status, author, created_at, updated_at) VALUES ('red', ?, 'i', 'a', 1, 1)"
  ],
  [
    "descriptions of roles",
    "roles",
    (n) =>
      `INSERT INTO roles (name, scope, description, claims_from, orchestrator_id, created_at) VALUES ('r${n}', 'red', ?, 'incoming', 'k-m', 1)`
  ],
  [
    "capabilities of machines",
    "orchestrators",
    (n) =>
      `INSERT INTO orchestrators (id, scope, cluster, machine_id, capabilities, status, registered_at, last_heartbeat)
        VALUES ('k-${n}', 'red', 'k', '${n}', ?, 'active', 1, 1)`
  ]
]

describe("a page of an export", () => {
  it.effect.each(cases)("ends at about 2 MB of %s", ([, kind, statement]) =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      const { send } = yield* Server.make({}, () => db)
      for (let n = 0; n < Records; n++) {
        yield* send("POST", "/api/v1/tasks", { scope: "red", id: `t${n}`, file_path: `TASK-t${n}.md`, branch: "b" })
        raw.prepare(statement(n)).run(long)
      }
      let cursor: string | null = null
      let seen = 0
      let tasks = 0
      do {
        const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`
        const { body, status } = yield* send("GET", `/api/v1/export?scope=red${next}`)
        assert.strictEqual(status, 200)
        assert.isBelow(Buffer.byteLength(JSON.stringify(body)), 2_200_000)
        for (const record of body.records) {
          if (record.kind === "tasks") tasks++
          if (record.kind === kind && JSON.stringify(record).includes("é")) seen++
        }
        cursor = body.next_cursor
      } while (cursor !== null)
      assert.strictEqual(tasks, Records)
      if (!statement(0).includes("UPDATE history")) assert.strictEqual(seen, Records)
    }))

  it.effect("ends at about 2 MB of the history of one task, and the next page continues it", () =>
    Effect.gen(function*() {
      const { db, raw } = migrated()
      const { send } = yield* Server.make({}, () => db)
      const task = { id: "t", file_path: "t", branch: "b" }
      const complete = (n: number) =>
        send("POST", "/api/v1/tasks/t/hooks/h/complete", { status: "passed", evidence: `${n}${"x".repeat(130_000)}` })
      const fill = Effect.forEach(Array.from({ length: 40 }, (_, n) => n), complete)
      yield* send("POST", "/api/v1/tasks", { ...task, scope: "blue", hooks: [{ name: "h" }] })
      yield* fill
      yield* send("DELETE", "/api/v1/tasks/t")
      yield* send("POST", "/api/v1/tasks", { ...task, scope: "red", content: long, hooks: [{ name: "h" }] })
      yield* send("POST", "/api/v1/tasks", { ...task, scope: "red", id: "u", file_path: "u" })
      yield* fill
      for (const [scope, versions, tasks] of [["red", 41, 2], ["blue", 42, 0], [null, 83, 2]] as const) {
        const records: Array<any> = []
        let cursor: string | null = null
        let pages = 0
        do {
          const query: Record<string, string> = {
            ...(scope === null ? {} : { scope }),
            ...(cursor === null ? {} : { cursor })
          }
          const { body, status } = yield* send("GET", `/api/v1/export?${new URLSearchParams(query)}`)
          assert.strictEqual(status, 200)
          assert.isBelow(Buffer.byteLength(JSON.stringify(body)), 2_200_000)
          records.push(...body.records)
          cursor = body.next_cursor
          pages++
          // Later changes do not belong to the task as it was when it was read.
          if (scope === null && cursor?.startsWith("[\"tasks\",[\"t\"")) yield* complete(pages)
        } while (cursor !== null)
        assert.isAbove(pages, 3)
        const history = records.filter(({ kind, record }) => kind === "history" && record.task_id === "t")
          .map(({ record }) => record.version)
        const first = scope === "red" ? 43 : 1
        assert.deepStrictEqual(history, Array.from({ length: versions }, (_, i) => first + i))
        const own = records.filter(({ kind }) => kind === "tasks").map(({ record }) => record)
        assert.lengthOf(own, tasks)
        if (tasks > 0) assert.strictEqual(own[0].version, history.at(-1))
      }
      assert.deepStrictEqual(integrity.flatMap(({ sql }) => raw.prepare(sql).all()), [])
    }))

  it.effect("is at most about 4 MB if text is longer as JSON than as stored", () =>
    Effect.gen(function*() {
      const { send } = yield* Server.make({})
      for (let n = 0; n < 30; n++) {
        const content = "\u0001".repeat(120_000)
        yield* send("POST", "/api/v1/tasks", { scope: "red", id: `t${n}`, file_path: `${n}`, branch: "b", content })
      }
      let tasks = 0
      for (let cursor: string | null = "[\"tasks\",[]]"; cursor !== null;) {
        const query = new URLSearchParams({ scope: "red", cursor })
        const { body }: Server.Answer = yield* send("GET", `/api/v1/export?${query}`)
        assert.isBelow(Buffer.byteLength(JSON.stringify(body)), 4_100_000)
        tasks += body.records.filter(({ kind }: { readonly kind: string }) => kind === "tasks").length
        cursor = body.next_cursor
      }
      assert.strictEqual(tasks, 30)
    }))
})
