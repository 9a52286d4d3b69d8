/** Every list in a request has a limit, which the OpenAPI document states and the answer to a longer list names. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Document from "../hostile/Document.ts"
import * as Server from "../support/server.ts"

const names = (n: number, item: (i: number) => unknown = (i) => `name-${i}`) =>
  Array.from({ length: n }, (_, i) => item(i))

const task = { scope: "red", id: "t", file_path: "TASK-t.md", branch: "b" }
const claim = { scope: "red", orchestrator_id: "k-m", agent_name: "ann" }
const bodies: ReadonlyArray<readonly [field: string, method: string, path: string, body: object, limit: number]> = [
  ["role_filter", "POST", "/tasks/claim", { ...claim, role_filter: names(60_000) }, 50],
  ["role_filter", "POST", "/tasks/claim", { ...claim, role_filter: names(51) }, 50],
  ["type_filter", "POST", "/tasks/claim", { ...claim, type_filter: names(51) }, 50],
  ["priority_order", "POST", "/tasks/claim", { ...claim, priority_order: names(51) }, 50],
  ["depends_on", "POST", "/tasks", { ...task, depends_on: names(101) }, 100],
  ["blocked_by", "POST", "/tasks", { ...task, blocked_by: names(101).join() }, 100],
  ["depends_on", "PUT", "/tasks/held/dependencies", { depends_on: names(101) }, 100],
  ["blocked_by", "PATCH", "/tasks/held", { blocked_by: names(101).join() }, 100],
  ["hooks", "POST", "/tasks", { ...task, hooks: names(51, (i) => ({ name: `h${i}` })) }, 50],
  ["hooks", "PATCH", "/tasks/held", { hooks: JSON.stringify(names(51)) }, 50],
  ["checks", "PATCH", "/tasks/held", { checks: names(51) }, 50],
  ["tags", "POST", "/drafts", { scope: "red", title: "t", author: "a", tags: names(51) }, 50],
  ["tags", "POST", "/drafts", { scope: "red", title: "t", author: "a", tags: JSON.stringify(names(51)) }, 50],
  [
    "capabilities",
    "POST",
    "/orchestrators/register",
    { scope: "red", cluster: "k", machine_id: "n", capabilities: names(51) },
    50
  ],
  ["roles", "POST", "/roles/register", { orchestrator_id: "k-m", roles: names(201, (i) => ({ name: `r${i}` })) }, 200],
  [
    "leases",
    "POST",
    "/orchestrators/k-m/heartbeat",
    { leases: names(201, () => ({ task_id: "held", fencing_token: 1 })) },
    200
  ],
  [
    "open_questions",
    "POST",
    "/tasks/held/renew",
    { fencing_token: 1, checkpoint: { open_questions: names(51, () => "?") } },
    50
  ],
  ["states", "PUT", "/flows/f", {
    scope: "red",
    states: ["incoming", "claimed", "done", ...names(200)],
    transitions: []
  }, 200],
  ["transitions", "PUT", "/flows/f", {
    scope: "red",
    states: ["incoming", "claimed", "done"],
    transitions: names(501, () => ({}))
  }, 500],
  ["messages", "POST", "/scopes/red/import", { messages: names(101, () => ({})) }, 100]
]

const queries: ReadonlyArray<readonly [field: string, path: string]> = [
  ...["queue", "priority", "role", "type", "flow", "complexity"].map((field) => [field, "/tasks"] as const),
  ["status", "/orchestrators"],
  ["role", "/tasks/held/explain"]
]

const serving = Effect.gen(function*() {
  const { send } = yield* Server.make()
  const ask = (method: string, path: string, body?: object) => send(method, `/api/v1${path}`, body)
  yield* ask("POST", "/orchestrators/register", { scope: "red", cluster: "k", machine_id: "m" })
  yield* ask("POST", "/tasks", { ...task, id: "held", file_path: "TASK-held.md" })
  yield* ask("POST", "/tasks/claim", claim)
  return { ask, send }
})

describe("a list in a request", () => {
  it.effect("that is too long is refused in a body, with the field and the limit", () =>
    Effect.gen(function*() {
      const { ask } = yield* serving
      for (const [field, method, path, body, limit] of bodies) {
        const answer = yield* ask(method, path, body)
        assert.strictEqual(answer.status, 400, `${method} ${path}: ${JSON.stringify(answer.body).slice(0, 500)}`)
        assert.include(answer.body.error, field, `${method} ${path}`)
        assert.include(answer.body.error, String(limit), `${method} ${path}`)
        assert.isBelow(JSON.stringify(answer.body).length, 4000, `${method} ${path}`)
      }
    }))

  it.effect("is refused in a query in the same way", () =>
    Effect.gen(function*() {
      const { ask } = yield* serving
      for (const [field, path] of queries) {
        for (const n of [51, 20_000]) {
          const answer = yield* ask("GET", `${path}?scope=red&${field}=${names(n).join()}`)
          assert.strictEqual(answer.status, 400, `${path}: ${field}`)
          assert.match(answer.body.error, new RegExp(`${field}.*50`))
          assert.isBelow(JSON.stringify(answer.body).length, 4000)
        }
        assert.strictEqual((yield* ask("GET", `${path}?scope=red&${field}=${names(50).join()}`)).status, 200, field)
      }
    }))

  it.effect("has its limit in the OpenAPI document", () =>
    Effect.gen(function*() {
      const { send } = yield* serving
      const { body: spec } = yield* send("GET", "/openapi.json")
      const document = Document.read(spec)
      const unlimited: Array<string> = []
      const look = (schema: Document.Schema, place: string, seen: ReadonlySet<Document.Schema>): void => {
        const one = document.resolve(schema)
        if (seen.has(one)) return
        const further = new Set([...seen, one])
        if (one.type === "array" && one.maxItems === undefined) unlimited.push(place)
        for (const [name, property] of Object.entries<Document.Schema>(one.properties ?? {})) {
          look(property, `${place}.${name}`, further)
        }
        for (const part of [...one.anyOf ?? [], ...one.allOf ?? [], ...(one.items === undefined ? [] : [one.items])]) {
          look(part, place, further)
        }
        if (one.contentSchema !== undefined) look(one.contentSchema, place, further)
      }
      for (const { body, name } of document.operations) if (body !== undefined) look(body.schema, name, new Set())
      assert.deepStrictEqual(unlimited, [])
    }))
})
