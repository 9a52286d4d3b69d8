/** What the control object knows beside the scopes: where each machine is, and which scopes have no records. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Control from "../../src/objects/Control.ts"
import { anyRecord } from "../../src/objects/control/Notices.ts"
import { MaxSearched } from "../../src/objects/Front.ts"
import * as NodeStorage from "./NodeStorage.ts"
import * as Objects from "./Objects.ts"

const Hour = 3_600_000

const register = (scope: string, machine_id: string) => ({ scope, cluster: "k", machine_id })
const task = (scope: string, id: string) => ({ scope, id, file_path: id, branch: "b" })

/** A server that has more scopes with records than are searched. Only the control object knows the others. */
const crowded = () => {
  const server = Objects.make({})
  for (let i = 0; i <= MaxSearched; i++) {
    server.known().note({ scope: `other${i}`, changes: [], complete: true })
  }
  return server
}

/** An hour after the last duties, the duties of a scope in which nothing happened. */
const quiet = async ({ raw, restart, ring }: ReturnType<typeof Objects.make>, scope: string) => {
  raw(scope).exec("DELETE FROM idempotency_keys")
  raw(scope).prepare("INSERT OR REPLACE INTO _duties (one, done_at) VALUES (1, ?)").run(Date.now() - Hour)
  restart()
  await ring(scope)
}

describe("a machine without a scope", () => {
  it("is found on any number of scopes, in each that has it and no other", async () => {
    const { ask, raw } = crowded()
    for (const scope of ["a", "b"]) await ask("POST", "orchestrators/register", register(scope, "m"))
    const heard = (scope: string) =>
      raw(scope).prepare("SELECT last_heartbeat FROM orchestrators").get()!["last_heartbeat"]
    for (const scope of ["a", "b"]) raw(scope).exec("UPDATE orchestrators SET last_heartbeat = 1")
    const beat = await ask("POST", "orchestrators/k-m/heartbeat", {})
    assert.strictEqual(beat.status, 200)
    for (const scope of ["a", "b"]) assert.isAbove(Number(heard(scope)), 1)
    assert.strictEqual((await ask("GET", "scheduler/poll?orchestrator_id=k-m")).status, 200)
    assert.strictEqual((await ask("POST", "orchestrators/k-none/heartbeat", {})).status, 404)
  })

  it("claims from a scope that does not have it, also beside many others", async () => {
    const { ask } = crowded()
    await ask("POST", "orchestrators/register", register("z", "m"))
    await ask("POST", "tasks", task("a", "t"))
    const claim = { scope: "a", orchestrator_id: "k-m", agent_name: "x" }
    assert.strictEqual((await ask("POST", "tasks/claim", claim)).status, 200)
    // The copy of the machine is no machine of the scope.
    assert.strictEqual((await ask("POST", "orchestrators/k-m/heartbeat", {})).status, 200)
  })

  it("is not looked for where it was deleted", async () => {
    const { ask, known } = crowded()
    await ask("POST", "orchestrators/register", register("a", "m"))
    assert.deepStrictEqual(known().scopesOfMachine("k-m", 5), ["a"])
    assert.strictEqual((await ask("DELETE", "orchestrators/k-m")).status, 200)
    assert.deepStrictEqual(known().scopesOfMachine("k-m", 5), [])
  })

  it("is looked for in the scopes of an earlier release until they have told of their machines", () => {
    const { storage } = NodeStorage.make()
    storage.sql.exec(`CREATE TABLE scopes (scope TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
      INSERT INTO scopes VALUES ('a'), ('b')`)
    const known = Control.make(storage)
    assert.deepStrictEqual(known.scopesOfMachine("k-m", 5), ["a", "b"])
    known.note({ scope: "a", changes: [{ kind: "machine", name: "k-m", gone: false }], complete: true })
    known.note({ scope: "b", changes: [{ kind: "machine", name: "k-n", gone: false }], complete: false })
    assert.deepStrictEqual(known.scopesOfMachine("k-m", 5), ["a", "b"])
    known.note({ scope: "b", changes: [], complete: true })
    assert.deepStrictEqual(known.scopesOfMachine("k-m", 5), ["a"])
  })

  it("is told of by an object of an earlier release when it wakes", async () => {
    const server = Objects.make({})
    const { ask, raw } = server
    await ask("POST", "orchestrators/register", register("a", "m"))
    // As the release before had it.
    raw("a").exec(`
      DROP TRIGGER _machine_come; DROP TRIGGER _machine_gone; DROP TABLE _notices; DROP TABLE _empty; DROP TABLE _name;
      CREATE TABLE _outbox (kind TEXT NOT NULL, name TEXT NOT NULL, gone INTEGER NOT NULL, PRIMARY KEY (kind, name)) STRICT, WITHOUT ROWID;
      INSERT INTO _outbox VALUES ('key', 'abc', 0);
      UPDATE _schema SET ready = '1.2'`)
    server.known().note({
      scope: "a",
      changes: [{ kind: "machine", name: "k-m", gone: true }],
      complete: false
    })
    server.restart()
    assert.strictEqual((await ask("GET", "tasks?scope=a")).status, 200)
    assert.deepStrictEqual(server.known().scopesOfMachine("k-m", 5), ["a"])
    assert.strictEqual(server.known().scopeOf("abc"), "a")
  })
})

describe("a scope without records", () => {
  it("is not searched if there are many scopes, until it has a record again", async () => {
    const server = crowded()
    const { ask } = server
    for (let i = 1; i <= MaxSearched; i++) {
      server.known().note({ scope: `other${i}`, changes: [{ kind: "scope", name: "", gone: true }], complete: true })
    }
    await ask("POST", "tasks", task("a", "t"))
    assert.strictEqual((await ask("GET", "tasks/t")).status, 200)
    await ask("DELETE", "tasks/t?scope=a")
    await quiet(server, "a")
    assert.notInclude(server.known().filled(500), "a")
    // Its history stays where it was, and so do lists and exports.
    assert.strictEqual((await ask("GET", "tasks/t/history?scope=a")).status, 200)
    assert.include(server.scopes(), "a")
    await ask("POST", "drafts", { scope: "a", title: "d", author: "x" })
    assert.include(server.known().filled(500), "a")
    await quiet(server, "a")
    assert.include(server.known().filled(500), "a")
  })

  it("stays one when its object wakes again, and is told once", async () => {
    const server = Objects.make({})
    const { ask, raw } = server
    await ask("POST", "tasks", task("a", "t"))
    await ask("DELETE", "tasks/t?scope=a")
    for (let i = 0; i < 2; i++) {
      await quiet(server, "a")
      assert.deepStrictEqual(server.known().filled(5), [])
      assert.lengthOf(raw("a").prepare("SELECT 1 FROM _empty").all(), 1)
    }
    server.restart()
    await ask("POST", "tasks", task("a", "u"))
    assert.deepStrictEqual(server.known().filled(5), ["a"])
  })
})

it("every table of the schema is looked at for records, or known to hold none", () => {
  const none = [
    // They count, or tell of other records, which are looked at themselves.
    "d1_costs",
    "dependencies",
    "fencing_floor",
    "history",
    "queue_counts",
    "schema_version",
    "sweeps",
    "usage",
    "webhook_deliveries"
  ]
  const schema = readFileSync(new URL("../../docs/schema.sql", import.meta.url), "utf8")
  const tables = [...schema.matchAll(/^CREATE TABLE (\w+)/gm)].map(([, name]) => name!)
  const looked = [...anyRecord.matchAll(/FROM (\w+)/g)].map(([, name]) => name!)
  assert.sameMembers([...looked, ...none], tables)
})
