/** How an object migrates itself. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { MigrationFailed, prepare } from "../../src/objects/Schema.ts"
import * as NodeStorage from "./NodeStorage.ts"

const directory = new URL("../../migrations/", import.meta.url)
const migrations = readdirSync(directory).sort().map((name) =>
  [name, readFileSync(new URL(name, directory), "utf8")] as const
)

const names = (storage: ReturnType<typeof NodeStorage.make>["storage"], type: string) =>
  storage.sql.exec(`SELECT name FROM sqlite_schema WHERE type = '${type}' ORDER BY name`).toArray().map(({ name }) =>
    name
  )

describe("an object", () => {
  it("has the schema of the migrations after it woke, and changes nothing when it wakes again", () => {
    const { raw, storage } = NodeStorage.make()
    prepare(storage, migrations)
    const version = raw.prepare("SELECT migration FROM schema_version").get()!["migration"]
    assert.strictEqual(version, Number(migrations.at(-1)![0].slice(0, 4)))
    assert.lengthOf(storage.sql.exec("SELECT * FROM d1_migrations").toArray(), migrations.length)
    const changes = raw.prepare("SELECT total_changes() AS n").get()
    const before = names(storage, "trigger")
    prepare(storage, migrations)
    assert.deepStrictEqual(raw.prepare("SELECT total_changes() AS n").get(), changes)
    assert.deepStrictEqual(names(storage, "trigger"), before)
    assert.includeMembers(before, ["_key_issued", "_key_gone", "_row_INSERT_tasks", "_row_UPDATE_idempotency_keys"])
  })

  it("goes on from the migrations that it has, and its triggers know new columns", () => {
    const { raw, storage } = NodeStorage.make()
    prepare(storage, migrations.slice(0, -5))
    raw.exec("INSERT INTO queue_counts (scope, counts) VALUES ('red', '{}')")
    prepare(storage, migrations)
    assert.lengthOf(storage.sql.exec("SELECT * FROM queue_counts").toArray(), 1)
    const added = [["9999_more.sql", "ALTER TABLE messages ADD COLUMN more TEXT"]] as const
    prepare(storage, [...migrations, ...added])
    const insert = raw.prepare(`INSERT INTO messages (id, scope, task_id, from_actor, type, content, created_at, more)
      VALUES ('m', 's', 't', 'a', 'c', 'c', 1, ?)`)
    assert.throws(() => insert.run("x".repeat(2_000_000)), /SQLITE_TOOBIG/)
    insert.run("x".repeat(1_000_000))
  })

  it("keeps the schema before a migration that fails, names it, and has it once it can be applied", () => {
    const { raw, storage } = NodeStorage.make()
    const bad = ["9998_bad.sql", "CREATE TABLE good (a TEXT) STRICT; INSERT INTO nowhere VALUES (1)"] as const
    const error = (() => {
      try {
        prepare(storage, [...migrations, bad, ["9999_after.sql", "CREATE TABLE after (a TEXT) STRICT"]])
        return undefined
      } catch (error) {
        return error
      }
    })()
    assert.instanceOf(error, MigrationFailed)
    assert.match(String(error), /9998_bad\.sql.*no such table: nowhere/)
    assert.notIncludeMembers(names(storage, "table"), ["good", "after"])
    // What was there works on, with its triggers.
    raw.exec("INSERT INTO queue_counts (scope, counts) VALUES ('red', '{}')")
    assert.include(names(storage, "trigger"), "_key_issued")
    prepare(storage, [...migrations, ["9998_bad.sql", "CREATE TABLE good (a TEXT) STRICT"]])
    assert.include(names(storage, "table"), "good")
    assert.lengthOf(storage.sql.exec("SELECT * FROM queue_counts").toArray(), 1)
  })
})
