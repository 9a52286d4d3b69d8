/** `npm run restore`: what an export holds, in a database of wrangler's. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { migrate } from "../../scripts/build/migrate-dev.ts"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { write } from "../../src/cli/transfer/Dump.ts"
import { pages } from "../../src/cli/transfer/pages.ts"
import { root } from "../support/Bundle.ts"
import { databaseFile } from "../support/Launcher.ts"
import * as NodeD1 from "../support/NodeD1.ts"
import * as Server from "../support/server.ts"

const run = (...args: ReadonlyArray<string>) =>
  spawnSync(process.execPath, args, { cwd: root, encoding: "utf8", env: { ...process.env, CI: "true" } })

const content = `'; DROP TABLE tasks; -- "\\ \n\r ß 漢 🐙`.repeat(5000)

const exported = (fetch: typeof globalThis.fetch) =>
  Effect.promise(() => Array.fromAsync(write("2026-01-01T00:00:00.000Z", pages({ url: "http://s", key: "", fetch }))))

describe("an export in a file", () => {
  it.effect("is written into an empty database, completely or not at all, and can be exported again", () =>
    Effect.gen(function*() {
      const { fetch, send } = yield* Server.make()
      const post = (path: string, body: object) =>
        Effect.map(send("POST", `/api/v1/${path}`, { scope: "red", ...body }), (answer) => {
          assert.isBelow(answer.status, 300, JSON.stringify(answer.body))
          return answer.body
        })
      yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
      yield* post("projects", { id: "p", title: "it's; a project", branch: "b" })
      yield* post("tasks", { id: "t", file_path: "TASK-t.md", project_id: "p", content })
      yield* post("tasks", { id: "u", file_path: "u.md", branch: "b", blocked_by: "t" })
      yield* post("messages", { task_id: "t", from_actor: "ann", type: "comment", content })
      yield* post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
      yield* post("drafts", { title: "t", author: "a" })
      const other = yield* Server.make()
      yield* other.send("POST", "/api/v1/drafts", { scope: "blue", title: "t", author: "a" })
      const blue = yield* exported(other.fetch)
      const lines = yield* exported(fetch)
      const state = mkdtempSync(join(tmpdir(), "octopoid-import-test-"))
      try {
        const file = join(state, "backup.jsonl")
        const loadInto = (folder: string, ...flags: ReadonlyArray<string>) =>
          run("scripts/data/restore.ts", "--file", file, "--persist-to", folder, ...flags)
        const load = (...flags: ReadonlyArray<string>) => loadInto(state, ...flags)
        writeFileSync(file, lines.slice(0, -1).join("\n"))
        assert.include(load().stderr, "cut short")
        writeFileSync(file, `${lines.join("\n")}\n`)
        const early = loadInto(join(state, "unmigrated"))
        assert.strictEqual(early.status, 1)
        assert.include(early.stderr, "migrations apply")
        const made = migrate(state)
        assert.strictEqual(made.status, 0, made.stderr)
        const before = Date.now()
        const done = load()
        assert.strictEqual(done.status, 0, done.stdout + done.stderr)
        assert.include(done.stdout, "2 tasks")
        const twice = load()
        assert.strictEqual(twice.status, 1)
        assert.include(twice.stderr, "has records already, in tasks")

        const { db, raw } = NodeD1.make(databaseFile(join(state, "v3")))
        for (const { name, sql } of integrity) assert.deepStrictEqual(raw.prepare(sql).all(), [], name)
        const [counters] = raw.prepare(
          "SELECT counts, revision, messages_revision FROM queue_counts WHERE scope = 'red'"
        ).all()
        assert.deepStrictEqual(JSON.parse(String(counters?.["counts"])), { incoming: 1, claimed: 1 })
        // No list of the other server had this number in its tag.
        assert.isAtLeast(Number(counters?.["revision"]), before)
        assert.isAtLeast(Number(counters?.["messages_revision"]), before)
        const project = raw.prepare("SELECT counts FROM queue_counts WHERE scope = char(31) || 'p'").get()
        assert.deepStrictEqual(JSON.parse(String(project?.["counts"])), { claimed: 1 })
        const copy = yield* Server.make({}, () => db)
        assert.deepStrictEqual(yield* exported(copy.fetch), lines)

        raw.exec(`UPDATE queue_counts SET counts = '{"done":7}';
          UPDATE queue_counts SET drafts_total = 9 WHERE scope = 'red';
          INSERT INTO queue_counts (scope, counts) VALUES (char(31) || 'gone', '{}')`)
        const restored = Date.now()
        const recounted = run("scripts/data/recount.ts", "--persist-to", state)
        assert.strictEqual(recounted.status, 0, recounted.stderr)
        for (const { name, sql } of integrity) assert.deepStrictEqual(raw.prepare(sql).all(), [], name)
        const rows = raw.prepare("SELECT scope, counts, revision, drafts_total FROM queue_counts ORDER BY scope").all()
        assert.deepStrictEqual(rows.map((row) => row["scope"]), ["\u001fp", "red"])
        assert.isAtLeast(Number(rows[1]!["revision"]), restored)
        assert.isAtLeast(Number(raw.prepare("SELECT token FROM fencing_floor").get()!["token"]), restored)

        // A scope goes beside others.
        writeFileSync(file, `${blue.join("\n").replace("\"scope\":null", "\"scope\":\"blue\"")}\n`)
        const clash = load()
        assert.strictEqual(clash.status, 1)
        assert.include(clash.stderr, "Nothing was written: another scope has drafts of the same numbers")
        assert.deepStrictEqual(raw.prepare("SELECT scope FROM queue_counts WHERE scope = 'blue'").all(), [])
        const beside = load("--renumber-drafts")
        assert.strictEqual(beside.status, 0, beside.stderr)
        assert.include(beside.stdout, "The drafts have other numbers: the old ones and 1.")
        assert.deepStrictEqual(
          raw.prepare("SELECT id, scope FROM drafts ORDER BY id").all().map((row) => Object.values(row)),
          [[1, "red"], [2, "blue"]]
        )
        raw.close()
      } finally {
        rmSync(state, { recursive: true, force: true })
      }
    }))
})
