/** Text, numbers and bytes come back as they were sent, or the request is refused by a 400 that names the field. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { table } from "../support/access.ts"
import * as Faulty from "../support/Faulty.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = { authorization: `Bearer ${Secret}` }
const task = { id: "t", file_path: "t", branch: "b" }

const bytes = (...parts: ReadonlyArray<string | number>) =>
  new Uint8Array(Buffer.concat(parts.map((part) => typeof part === "string" ? Buffer.from(part) : Buffer.of(part))))

/** Sends a body as it is. */
const raw = (fetch: typeof globalThis.fetch, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  Effect.promise(async () => {
    const response = await fetch("http://server/api/v1/tasks", { method: "POST", headers, body })
    return { status: response.status, body: JSON.parse(await response.text()) }
  })

const assertNames = (
  { body, status }: Pick<server.Answer, "body" | "status">,
  ...path: ReadonlyArray<string | number>
) => {
  assert.strictEqual(status, 400, JSON.stringify(body))
  assert.strictEqual(body._tag, "InvalidRequest")
  assert.deepInclude(body.issues.map((issue: any) => issue.path), path)
  assert.include(body.error, path.join("."))
}

const titled = (escaped: string) => `{"id":"t","file_path":"t","branch":"b","title":"${escaped}"}`
const named = (...id: ReadonlyArray<number>) => bytes("{\"id\":\"t", ...id, "\",\"file_path\":\"t\",\"branch\":\"b\"}")
const noting = (metadata: string) => `{"id":"t","file_path":"t","branch":"b","metadata":${metadata}}`

const withBody = Object.keys(table).filter((name) => /^(POST|PUT|PATCH) /.test(name))

describe("half of a surrogate pair", () => {
  it.effect.each(withBody)("is refused in every body, and nothing is changed: %s", (name) =>
    Effect.gen(function*() {
      const faulty = Faulty.make()
      const { send } = yield* server.make({ API_SECRET_KEY: Secret }, faulty.open)
      const admin = (method: string, path: string, body?: unknown) =>
        Effect.map(send(method, path, body, bearer), ({ body }) => body)
      const question = table[name]!.ask("red", admin)
      const [path, body] = Effect.isEffect(question) ? yield* question : question
      const before = Faulty.everything(faulty.raw)
      const [method = ""] = name.split(" ")
      for (const free of ["\ud83d", "x\udc19", "\ud83d\ud83d\udc19"]) {
        const sent = { ...body as object, metadata: [{ deep: [free] }] }
        for (const headers of [bearer, { ...bearer, "idempotency-key": "k" }]) {
          assertNames(yield* send(method, path, sent, headers), "body", "metadata", 0, "deep", 0)
        }
      }
      assert.deepStrictEqual(Faulty.everything(faulty.raw), before)
    }))

  it.effect("is refused in keys, together with other mistakes, and in any escape", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (
        const text of ["\\ud83d", "\\uD83D", "\\uDC19\\uD83D", "\\ud83dx\\udc19", "\\\\\\ud83d", "\\ud83d\\n\\udc19"]
      ) {
        assertNames(yield* send("POST", "/api/v1/tasks", titled(text)), "body", "title")
      }
      for (const text of ["\\ud83d\\udc19", "\\uD83D\\uDC19", "\\\\ud83d", "\\\\\\\\uDC19"]) {
        const { body, status } = yield* send("POST", "/api/v1/tasks", titled(text))
        assert.deepStrictEqual([status, body.title], [201, JSON.parse(`"${text}"`)])
        yield* send("DELETE", "/api/v1/tasks/t")
      }
      const key = yield* send("POST", "/api/v1/tasks", { ...task, metadata: { a: [{ "k\ud83d": 1 }] } })
      assertNames(key, "body", "metadata", "a", 0, "k\ufffd")
      const many = yield* send("POST", "/api/v1/tasks", { ...task, title: "\ud83d", content: "\ud83d" })
      assertNames(many, "body", "title")
      assertNames(many, "body", "content")
    }))

  it.effect("is refused in a text that is JSON", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const halved = JSON.stringify([{ name: "lint\ud83d" }])
      assertNames(yield* send("POST", "/api/v1/tasks", { ...task, hooks: halved }), "body", "hooks")
      const draft = { title: "t", author: "a" }
      assertNames(yield* send("POST", "/api/v1/drafts", { ...draft, tags: "[\"lint\\ud83d\"]" }), "body", "tags")
      // JSON in a text stays text, with any numbers.
      const tags = "[\"\\ud83d\\udc19\",9007199254740993]"
      assert.strictEqual((yield* send("POST", "/api/v1/drafts", { ...draft, tags })).body.tags, tags)
      for (const hooks of [JSON.stringify([{ name: "🐙" }]), "[{\"name\":\"\\ud83d\\udc19\"}]", "no JSON \\ud83d"]) {
        const { body, status } = yield* send("POST", "/api/v1/tasks", { ...task, hooks })
        assert.deepStrictEqual([status, body.hooks], [201, hooks])
        yield* send("DELETE", "/api/v1/tasks/t")
      }
    }))

  it.effect("is not made by cutting a text for an answer", () =>
    Effect.gen(function*() {
      const { fetch } = yield* server.make()
      for (let length = 0; length < 4; length++) {
        const long = `${"x".repeat(length)}${"🐙".repeat(2000)}`
        for (
          const [path, body] of [
            ["tasks", { ...task, queue: long }],
            ["tasks", { ...task, priority: [long], title: { [long]: 1 } }],
            ["flows/f", { states: ["incoming", long], transitions: [{ from: long, to: long }] }],
            ["scopes/red/import", { tasks: [{ id: long }, { id: "a", created_at: long }] }]
          ] as const
        ) {
          const answer = yield* Effect.promise(() =>
            fetch(`http://server/api/v1/${path}`, {
              method: path.startsWith("flows") ? "PUT" : "POST",
              body: JSON.stringify(body)
            }).then((response) => response.text())
          )
          assert.notMatch(answer, /\\ud[89a-f]/i, path)
        }
        const cursor = yield* Effect.promise(() =>
          fetch(`http://server/api/v1/tasks?cursor=${encodeURIComponent(long.slice(0, 2000 + length % 2))}`).then((
            response
          ) => response.text())
        )
        assert.notMatch(cursor, /\\ud[89a-f]/i)
      }
    }))

  it.effect("that an earlier version stored is answered as U+FFFD", () =>
    Effect.gen(function*() {
      const database = migrated()
      const { fetch, send } = yield* server.make({}, () => database.db)
      yield* send("POST", "/api/v1/tasks", { ...task, metadata: { a: 1 }, queue: "failed" })
      yield* send("PUT", "/api/v1/flows/f", { states: ["incoming", "claimed", "done"], transitions: [] })
      const half = "{\"a\":\"x\\ud83d\",\"\\udc19\":\"\\\\ud83d \\ud83d\\udc19\"}"
      database.raw.prepare("UPDATE tasks SET metadata = ?, setbacks = ?, checkpoint = ?").run(
        half,
        "[{\"event\":\"rejected\",\"actor\":\"\\ud83d\",\"reason\":null,\"at\":1,\"fencing_token\":null}]",
        "{\"version\":1,\"fencing_token\":1,\"branch\":\"\\ud83d\",\"head_commit\":null,\"notes\":null,\"open_questions\":[],\"at\":1}"
      )
      database.raw.prepare("UPDATE history SET details = ?").run(half)
      database.raw.prepare("UPDATE flows SET transitions = ?").run(
        "[{\"from\":\"claimed\",\"to\":\"done\",\"note\":\"\\ud83d\"}]"
      )
      for (const path of ["tasks", "tasks/t", "tasks/t/history", "tasks/t/handoff", "flows", "flows/f", "export"]) {
        const response = yield* Effect.promise(() => fetch(`http://server/api/v1/${path}`))
        const text = yield* Effect.promise(() => response.text())
        assert.strictEqual(response.status, 200, `${path} ${text}`)
        assert.notMatch(text, /(?<!\\)\\ud[89a-f]/i, path)
      }
      assert.deepStrictEqual((yield* send("GET", "/api/v1/tasks/t")).body.metadata, {
        a: "x\ufffd",
        "\ufffd": "\\ud83d 🐙"
      })
    }))
})

describe("bytes that are not UTF-8", () => {
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<number>]> = [
    ["a byte of no character", [0xff]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an encoded surrogate", [0xed, 0xa0, 0xbd]],
    ["a sequence that is cut short", [0xf0, 0x9f, 0x90]],
    ["a continuation of nothing", [0x80]],
    ["a character beyond Unicode", [0xf4, 0x90, 0x80, 0x80]]
  ]
  it.effect.each(cases)("are refused by the name of the field: %s", ([, wrong]) =>
    Effect.gen(function*() {
      const { fetch, send } = yield* server.make()
      const begin = "{\"id\":\"t\",\"file_path\":\"t\",\"branch\":\"b\",\"metadata\":{\"é\":[1,\"🐙"
      const answer = yield* raw(fetch, bytes(begin, ...wrong, "\"]}}"))
      assertNames(answer, "body", "metadata", "é", 1)
      assert.match(answer.body.error, /at byte \d+/)
      const key = yield* raw(fetch, bytes("{\"id\":\"t\",\"file_path\":\"t\",\"branch\":\"b\",\"k", ...wrong, "\":1}"))
      assert.strictEqual(key.status, 400)
      assertNames(yield* raw(fetch, bytes(begin, ...wrong)), "body", "metadata", "é", 1)
      assertNames(yield* raw(fetch, bytes(...wrong)), "body")
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).body.total, 0)
    }))

  it.effect("do not make two bodies equal, with or without an idempotency key", () =>
    Effect.gen(function*() {
      const { fetch, send } = yield* server.make()
      for (const id of [[0xff], [0xfe]]) {
        assertNames(yield* raw(fetch, named(...id), { "idempotency-key": "k" }), "body", "id")
      }
      // The key is still free.
      const { status } = yield* raw(fetch, named(), { "idempotency-key": "k" })
      assert.strictEqual(status, 201)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).body.total, 1)
    }))

  it.effect("do not include a byte order mark, which is removed", () =>
    Effect.gen(function*() {
      const { fetch } = yield* server.make()
      assert.strictEqual((yield* raw(fetch, bytes(0xef, 0xbb, 0xbf, JSON.stringify(task)))).status, 201)
    }))

  it.effect.each(["%ff", "%ed%a0%80", "a%c0%af", "%f0%9f%90", "%f0%9f%90b", "%e9"])(
    "are refused in a query: %s",
    (value) =>
      Effect.gen(function*() {
        const { send } = yield* server.make()
        for (const parameter of ["scope", "claimed_by", "unknown"]) {
          assertNames(yield* send("GET", `/api/v1/tasks?limit=1&${parameter}=${value}&offset=0`), "query", parameter)
        }
        const name = yield* send("GET", `/api/v1/tasks?${value}=1`)
        assert.deepStrictEqual([name.status, name.body._tag, name.body.issues[0].path[0]], [
          400,
          "InvalidRequest",
          "query"
        ])
        assert.strictEqual((yield* send("HEAD", `/api/v1/tasks?scope=${value}`)).status, 400)
      })
  )

  it.effect("do not include a lone percent sign", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      for (const value of ["100%", "%zz", "%F0%9F%90%99", "%", "a+b"]) {
        assert.strictEqual((yield* send("GET", `/api/v1/tasks?claimed_by=${value}`)).status, 200, value)
      }
    }))
})

describe("a number that would come back as another one", () => {
  it.effect.each([
    "9007199254740993",
    "9007199254740992",
    "-9007199254740993",
    "18446744073709551615",
    "1000000000000000000000000000000",
    "9007199254740993.0",
    "9007199254740993e0",
    "90071992547409930e-1",
    "1e309",
    "-1e400",
    "1E+999",
    "1e-400",
    "0.1e-999"
  ])("is refused by the name of its field: %s", (number) =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      assertNames(
        yield* send("POST", "/api/v1/tasks", noting(`{"a":[true,{"b":${number}}]}`)),
        "body",
        "metadata",
        "a",
        1,
        "b"
      )
      assertNames(yield* send("POST", "/api/v1/tasks", noting(`[ ${number} ]`)), "body", "metadata", 0)
      assertNames(yield* send("POST", "/api/v1/tasks", noting(number)), "body", "metadata")
      assert.strictEqual((yield* send("GET", "/api/v1/tasks")).body.total, 0)
    }))

  it.effect("is neither one that a double holds nor one within a text", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const kept = [9007199254740991, -9007199254740991, 0.1, 0.30000000000000004, 1e21, 1.7976931348623157e308, 5e-324]
      const texts = ["9007199254740993", "a 1e999, 18446744073709551615", { "9007199254740993": "[1e400]" }]
      const { body: created, status } = yield* send(
        "POST",
        "/api/v1/tasks",
        noting(JSON.stringify([...kept, ...texts]))
      )
      assert.strictEqual(status, 201, JSON.stringify(created))
      assert.deepStrictEqual(created.metadata, [...kept, ...texts])
      assert.deepStrictEqual((yield* send("GET", "/api/v1/tasks/t")).body.metadata, [...kept, ...texts])
      // JSON in a text stays text, with any numbers.
      const hooks = "[{\"name\":\"a\",\"n\":9007199254740993}]"
      yield* send("PATCH", "/api/v1/tasks/t", { hooks })
      assert.strictEqual((yield* send("GET", "/api/v1/tasks/t")).body.hooks, hooks)
    }))
})

describe("NUL in a reason", () => {
  it.effect("is kept, and so is the text after it", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const post = (path: string, body: object) => send("POST", `/api/v1/${path}`, body)
      const reason = "before\0after\0"
      yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
      yield* post("tasks", { ...task, title: reason, content: reason, metadata: { a: reason } })
      const claim = () => post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann" })
      yield* claim()
      yield* post("tasks/t/reject", { reason, rejected_by: "x" })
      yield* claim()
      yield* post("tasks/t/requeue", { reason })
      yield* claim()
      yield* post("tasks/t/fail", { reason })
      const { body } = yield* send("GET", "/api/v1/tasks/t")
      assert.deepInclude(body, {
        title: reason,
        content: reason,
        metadata: { a: reason },
        last_rejection_reason: reason
      })
      assert.strictEqual(body.failure_reason, reason)
      const { body: { setbacks } } = yield* send("GET", "/api/v1/tasks/t/handoff")
      assert.deepStrictEqual(setbacks.map((setback: any) => setback.reason), [reason, reason, reason])
      const { body: { history } } = yield* send("GET", "/api/v1/tasks/t/history")
      assert.lengthOf(history.filter((entry: any) => entry.reason === reason), 3)
      // Long ones are cut between characters.
      yield* post("tasks/t/redrive", {})
      yield* claim()
      yield* post("tasks/t/fail", { reason: `\0${"🐙".repeat(3000)}` })
      const last = (yield* send("GET", "/api/v1/tasks/t/handoff")).body.setbacks.at(-1)
      assert.strictEqual(last.reason, `\0${"🐙".repeat(998)} …`)
    }))

  it.effect("does not hide that a path is taken", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const file_path = "TASK-a\0b.md"
      assert.strictEqual((yield* send("POST", "/api/v1/tasks", { ...task, file_path })).status, 201)
      assert.strictEqual((yield* send("POST", "/api/v1/tasks", { ...task, id: "u", file_path })).status, 409)
    }))
})
