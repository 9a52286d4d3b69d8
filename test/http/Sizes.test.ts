/** Every text has a limit, the limits of a record add up to less than D1 stores, and an excess is a 413 that names the field. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as OpenApi from "effect/http-api/OpenApi"
import * as TestClock from "effect/testing/TestClock"
import { Api } from "../../src/api/Api.ts"
import { MaxPageBytes } from "../../src/domain/Page.ts"
import { MaxContent, MaxLabel, MaxLine, MaxLong, MaxReason, MaxRecord, MaxShort } from "../../src/domain/Size.ts"
import { migrated } from "../support/layers.ts"
import * as Server from "../support/server.ts"

const start = Effect.gen(function*() {
  const { db, raw } = migrated()
  const { send } = yield* Server.make({ BACKOFF_BASE_SECONDS: "0" }, () => db)
  const post = (path: string, body: object) => send("POST", `/api/v1/${path}`, body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  /** The bytes of all texts in the rows of a table. */
  const sizes = (table: string): ReadonlyArray<number> =>
    raw.prepare(`SELECT * FROM ${table}`).all().map((row) =>
      Object.values(row).reduce<number>(
        (sum, value) => sum + (typeof value === "string" ? Buffer.byteLength(value) : 0),
        0
      )
    )
  return { send, post, sizes }
})

const task = (rest: object) => ({ id: "a", file_path: "a.md", branch: "main", ...rest })
const x = (bytes: number) => "x".repeat(bytes)
/** Text that has six times as many bytes in JSON. */
const odd = (bytes: number) => "\u0001".repeat(bytes)
const ok = (answer: Server.Answer) => {
  assert.isBelow(answer.status, 300, JSON.stringify(answer.body).slice(0, 300))
  return answer.body
}
/** A JSON list of this many bytes. */
const list = (bytes: number) => [x(bytes - 4)]

const limits: ReadonlyArray<readonly [method: string, path: string, body: object, field: string, limit: number]> = [
  ...([["title", MaxLine], ["content", MaxContent], ["file_path", MaxLine], ["branch", MaxLine], [
    "role",
    MaxLabel
  ]] as const)
    .map(([field, limit]) => ["POST", "tasks", task({ id: "b", file_path: "b.md" }), field, limit] as const),
  ["POST", "tasks", task({ id: "b", file_path: "b.md" }), "hooks", MaxLong],
  ["PATCH", "tasks/a", {}, "execution_notes", MaxLong],
  ["PATCH", "tasks/a", {}, "check_results", MaxLong],
  ["PATCH", "tasks/a", {}, "checks", MaxShort],
  ["PATCH", "tasks/a", {}, "flow_overrides", MaxShort],
  ["PATCH", "tasks/a", {}, "claimed_by", MaxLabel],
  ["POST", "tasks/a/reject", { rejected_by: "ann" }, "reason", MaxReason],
  ["POST", "tasks/a/cancel", {}, "reason", MaxReason],
  ["POST", "tasks/a/redrive", {}, "redriven_by", MaxLabel],
  ["POST", "projects", { id: "p", title: "t", branch: "b" }, "description", MaxLong],
  ["POST", "drafts", { title: "t", author: "ann" }, "tags", MaxShort],
  ["POST", "messages", { task_id: "a", from_actor: "ann", type: "note" }, "content", MaxContent],
  ["POST", "actions", { entity_type: "task", entity_id: "a", label: "l", proposed_by: "ann" }, "action_data", MaxLong],
  ["POST", "orchestrators/register", { cluster: "k", machine_id: "n" }, "capabilities", MaxShort],
  ["PUT", "flows/f", { states: ["incoming", "claimed", "done"], transitions: [] }, "description", MaxReason]
]

describe("A text that is too large", () => {
  for (const [method, path, body, field, limit] of limits) {
    it.effect(`is a 413 that names it: ${field} in ${method} /${path}`, () =>
      Effect.gen(function*() {
        const { post, send } = yield* start
        yield* post("tasks", task({ queue: "provisional" }))
        const refused = yield* send(method, `/api/v1/${path}`, { ...body, [field]: x(limit + 1) })
        assert.strictEqual(refused.status, 413)
        const { error, ...rest } = refused.body
        assert.deepStrictEqual(rest, { _tag: "TooLarge", field, limit, size: limit + 1 })
        assert.include(error, `${field}: it has ${limit + 1} bytes, and at most ${limit} are kept.`)
        const kept = yield* send(method, `/api/v1/${path}`, { ...body, [field]: x(limit) })
        assert.notStrictEqual(kept.status, 413)
        assert.isBelow(kept.status, 500)
      }))
  }

  it.effect("is measured in bytes of UTF-8, and as the JSON that is stored", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const letters = yield* post("tasks", task({ title: "é".repeat(MaxLine / 2 + 1) }))
      assert.deepInclude(letters.body, { _tag: "TooLarge", field: "title", size: MaxLine + 2 })
      // 9e15 is written with 16 digits.
      const numbers = `{"id":"b","file_path":"b.md","branch":"b","metadata":[${Array(8000).fill("9e15").join()}]}`
      const grown = yield* send("POST", "/api/v1/tasks", numbers)
      assert.deepInclude(grown.body, { _tag: "TooLarge", field: "metadata", size: 8000 * 17 + 1 })
      assert.strictEqual((yield* post("tasks", task({ title: "é".repeat(MaxLine / 2) }))).status, 201)
    }))

  it.effect("in a list is named with its index", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      const roles = [{ name: "a" }, { name: "b", description: x(MaxReason + 1) }]
      const refused = yield* post("roles/register", { orchestrator_id: "k-m", roles })
      assert.deepInclude(refused.body, { _tag: "TooLarge", field: "roles.1.description" })
    }))

  it.effect("is listed by a 400 together with other mistakes", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      const refused = yield* post("tasks", { ...task({ title: x(MaxLine + 1) }), id: 7 })
      assert.strictEqual(refused.status, 400)
      assert.include(refused.body.error, "body.id: ")
      assert.include(refused.body.error, `body.title: Expected at most ${MaxLine} bytes`)
    }))

  it.effect("in an import is a conflict of its record, and the others are written", () =>
    Effect.gen(function*() {
      const { post } = yield* start
      const record = { queue: "incoming", created_at: "2026-01-01T00:00:00Z" }
      const { body } = yield* post("scopes/default/import", {
        tasks: [task({ ...record, content: x(MaxContent + 1) }), task({ ...record, id: "b", file_path: "b.md" })]
      })
      assert.strictEqual(body.imported.tasks, 1)
      assert.deepInclude(body.conflicts[0], { kind: "tasks", id: "a" })
      assert.include(body.conflicts[0].error, `content: Expected at most ${MaxContent} bytes`)
    }))
})

describe("A record with every text at its limit", () => {
  it.effect("is a task that can go through its whole life within the limit of D1", () =>
    Effect.gen(function*() {
      const { post, send, sizes } = yield* start
      const label = odd(MaxLabel)
      ok(
        yield* post("tasks", {
          id: "a",
          file_path: x(MaxLine),
          branch: x(MaxLine),
          title: x(MaxLine),
          content: x(MaxContent),
          complexity: x(MaxLabel),
          type: x(MaxLabel),
          priority: x(MaxLabel),
          flow: x(MaxLabel),
          metadata: list(MaxLong),
          checks: list(MaxShort),
          created_by: x(MaxLabel),
          cluster: x(MaxLabel),
          external_key: "é".repeat(255)
        })
      )
      // Hooks grow with the evidence of their completion, up to the limit of the text and no further.
      ok(yield* send("PATCH", "/api/v1/tasks/a", { hooks: Array.from({ length: 50 }, (_, i) => ({ name: `h${i}` })) }))
      const complete = (hook: number, evidence: string) =>
        post(`tasks/a/hooks/h${hook}/complete`, { status: "passed", evidence })
      for (let i = 0; i < 2; i++) ok(yield* complete(i, x(64_000)))
      const { hooks, version } = ok(yield* send("GET", "/api/v1/tasks/a"))
      const evidence = x(MaxLong - Buffer.byteLength(hooks) - `,"status":"passed","evidence":""`.length)
      const { error, ...excess } = (yield* complete(2, `${evidence}x`)).body
      assert.deepStrictEqual(excess, { _tag: "TooLarge", field: "evidence", limit: MaxLong, size: MaxLong + 1 })
      assert.include(error, `the hooks of the task would have ${MaxLong + 1} bytes`)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/a")).body.version, version)
      assert.strictEqual(Buffer.byteLength(ok(yield* complete(2, evidence)).hooks), MaxLong)
      // Shorter evidence takes the place of longer, and a status alone always fits.
      ok(yield* complete(1, x(63_000)))
      ok(yield* complete(1, x(64_000)))
      ok(yield* post("tasks/a/hooks/h3/complete", { status: "failed" }))
      ok(
        yield* send("PATCH", "/api/v1/tasks/a", {
          checks: x(MaxShort),
          flow_overrides: x(MaxShort),
          execution_notes: x(MaxLong),
          check_results: x(MaxLong),
          pr_url: x(MaxLine),
          staging_url: x(MaxLine),
          plan_id: x(MaxLabel)
        })
      )
      const claim = { orchestrator_id: "k-m", agent_name: label }
      for (let i = 0; i < 12; i++) {
        const { fencing_token } = ok(yield* post("tasks/claim", claim))
        ok(yield* post("tasks/a/renew", { fencing_token, checkpoint: { notes: x(16_000) } }))
        if (i % 2 === 0) {
          ok(yield* post("tasks/a/requeue", { reason: odd(MaxReason), requeued_by: label }))
        } else {
          ok(
            yield* post("tasks/a/submit", {
              commits_count: 1,
              turns_used: 1,
              execution_notes: x(MaxLong),
              check_results: x(MaxLong)
            })
          )
          ok(yield* post("tasks/a/reject", { reason: odd(MaxReason), rejected_by: label }))
        }
      }
      const blockers = Array.from({ length: 100 }, (_, i) => "é".repeat(196) + String(i).padStart(4, "0"))
      ok(yield* send("PUT", "/api/v1/tasks/a/dependencies", { depends_on: blockers }))
      yield* TestClock.adjust("1 second")
      ok(yield* post("tasks/a/cancel", { reason: x(MaxReason) }))
      ok(yield* post("tasks/a/redrive", {}))
      ok(yield* post("tasks/a/fail", { reason: x(MaxReason), failed_by: label }))
      const [size] = sizes("tasks")
      assert.isAbove(size!, 1_300_000)
      assert.isAtMost(size!, MaxRecord)
      assert.isAtMost(Math.max(...sizes("history")), MaxRecord)
      ok(yield* send("DELETE", "/api/v1/tasks/a"))
    }))

  it.effect("is a project, draft, message, action, machine or flow that can be stored", () =>
    Effect.gen(function*() {
      const { post, send, sizes } = yield* start
      const created = [
        yield* post("projects", {
          id: "p",
          title: x(MaxLine),
          branch: x(MaxLine),
          base_branch: x(MaxLine),
          description: x(MaxLong),
          pr_url: x(MaxLine),
          created_by: x(MaxLabel)
        }),
        yield* post("drafts", { title: x(MaxLine), author: x(MaxLabel), file_path: x(MaxLine), tags: list(MaxShort) }),
        yield* post("messages", {
          task_id: x(MaxLabel),
          from_actor: x(MaxLabel),
          type: x(MaxLabel),
          to_actor: x(MaxLabel),
          content: x(MaxContent)
        }),
        yield* post("actions", {
          entity_type: x(MaxLabel),
          entity_id: x(MaxLabel),
          label: x(MaxLine),
          proposed_by: x(MaxLabel),
          description: x(MaxLong),
          metadata: list(MaxLong),
          action_data: list(MaxLong)
        })
      ]
      assert.deepStrictEqual(created.map(({ status }) => status), [201, 201, 201, 201])
      const action = `actions/${created[3]!.body.id}`
      yield* post(`${action}/execute`, {})
      const failed = yield* post(`${action}/fail`, {
        error: odd(MaxShort),
        reason: odd(MaxShort),
        result: odd(MaxLong / 2)
      })
      assert.strictEqual(failed.status, 200)
      // Long names in a flow are named again in its rules.
      const states = Array.from({ length: 150 }, (_, i) => `${"é".repeat(190)}${i}`)
      const transitions = states.map((from, i) => ({ from, to: states[(i + 1) % states.length] }))
      const flow = { states: ["incoming", "claimed", "done", ...states], transitions, child_flow: { transitions } }
      assert.strictEqual((yield* send("PUT", "/api/v1/flows/f", { ...flow, description: x(MaxReason) })).status, 200)
      const more = [...transitions, ...transitions.slice(0, 40)]
      const refused = yield* send("PUT", "/api/v1/flows/f", { ...flow, transitions: more })
      assert.deepInclude(refused.body, { _tag: "TooLarge", field: "transitions" })
      for (const table of ["projects", "drafts", "messages", "actions", "orchestrators", "flows"]) {
        assert.isAtMost(Math.max(...sizes(table)), MaxRecord, table)
      }
    }))
})

describe("An answer about many records", () => {
  it.effect("is small enough to be kept under a key and answered: roles with long descriptions", () =>
    Effect.gen(function*() {
      const { post, send, sizes } = yield* start
      const headers = { "idempotency-key": "k" }
      for (let part = 0; part < 8; part++) {
        const roles = Array.from({ length: 25 }, (_, i) => ({
          name: `r${part}-${i}`,
          description: part === 0 ? x(20) : odd(MaxReason / 6)
        }))
        ok(yield* post("roles/register", { orchestrator_id: "k-m", roles }))
      }
      for (let part = 0; part < 5; part++) {
        const roles = Array.from({ length: 25 }, (_, i) => ({ name: `r${part}-${i}`, description: x(MaxReason) }))
        ok(yield* post("roles/register", { orchestrator_id: "k-m", roles }))
      }
      const body = { orchestrator_id: "k-m", roles: [{ name: "r0-0", description: "short" }] }
      const first = yield* send("POST", "/api/v1/roles/register", body, headers)
      assert.isBelow(Buffer.byteLength(JSON.stringify(ok(first))), MaxPageBytes + 100)
      assert.isBelow(Math.max(...sizes("idempotency_keys")), 200_000)
      ok(yield* post("roles/register", { orchestrator_id: "k-m", roles: [{ name: "r0-0", description: "other" }] }))
      assert.deepStrictEqual(ok(yield* send("POST", "/api/v1/roles/register", body, headers)), first.body)
    }))

  for (
    const [what, reason, expectedReason] of [
      ["control characters", odd(4000), `${odd(597)}…`],
      ["characters of several bytes", `xx${"🐙".repeat(1000)}`, `xx${"🐙".repeat(148)}…`],
      ["a NUL", "can\u0000cel", "can\u0000cel"]
    ] as const
  ) {
    it.effect(`is small enough: leases whose cancellation has a reason of ${what}`, () =>
      Effect.gen(function*() {
        const { post, send, sizes } = yield* start
        const leases: Array<object> = []
        for (let i = 0; i < 200; i++) {
          const id = `${"漢".repeat(190)}${i}`
          ok(yield* post("tasks", task({ id, file_path: `${i}` })))
          const { fencing_token } = ok(
            yield* post("tasks/claim", { orchestrator_id: "k-m", agent_name: odd(MaxLabel) })
          )
          ok(yield* post(`tasks/${encodeURIComponent(id)}/cancel`, { reason }))
          leases.push({ task_id: id, fencing_token })
        }
        for (const [key, lost] of [["held", false], ["lost", true]] as const) {
          const headers = { "idempotency-key": key }
          const body = { leases: lost ? leases.map((lease) => ({ ...lease, fencing_token: 7 })) : leases }
          const beat = send("POST", "/api/v1/orchestrators/k-m/heartbeat", body, headers)
          const first = ok(yield* beat)
          assert.lengthOf(lost ? first.lost : first.renewed, 200)
          if (!lost) assert.strictEqual(first.directives[0].reason, expectedReason)
          assert.isBelow(Buffer.byteLength(JSON.stringify(first)), MaxPageBytes)
          assert.isBelow(Math.max(...sizes("idempotency_keys")), 1_900_000)
          assert.deepStrictEqual(ok(yield* beat), first)
        }
        const renew = send("POST", `/api/v1/tasks/${encodeURIComponent("漢".repeat(190))}0/renew`, leases[0], {
          "idempotency-key": "one"
        })
        const first = ok(yield* renew)
        assert.strictEqual(first.cancel_reason, expectedReason)
        assert.deepStrictEqual(ok(yield* renew), first)
      }), 60_000)
  }

  it.effect("is small enough: a graph of tasks with many long blockers, with complete titles", () =>
    Effect.gen(function*() {
      const { post, send } = yield* start
      const names = Array.from({ length: 45 }, (_, i) => "€".repeat(190) + i)
      for (let i = 0; i < 199; i++) {
        ok(yield* post("tasks", task({ id: `t${i}`, file_path: `${i}`, blocked_by: ["root", ...names].join() })))
      }
      ok(yield* post("tasks", task({ id: "root", file_path: "root", title: "a\u0000b" })))
      const { body } = yield* send("GET", "/api/v1/tasks/root/graph?depth=1")
      assert.isBelow(Buffer.byteLength(JSON.stringify(body)), MaxPageBytes)
      assert.lengthOf(body.nodes, 200)
      assert.strictEqual(body.nodes[0].title, "a\u0000b")
    }))
})

describe("The OpenAPI document", () => {
  it("states the limit of every text in a body", () => {
    const spec = OpenApi.fromApi(Api) as any
    const resolve = (schema: any): any =>
      schema?.$ref === undefined ? schema : resolve(spec.components.schemas[schema.$ref.split("/").at(-1)])
    const open = new Set<string>()
    const walk = (unresolved: any, path: string) => {
      const schema = resolve(unresolved)
      if (schema === undefined) return
      for (const one of schema.anyOf ?? []) walk(one, path)
      for (const [name, one] of Object.entries(schema.properties ?? {})) walk(one, `${path}.${name}`)
      if (schema.type === "array") walk(schema.items, path)
      const limited = [schema, ...(schema.allOf ?? [])].some((part) => part.maxLength !== undefined || part.enum)
      if (schema.type === "string" && !limited && !String(schema.description).startsWith("An instant")) open.add(path)
    }
    for (const [path, operations] of Object.entries<any>(spec.paths)) {
      for (const [method, { requestBody }] of Object.entries<any>(operations)) {
        walk(requestBody?.content?.["application/json"]?.schema, `${method} ${path.replace("/api/v1/", "")}`)
      }
    }
    // A checkpoint has one limit for all it says, JSON text is measured once it is read, and the others are not stored.
    assert.deepStrictEqual(
      [...open].filter((path) => !/checkpoint\.|flows\/|_filter$|priority_order$|\.timestamp$/.test(path)),
      []
    )
  })
})
