/** The feed: pages after a number or since a time, filters, what retention leaves, and a look that finds nothing new. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { readFileSync } from "node:fs"
import { EventPage, eventTypes, TaskEvent } from "../../src/domain/feed/Event.ts"
import { migrated } from "../support/layers.ts"
import * as Server from "../support/server.ts"

const serving = Effect.fnUntraced(function*(config: Record<string, string> = {}) {
  const database = migrated()
  const server = yield* Server.make(config, () => database.db)
  const { send } = server
  const post = (path: string, body: object) => send("POST", `/api/v1${path}`, { scope: "red", ...body })
  const create = (id: string, rest: object = {}) =>
    post("/tasks", { id, file_path: `${id}.md`, branch: "b", title: `Title ${id}`, ...rest })
  const read = (query = "", headers: Record<string, string> = {}) =>
    send("GET", `/api/v1/events?scope=red${query}`, undefined, headers)
  return { ...server, ...database, post, create, read }
})

const seqs = (body: any) => body.events.map(({ seq }: any) => seq)
const named = (body: any) => body.events.map(({ event, task_id }: any) => `${task_id} ${event}`)

const since = (hours: number) => `&since=${new Date(hours * 3_600_000).toISOString()}`

describe("the feed", () => {
  it("has a page of documentation that explains each event and each field", () => {
    const page = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8")
    for (const type of eventTypes) assert.match(page, new RegExp(`^\\| .*\`${type}\`.* \\|`, "m"))
    for (const field of [...Object.keys(TaskEvent.fields), ...Object.keys(EventPage.fields)]) {
      assert.match(page, new RegExp(`^\\| .*\`${field}\`.* \\|`, "m"))
    }
  })

  it.effect("has each change of a scope with its number, and the task as it was", () =>
    Effect.gen(function*() {
      const { create, post, read, send } = yield* serving()
      yield* post("/projects", { id: "p", title: "P", branch: "b" })
      yield* create("a", { project_id: "p" })
      yield* create("other", { scope: "blue" })
      yield* send("PATCH", "/api/v1/tasks/a", { title: "New" })
      yield* post("/tasks/a/cancel", { reason: "No more need" })
      yield* send("DELETE", "/api/v1/tasks/a")
      const { body, status } = yield* read()
      assert.strictEqual(status, 200)
      const { events, ...place } = body
      assert.deepStrictEqual(place, { after: 0, next: 4, latest: 4, gap: false })
      assert.deepStrictEqual(
        events.map((e: any) => [e.seq, e.version, e.event, e.title, e.project_id, e.from_queue, e.to_queue, e.reason]),
        [
          [1, 1, "created", "Title a", "p", null, "incoming", null],
          [2, 2, "edited", "Title a", "p", "incoming", "incoming", null],
          [3, 3, "cancelled", "New", "p", "incoming", "cancelled", "No more need"],
          [4, 4, "deleted", "New", "p", "cancelled", null, null]
        ]
      )
      assert.isTrue(events.every((e: any) => e.scope === "red" && /^\d{4}-.*Z$/.test(e.at)))
    }))

  it.effect("goes on after a number, page by page, without skipping or repeating a change", () =>
    Effect.gen(function*() {
      const { create, read } = yield* serving()
      for (const id of ["a", "b", "c", "d", "e"]) yield* create(id)
      const first = (yield* read("&limit=2")).body
      assert.deepStrictEqual([seqs(first), first.next, first.latest], [[1, 2], 2, 5])
      const second = (yield* read(`&limit=2&after=${first.next}`)).body
      assert.deepStrictEqual([seqs(second), second.next], [[3, 4], 4])
      const third = (yield* read(`&limit=2&after=${second.next}`)).body
      assert.deepStrictEqual([seqs(third), third.next, third.gap], [[5], 5, false])
      const none = (yield* read("&after=5")).body
      assert.deepStrictEqual(none, { events: [], after: 5, next: 5, latest: 5, gap: false })
      assert.deepStrictEqual((yield* read("&after=latest")).body, none)
      assert.deepStrictEqual((yield* read("&after=3&limit=2")).body.next, 5)
    }))

  it.effect("of a scope without changes is empty", () =>
    Effect.gen(function*() {
      const { read } = yield* serving()
      const empty = { events: [], after: 0, next: 0, latest: 0, gap: false }
      assert.deepStrictEqual((yield* read()).body, empty)
      assert.deepStrictEqual((yield* read("&after=latest")).body, empty)
    }))

  it.effect("is narrowed by types, task and project, and says how far it looked", () =>
    Effect.gen(function*() {
      const { create, post, raw, read } = yield* serving()
      yield* post("/projects", { id: "p", title: "P", branch: "b" })
      yield* create("a")
      yield* create("b", { project_id: "p" })
      yield* post("/tasks/a/cancel", {})
      yield* post("/tasks/b/cancel", {})
      assert.deepStrictEqual(named((yield* read("&types=cancelled")).body), ["a cancelled", "b cancelled"])
      assert.deepStrictEqual(named((yield* read("&types=created,cancelled&task_id=a")).body), [
        "a created",
        "a cancelled"
      ])
      assert.deepStrictEqual(named((yield* read("&project_id=p")).body), ["b created", "b cancelled"])
      const one = (yield* read("&types=created&limit=1")).body
      assert.deepStrictEqual([named(one), one.next, one.gap], [["a created"], 1, false])
      const none = (yield* read("&types=deleted&after=1")).body
      assert.deepStrictEqual(none, { events: [], after: 1, next: 4, latest: 4, gap: false })
      // A page looks at 500 changes, however few match.
      raw.exec(`
        WITH RECURSIVE n (i) AS (SELECT 5 UNION ALL SELECT i + 1 FROM n WHERE i < 604)
        INSERT INTO history (task_id, version, scope, seq, event, grants, at, title)
        SELECT 'old', i, 'red', i, iif(i = 604, 'deleted', 'edited'), 0, 0, 't' FROM n;
        UPDATE queue_counts SET seq = 604 WHERE scope = 'red'`)
      const short = (yield* read("&types=deleted")).body
      assert.deepStrictEqual([seqs(short), short.next, short.latest, short.gap], [[], 500, 604, false])
      assert.deepStrictEqual(seqs((yield* read(`&types=deleted&after=${short.next}`)).body), [604])
      assert.strictEqual((yield* read("&limit=5000")).body.events.length, 500)
      assert.strictEqual((yield* read()).body.events.length, 100)
    }))

  it.effect("refuses types that do not exist, and names those that do", () =>
    Effect.gen(function*() {
      const { read } = yield* serving()
      const { body, status } = yield* read("&types=created,exploded")
      assert.deepStrictEqual([status, body._tag, body.types, body.known], [
        400,
        "UnknownEventType",
        ["exploded"],
        [...eventTypes]
      ])
      assert.include(body.error, "exploded")
      assert.include(body.error, "deleted")
    }))

  it.effect("refuses a number beyond its end, because the changes up to it would be hidden", () =>
    Effect.gen(function*() {
      const { create, read } = yield* serving()
      yield* create("a")
      const { body, status } = yield* read("&after=2")
      assert.deepStrictEqual([status, body._tag, body.latest], [400, "InvalidPlace", 1])
      assert.include(body.error, "ends at 1, before 2")
      assert.strictEqual((yield* read("&after=1&since=2020-01-01T00:00:00.000Z")).body._tag, "InvalidPlace")
      assert.strictEqual((yield* read("&after=-1")).status, 400)
      assert.strictEqual((yield* read("&limit=0")).status, 400)
    }))

  it.effect("says that numbers have no entry any more", () =>
    Effect.gen(function*() {
      const { create, post, raw, read } = yield* serving()
      yield* create("a")
      yield* post("/tasks/a/cancel", {})
      yield* create("b")
      raw.exec("DELETE FROM history WHERE task_id = 'a' AND version = 1")
      assert.isTrue((yield* read()).body.gap)
      assert.isTrue((yield* read("&limit=1")).body.gap)
      assert.isTrue((yield* read("&types=deleted")).body.gap)
      assert.isFalse((yield* read("&after=1")).body.gap)
      // A removed end of the feed keeps its numbers.
      raw.exec("DELETE FROM history WHERE task_id = 'b'")
      const { gap, next } = (yield* read("&after=2")).body
      assert.deepStrictEqual([gap, next], [true, 3])
      yield* create("c")
      assert.deepStrictEqual(seqs((yield* read("&after=3")).body), [4])
    }))

  it.effect("begins at a time", () =>
    Effect.gen(function*() {
      const { create, raw, read } = yield* serving()
      for (let i = 1; i <= 40; i++) {
        yield* TestClock.adjust("1 hour")
        yield* create(`t${i}`)
      }
      for (let i = 1; i <= 40; i++) {
        const { after, events } = (yield* read(since(i))).body
        assert.deepStrictEqual([after, events[0].seq], [i - 1, i])
      }
      assert.strictEqual((yield* read(since(0))).body.after, 0)
      assert.deepStrictEqual((yield* read(since(50))).body, { events: [], after: 40, next: 40, latest: 40, gap: false })
      // A change may be recorded up to a minute before the one that comes before it.
      raw.exec("UPDATE history SET at = at - 59000 WHERE seq = 20")
      assert.strictEqual((yield* read(since(20))).body.events[0].seq, 20)
      raw.exec("DELETE FROM history WHERE seq BETWEEN 5 AND 30")
      const { body } = yield* read(since(10))
      assert.deepStrictEqual([body.after, body.events[0].seq, body.gap], [4, 31, true])
    }))

  it.effect("answers 304 to a client that has seen its end", () =>
    Effect.gen(function*() {
      const { create, read } = yield* serving()
      yield* create("a")
      for (const query of ["&after=1", "&after=latest", "", "&types=deleted"]) {
        const etag = (yield* read(query)).headers.get("etag")!
        const again = yield* read(query, { "if-none-match": etag })
        assert.strictEqual(again.status, 304, query)
      }
      const etag = (yield* read("&after=1")).headers.get("etag")!
      yield* create("b")
      const news = yield* read("&after=1", { "if-none-match": etag })
      assert.deepStrictEqual([news.status, seqs(news.body)], [200, [2]])
    }))

  it.effect("ends a page at about 4 MB, also with filters", () =>
    Effect.gen(function*() {
      const { create, raw, read } = yield* serving()
      for (const id of ["a", "b", "c", "d", "e"]) yield* create(id)
      raw.exec(`UPDATE history SET reason = hex(zeroblob(700000))`)
      for (const query of ["", "&types=created"]) {
        const { events, gap, next } = (yield* read(query)).body
        assert.deepStrictEqual([events.length, next, gap], [2, 2, false])
      }
    }))

  it.effect("needs a scope where the server does, and a key reads that of its scope", () =>
    Effect.gen(function*() {
      const strict = yield* serving({ REQUIRE_SCOPE: "true" })
      const { body, status } = yield* strict.send("GET", "/api/v1/events")
      assert.deepStrictEqual([status, body._tag], [400, "ScopeRequired"])
      const { send } = yield* serving({ API_SECRET_KEY: "a secret of the server" })
      const administrator = { authorization: "Bearer a secret of the server" }
      const issue = yield* send("POST", "/api/v1/scopes/red/keys", { rank: "read" }, administrator)
      const key = { authorization: `Bearer ${issue.body.api_key}` }
      yield* send("POST", "/api/v1/tasks", { id: "a", scope: "red", file_path: "a.md", branch: "b" }, administrator)
      yield* send("POST", "/api/v1/tasks", { id: "b", scope: "blue", file_path: "b.md", branch: "b" }, administrator)
      assert.deepStrictEqual(named((yield* send("GET", "/api/v1/events", undefined, key)).body), ["a created"])
      assert.strictEqual((yield* send("GET", "/api/v1/events?scope=blue", undefined, key)).status, 403)
    }))

  it.effect("has a method in the typed client", () =>
    Effect.gen(function*() {
      const { connect, create } = yield* serving()
      yield* create("a")
      const client = yield* connect({ scope: "red" })
      const page = yield* client.events.list({ query: { after: 0, types: ["created"] } })
      assert.deepStrictEqual(page.events.map(({ event, seq, title }) => [seq, event, title]), [[
        1,
        "created",
        "Title a"
      ]])
      assert.strictEqual((yield* client.events.list({ query: { after: "latest" } })).next, 1)
    }))
})
