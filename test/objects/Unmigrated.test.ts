/** A scope whose migration failed: it answers nothing that could be wrong, and no other scope answers in its place. */
import { assert, describe, it } from "@effect/vitest"
import * as Objects from "./Objects.ts"

/** A migration that fails in the scope that has this task. */
const failing = (task: string) =>
  [
    "9999_fails.sql",
    `CREATE TABLE later (id TEXT PRIMARY KEY CHECK (id <> '${task}')) STRICT;
    INSERT INTO later SELECT id FROM tasks; ALTER TABLE tasks ADD COLUMN later TEXT;`
  ] as const

const task = (scope: string, id: string) => ({ scope, id, file_path: `${scope}-${id}`, branch: "b" })

/** The scopes `broken` and `sound`, after an upgrade whose migration failed in the first. */
const upgraded = async () => {
  const server = Objects.make({})
  const { ask } = server
  for (const scope of ["broken", "sound"]) {
    await ask("POST", "orchestrators/register", { scope, cluster: scope, machine_id: "m" })
    for (const id of [`of-${scope}`, "both"]) await ask("POST", "tasks", task(scope, id))
  }
  server.restart([failing("of-broken")])
  return server
}

describe("a scope whose migration failed", () => {
  it("lets no request by id reach a record of another scope", async () => {
    const { ask, raw } = await upgraded()
    for (
      const [method, path] of [
        ["DELETE", "tasks/both"],
        ["GET", "tasks/of-broken"],
        ["GET", "tasks/both/history"],
        ["POST", "orchestrators/broken-m/heartbeat"]
      ] as const
    ) {
      const answer = await ask(method, path, method === "POST" ? {} : undefined)
      assert.deepStrictEqual([answer.status, answer.body._tag], [503, "DatabaseUnavailable"], `${method} ${path}`)
    }
    assert.lengthOf(raw("sound").prepare("SELECT 1 FROM tasks WHERE id = 'both'").all(), 1)
  })

  it("answers 503 to everything that reads or writes its records, and changes nothing", async () => {
    const { ask, raw } = await upgraded()
    const claim = { scope: "broken", orchestrator_id: "broken-m", agent_name: "a" }
    for (
      const [method, path, body] of [
        ["GET", "tasks?scope=broken", undefined],
        ["POST", "tasks", task("broken", "new")],
        ["POST", "tasks/claim", claim],
        ["POST", "tasks/claim", { ...claim, orchestrator_id: "sound-m" }],
        ["POST", "scopes/broken/keys", { name: "k" }],
        ["GET", "projects", undefined],
        ["GET", "export", undefined]
      ] as const
    ) {
      const answer = await ask(method, path, body)
      assert.deepStrictEqual([answer.status, answer.body._tag], [503, "DatabaseUnavailable"], `${method} ${path}`)
    }
    const rows = raw("broken").prepare("SELECT id, claimed_by FROM tasks ORDER BY id").all()
    assert.deepStrictEqual(rows.map((row) => ({ ...row })), [
      { id: "both", claimed_by: null },
      { id: "of-broken", claimed_by: null }
    ])
  })

  it("leaves the other scopes as they are", async () => {
    const { ask, fetch } = await upgraded()
    assert.strictEqual((await fetch("http://server/api/health")).status, 200)
    assert.strictEqual((await ask("POST", "tasks", task("sound", "new"))).status, 201)
    const claim = { scope: "sound", orchestrator_id: "sound-m", agent_name: "a" }
    assert.strictEqual((await ask("POST", "tasks/claim", claim)).status, 200)
    assert.strictEqual((await ask("GET", "tasks/both?scope=sound")).status, 200)
  })
})
