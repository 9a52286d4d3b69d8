/**
 * Every endpoint on Durable Objects with a storage that fails. A transaction there has no answer that gets lost: it fails and
 * is rolled back, or the object ends after it. The change happens completely or not at all, a repetition has one effect, and
 * the object that wakes again goes on.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { DatabaseSync } from "node:sqlite"
import { endpoints } from "../../src/http/Endpoints.ts"
import * as Objects from "../objects/Objects.ts"
import { table } from "../support/access.ts"
import * as Faulty from "../support/Faulty.ts"
import { runs, some } from "../support/runs.ts"
import * as Faulted from "./Faulted.ts"

const Secret = "a secret of the server"
const config = { API_SECRET_KEY: Secret }
// The objects of an isolate share it.
const server = Objects.serverOf(config)

const reset = "Durable Object storage operation exceeded timeout which caused object to be reset."
const constraint = "CHECK constraint failed: SQLITE_CONSTRAINT"

type Fault = "not run" | "rolled back" | "refused" | "object ended"
const faults: ReadonlyArray<Fault> = ["not run", "rolled back", "refused", "object ended"]

// Each part is all or nothing, and a repetition makes the rest.
const inParts = new Set(["POST /api/v1/tasks/bulk"])
const names = endpoints.map(({ method, path }) => `${method} ${path}`)
const reads = (name: string) => name.startsWith("GET")

/** An endpoint on objects, with a record of its own, and the request about it. `befall` says what befalls the next transactions. */
const make = async (name: string) => {
  const coming: Array<Fault | undefined> = []
  let sent = 0
  const around: Objects.Around = (run, end) => {
    sent++
    const fault = coming.shift()
    if (fault === "not run") throw new Error(reset)
    const done = run(
      fault === "rolled back" ? new Error(reset) : fault === "refused" ? new Error(constraint) : undefined
    )
    if (fault !== "object ended") return done
    end()
    throw new Error(reset)
  }
  const home = Objects.make(config, { server, around })
  const admin = (method: string, path: string, body?: unknown) =>
    Effect.promise(async () => (await home.ask(method, path.replace("/api/v1/", ""), body as object, Secret)).body)
  const { api_key } = await Effect.runPromise(admin("POST", "/api/v1/scopes/red/keys"))
  // Its first use is written down.
  await home.ask("GET", "tasks", undefined, api_key)
  const row = table[name]!
  const asked = row.ask("red", admin)
  const [path, body] = Effect.isEffect(asked) ? await Effect.runPromise(asked) : asked
  const method = name.slice(0, name.indexOf(" "))
  const ask = async () => {
    const response = await home.fetch(`http://server${path}`, {
      method,
      headers: {
        authorization: `Bearer ${row.key === undefined ? api_key : Secret}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(method === "POST" ? { "idempotency-key": "k" } : {})
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text }
  }
  return {
    row,
    ask,
    coming,
    sent: () => sent,
    /** All that the objects know, without random parts, and how many keys the control object knows. */
    rows: () => home.databases().map((raw) => Faulted.settledRows(Faulty.everything(raw)))
  }
}

// The Worker logs each object that does not answer.
const { error } = console
beforeAll(() => {
  console.error = () => {}
})
afterAll(() => {
  console.error = error
})

describe("on objects with a storage that fails", () => {
  it.each(some(names, 6))("%s: all or nothing, and once", async (name) => {
    const twin = await make(name)
    const untouched = twin.rows()
    const before = twin.sent()
    const answered = await twin.ask()
    assert.strictEqual(answered.status, twin.row.success, JSON.stringify(answered.body))
    const transactions = twin.sent() - before
    const after = twin.rows()
    if (transactions === 0) return assert.deepStrictEqual(after, untouched)
    // One place of each fault is drawn, unless there is time for all.
    const places = Array.from({ length: transactions }, (_, place) => place)
    for (const [n, fault] of (reads(name) ? faults.slice(0, 1) : faults).entries()) {
      const drawn = (name.length + n) % transactions
      for (const place of places.filter((place) => runs(1, 1) > 1 || place === drawn)) {
        const where = `${fault}, transaction ${place + 1} of ${transactions}`
        const { ask, coming, rows } = await make(name)
        coming.push(...Array.from({ length: place }, () => undefined), fault)
        const answer = await ask()
        // Now and then a request has one more, which writes what requests cost.
        coming.length = 0
        const changed = rows()
        if (answer.status !== answered.status) {
          assert.strictEqual(answer.status, fault === "refused" ? 500 : 503, where)
          assert.notMatch(JSON.stringify(answer.body), /Durable|SQLITE/, where)
          const isWhole = JSON.stringify(changed) === JSON.stringify(after)
          if (!isWhole && !inParts.has(name)) assert.deepStrictEqual(changed, untouched, where)
        }
        // What has no key and is done cannot be repeated.
        const isUntouched = JSON.stringify(changed) === JSON.stringify(untouched)
        if (!reads(name) && !name.startsWith("POST") && !isUntouched) continue
        const again = await ask()
        assert.strictEqual(again.status, answered.status, `${where}: ${JSON.stringify(again.body)}`)
        if (!reads(name)) assert.strictEqual(Faulted.settled(again.body), Faulted.settled(answered.body), where)
        assert.deepStrictEqual(rows(), after, where)
      }
    }
  })

  it("an object that could not migrate answers that it cannot, and is whole when it wakes again", async () => {
    let left = 4
    const around: Objects.Around = (run) => {
      if (--left === 0) throw new Error(reset)
      return run()
    }
    const home = Objects.make(config, { server, around, first: () => new DatabaseSync(":memory:") })
    const create = () => home.ask("POST", "tasks", { id: "a", scope: "red", file_path: "a.md", branch: "main" }, Secret)
    const refused = await create()
    assert.strictEqual(refused.status, 503, JSON.stringify(refused.body))
    home.restart()
    assert.strictEqual((await create()).status, 201)
    assert.lengthOf(home.raw("red").prepare("SELECT id FROM tasks").all(), 1)
  })
})
