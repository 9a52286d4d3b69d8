/** What an object tells the control object, and when. */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import * as Control from "../../src/objects/Control.ts"
import * as Home from "../../src/objects/Home.ts"
import * as Server from "../../src/Server.ts"
import * as ObjectStorage from "../../src/sql/engine/ObjectStorage.ts"
import * as NodeStorage from "./NodeStorage.ts"
import * as Wires from "./Wires.ts" // The build sets it.
;(globalThis as any).LOCAL = false

const directory = new URL("../../migrations/", import.meta.url)
const migrations = readdirSync(directory).sort().map((name) =>
  [name, readFileSync(new URL(name, directory), "utf8")] as const
)

const Minute = 60_000

const start = () => {
  const own = NodeStorage.make()
  const told = NodeStorage.make()
  const known = Control.make(told.storage)
  const reachable = { value: true }
  const control = (): Control.ControlStub => ({
    note: async (notice) => {
      if (!reachable.value) throw new Error("it is gone")
      known.note(notice)
    },
    scopeOf: async (hash) => known.scopeOf(hash),
    knows: async (scope) => known.knows(scope),
    scopes: async (from, most) => known.scopes(from, most),
    filled: async (most) => known.filled(most),
    scopesOfMachine: async (id, most) => known.scopesOfMachine(id, most)
  })
  const { platform } = Wires.make({ heard: () => {} })
  const wake = (id: { readonly name?: string } = own.state.id) => {
    const server = Server.make(ObjectStorage.layer, { LOG_LEVEL: "None" } as object)
    const home = Home.make({ ...own.state, id } as typeof own.state, { server, control, migrations, platform })
    const ask = async (method: string, path: string, body?: object, headers = {}) => {
      await own.unblocked()
      const response = await home.fetch(
        new Request(`http://localhost/api/v1/${path}`, {
          method,
          headers: { "content-type": "application/json", ...headers },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
      )
      return { status: response.status, body: await response.json() as any }
    }
    const duties = async () => {
      await own.unblocked()
      await home.duties()
    }
    return Object.assign(ask, { home, duties })
  }
  return { ...own, known, reachable, wake }
}

const hashes = (raw: ReturnType<typeof start>["raw"]) =>
  raw.prepare("SELECT hash FROM api_keys ORDER BY hash").all().map(({ hash }) => String(hash))

describe("an object tells the control object", () => {
  it("nothing after a read or a refused request, and its scope with the first record", async () => {
    const { known, wake } = start()
    const ask = wake()
    assert.strictEqual((await ask("GET", "tasks?scope=red")).status, 200)
    assert.strictEqual((await ask("POST", "tasks", { scope: "red" })).status, 400)
    assert.deepStrictEqual(known.scopes("", 10), [])
    assert.strictEqual((await ask("POST", "drafts", { scope: "red", title: "t", author: "a" })).status, 201)
    assert.deepStrictEqual(known.scopes("", 10), ["red"])
  })

  it("each key before it is answered, and that it was revoked", async () => {
    const { known, raw, wake } = start()
    const ask = wake()
    const { body } = await ask("POST", "scopes/red/keys", { name: "ci" })
    const [hash] = hashes(raw)
    assert.strictEqual(known.scopeOf(hash!), "red")
    assert.strictEqual((await ask("DELETE", `scopes/red/keys/${body.id}`)).status, 200)
    assert.isUndefined(known.scopeOf(hash!))
  })

  it("later what it could not tell: no key is answered that leads nowhere", async () => {
    const { known, raw, reachable, wake } = start()
    const key = { "idempotency-key": "k" }
    reachable.value = false
    const lost = await wake()("POST", "scopes/red/keys", { name: "ci" }, key)
    assert.strictEqual(lost.status, 503)
    assert.notProperty(lost.body, "api_key")
    assert.lengthOf(hashes(raw), 1)
    // It woke again, and the control object still is gone: the request is not served.
    const ask = wake()
    assert.isTrue(await ask("POST", "scopes/red/keys", { name: "ci" }, key).then(() => false, () => true))
    reachable.value = true
    const again = await ask("POST", "scopes/red/keys", { name: "ci" }, key)
    assert.strictEqual(again.status, 201)
    assert.match(again.body.api_key, /^oct_/)
    assert.lengthOf(hashes(raw), 1)
    assert.strictEqual(known.scopeOf(hashes(raw)[0]!), "red")
  })

  it("later, and goes on meanwhile with what the control object is not needed for", async () => {
    const { alarm, known, raw, reachable, wake } = start()
    const ask = wake()
    const register = (machine_id: string) =>
      ask("POST", "orchestrators/register", { scope: "red", cluster: "k", machine_id })
    const create = (id: string) => ask("POST", "tasks", { scope: "red", id, file_path: id, branch: "b" })
    await register("m")
    await create("a")
    reachable.value = false
    assert.strictEqual((await ask("POST", "scopes/red/keys", { name: "ci" })).status, 503)
    // A heartbeat is what keeps the leases of every machine of the scope.
    const claim = { scope: "red", orchestrator_id: "k-m", agent_name: "a", lease_duration_seconds: 300 }
    assert.strictEqual((await ask("POST", "tasks/claim", claim)).status, 200)
    assert.strictEqual((await ask("POST", "orchestrators/k-m/heartbeat?scope=red", {})).status, 200)
    assert.strictEqual((await ask("GET", "tasks?scope=red")).status, 200)
    assert.strictEqual((await create("b")).status, 201)
    // The lease ends, and the duties are done.
    raw.exec("UPDATE tasks SET lease_expires_at = 1 WHERE id = 'a'")
    await ask.duties()
    assert.strictEqual((await ask("GET", "tasks/a?scope=red")).body.queue, "incoming")
    assert.closeTo(alarm()!, Date.now() + Minute, 5000)
    // Where the answer would lead nowhere, there is none.
    assert.strictEqual((await register("n").catch(() => ({ status: 503 }))).status, 503)
    reachable.value = true
    await ask.duties()
    assert.strictEqual(known.scopeOf(hashes(raw)[0]!), "red")
  })

  it("its scope also if it wakes without its name", async () => {
    const { known, raw, wake } = start()
    const create = { scope: "red", id: "a", file_path: "a", branch: "b" }
    await wake()("POST", "orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
    await wake()("POST", "tasks", create)
    await wake()("POST", "tasks/claim", { scope: "red", orchestrator_id: "k-m", agent_name: "a" })
    raw.exec("UPDATE tasks SET lease_expires_at = 1")
    const nameless = wake({})
    await nameless.duties()
    assert.strictEqual((await nameless("GET", "tasks/a?scope=red")).body.queue, "incoming")
    assert.strictEqual((await nameless("POST", "scopes/red/keys", { name: "ci" })).status, 201)
    assert.strictEqual(known.scopeOf(hashes(raw)[0]!), "red")
  })

  it("its alarm is that of the earliest lease, and is set again when it is missing", async () => {
    const { alarm, storage, wake } = start()
    const ask = wake()
    await ask("POST", "orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
    await ask("POST", "tasks", { scope: "red", id: "a", file_path: "a", branch: "b" })
    const claim = { scope: "red", orchestrator_id: "k-m", agent_name: "a", lease_duration_seconds: 20 }
    const held = await ask("POST", "tasks/claim", claim)
    assert.strictEqual(alarm(), Date.parse(held.body.lease_expires_at))
    // The platform dropped it, and the object woke.
    await storage.setAlarm(null as unknown as number)
    const woken = wake()
    await woken("GET", "tasks?scope=red")
    assert.strictEqual(alarm(), Date.parse(held.body.lease_expires_at))
  })
})

const tables = (raw: ReturnType<typeof start>["raw"]) =>
  raw.prepare("SELECT 1 FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").all().length

describe("an object in which nothing was written", () => {
  it("removes its database a minute after a refused request, and makes it again when it is asked", async () => {
    const { alarm, raw, wake } = start()
    const ask = wake()
    assert.strictEqual((await ask("POST", "tasks", { scope: "red" })).status, 400)
    assert.closeTo(alarm()!, Date.now() + Minute, 5000)
    await ask.duties()
    assert.strictEqual(tables(raw), 0)
    // It is still in memory.
    assert.strictEqual((await ask("POST", "tasks", { scope: "red" })).status, 400)
    await ask.duties()
    assert.strictEqual(tables(raw), 0)
    const claim = { scope: "red", orchestrator_id: "k-m", agent_name: "a" }
    assert.strictEqual((await ask("POST", "tasks/claim", claim)).status, 404)
    assert.strictEqual((await ask("POST", "drafts", { scope: "red", title: "t", author: "a" })).status, 201)
    await ask.duties()
    assert.strictEqual((await ask("GET", "drafts?scope=red")).body.total, 1)
  })

  it("keeps it while a request is under way, and while it has a machine of another scope", async () => {
    const { raw, wake } = start()
    const ask = wake()
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const slow = ask.home.fetch(
      new Request("http://localhost/api/v1/drafts", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: readable,
        duplex: "half"
      } as RequestInit)
    )
    await ask.duties()
    const writer = writable.getWriter()
    void writer.write(new TextEncoder().encode(JSON.stringify({ scope: "red", title: "t", author: "a" })))
    void writer.close()
    assert.strictEqual((await slow).status, 201)

    const other = start()
    const asked = other.wake()
    await asked("GET", "tasks?scope=red")
    assert.strictEqual(
      (await ask("POST", "orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })).status,
      201
    )
    raw.exec("UPDATE orchestrators SET scope = 'blue'")
    const [machine] = raw.prepare("SELECT * FROM orchestrators").all()
    asked.home.machines.borrow({ machine: machine!, roles: [] })
    await asked.duties()
    assert.isAbove(tables(other.raw), 0)
    assert.strictEqual(asked.home.machines.homeOf("k-m"), "blue")
  })
})
