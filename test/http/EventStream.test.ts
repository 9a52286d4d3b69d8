/** The feed as a stream of events: what it sends, how it goes on, and how it ends. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { migrated } from "../support/layers.ts"
import * as Server from "../support/server.ts"

const watching = Effect.fnUntraced(function*(config: Record<string, string> = { EVENT_STREAM: "true" }) {
  const database = migrated()
  const batches = { n: 0 }
  const { batch } = database.db
  Object.assign(database.db, {
    batch: (...statements: Parameters<typeof batch>) => {
      batches.n++
      return batch(...statements)
    }
  })
  const server = yield* Server.make(config, () => database.db)
  const create = (id: string, scope = "red") =>
    server.send("POST", "/api/v1/tasks", { id, scope, file_path: `${id}.md`, branch: "b" })
  const get = (query: string, headers: Record<string, string> = {}) =>
    Effect.promise(() =>
      server.fetch(`http://server/api/v1/events?scope=red${query}`, {
        headers: { accept: "text/event-stream", ...headers }
      })
    )
  /** Opens a stream. `text` is all that it sent so far. */
  const open = Effect.fnUntraced(function*(query = "", headers: Record<string, string> = {}) {
    const response = yield* get(query, headers)
    assert.strictEqual(response.status, 200)
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    const seen = { text: "", ended: false }
    const reading = (async () => {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) break
        seen.text += value
      }
      seen.ended = true
    })().catch(() => {
      seen.ended = true
    })
    /** Lets everything happen that waits for no time. */
    const settle = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
    yield* settle
    return {
      response,
      seen,
      settle,
      pass: (millis: number) => Effect.andThen(TestClock.adjust(millis), settle),
      cancel: Effect.promise(() => reader.cancel().then(() => reading))
    }
  })
  return { ...server, ...database, batches, create, get, open }
})

const ids = (text: string) => Array.from(text.matchAll(/^id: (\d+)$/gm), ([, id]) => Number(id))
const data = (text: string) => Array.from(text.matchAll(/^data: (.*)$/gm), ([, json]) => JSON.parse(json!))

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length

describe("the stream of events", () => {
  it.effect("begins with what there is, and goes on with what happens", () =>
    Effect.gen(function*() {
      const { create, open, send } = yield* watching()
      yield* create("a")
      const { cancel, pass, response, seen } = yield* open()
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream")
      assert.strictEqual(response.headers.get("cache-control"), "no-store")
      assert.match(seen.text, /^retry: 2000\nid: 0\n\nid: 1\ndata: \{.*\}\n\n$/)
      yield* create("b")
      yield* pass(1999)
      assert.deepStrictEqual(ids(seen.text), [0, 1])
      yield* pass(1)
      assert.deepStrictEqual(ids(seen.text), [0, 1, 2])
      const page = yield* send("GET", "/api/v1/events?scope=red")
      assert.deepStrictEqual(data(seen.text), page.body.events)
      yield* cancel
    }))

  it.effect("looks less and less often while nothing happens, and soon after something did", () =>
    Effect.gen(function*() {
      const { create, open } = yield* watching()
      const { cancel, pass, seen } = yield* open("&after=latest")
      const looks = () => seen.text.split(": nothing new").length - 1
      const times: Array<number> = []
      for (let second = 1; second <= 36; second++) {
        const before = looks()
        yield* pass(1000)
        if (looks() > before) times.push(second)
      }
      assert.deepStrictEqual(times, [2, 6, 14, 24, 34])
      yield* create("a")
      yield* pass(8000)
      assert.deepStrictEqual(ids(seen.text), [0, 1])
      yield* create("b")
      yield* pass(2000)
      assert.deepStrictEqual(ids(seen.text), [0, 1, 2])
      yield* cancel
    }))

  it.effect("goes on after Last-Event-ID, which counts more than after and since", () =>
    Effect.gen(function*() {
      const { create, get, open } = yield* watching()
      for (const id of ["a", "b", "c"]) yield* create(id)
      for (const query of ["", "&after=0", "&after=latest", "&since=2020-01-01T00:00:00.000Z"]) {
        const { cancel, seen } = yield* open(query, { "last-event-id": "2" })
        assert.deepStrictEqual(ids(seen.text), [2, 3])
        yield* cancel
      }
      for (const last of ["x", "-1", "4"]) {
        assert.strictEqual((yield* get("", { "last-event-id": last })).status, 400)
      }
      const { cancel, seen } = yield* open("&after=1", { "last-event-id": "" })
      assert.deepStrictEqual(ids(seen.text), [1, 2, 3])
      yield* cancel
    }))

  it.effect("sends the number that filters have come to, and reports a gap", () =>
    Effect.gen(function*() {
      const { create, open, raw } = yield* watching()
      for (const id of ["a", "b", "c"]) yield* create(id)
      const filtered = yield* open("&task_id=b")
      assert.deepStrictEqual(ids(filtered.seen.text), [0, 2, 3])
      assert.deepStrictEqual(data(filtered.seen.text).map(({ task_id }) => task_id), ["b"])
      yield* filtered.cancel
      raw.exec("DELETE FROM history WHERE task_id = 'b'")
      const { cancel, seen } = yield* open("&after=1")
      assert.include(seen.text, `event: gap\ndata: {"after":1,"next":3}\n\nid: 3\n`)
      yield* cancel
    }))

  it.effect("sends all pages of what there is at once", () =>
    Effect.gen(function*() {
      const { create, open } = yield* watching()
      for (const id of ["a", "b", "c", "d", "e"]) yield* create(id)
      const { cancel, seen } = yield* open("&limit=2")
      assert.deepStrictEqual(ids(seen.text), [0, 1, 2, 3, 4, 5])
      yield* cancel
    }))

  it.effect("ends after 45 looks, so that the client connects again", () =>
    Effect.gen(function*() {
      const { create, open } = yield* watching()
      const { pass, seen } = yield* open("&after=latest")
      yield* create("a")
      for (let i = 0; i < 60 && !seen.ended; i++) yield* pass(10_000)
      assert.isTrue(seen.ended)
      assert.strictEqual(seen.text.split(": nothing new").length - 1 + data(seen.text).length, 45)
      const { cancel, seen: again } = yield* open("", { "last-event-id": String(ids(seen.text).at(-1)) })
      yield* create("b")
      yield* pass(2000)
      assert.deepStrictEqual(ids(again.text), [1, 2])
      yield* cancel
    }))

  it.effect("ends when the client has left, and looks no more", () =>
    Effect.gen(function*() {
      const { batches, open } = yield* watching()
      const { cancel, pass, seen } = yield* open("&after=latest")
      yield* pass(2000)
      yield* cancel
      assert.isTrue(seen.ended)
      const before = batches.n
      yield* pass(60_000)
      assert.strictEqual(batches.n, before)
    }))

  it.live("leaves no timer behind", () =>
    Effect.gen(function*() {
      const { open } = yield* watching()
      const { cancel, settle } = yield* open("&after=latest")
      const during = timers()
      yield* cancel
      yield* settle
      assert.isBelow(timers(), during)
    }))

  it.effect("ends when its key is revoked", () =>
    Effect.gen(function*() {
      const { open, send } = yield* watching({ EVENT_STREAM: "true", API_SECRET_KEY: "a secret of the server" })
      const administrator = { authorization: "Bearer a secret of the server" }
      const { body } = yield* send("POST", "/api/v1/scopes/red/keys", { rank: "read" }, administrator)
      const { pass, seen } = yield* open("", { authorization: `Bearer ${body.api_key}` })
      yield* pass(2000)
      assert.isFalse(seen.ended)
      yield* send("DELETE", `/api/v1/scopes/red/keys/${body.id}`, undefined, administrator)
      yield* pass(10_000)
      assert.isTrue(seen.ended)
    }))

  it.effect("is refused with the name of the setting where it is off", () =>
    Effect.gen(function*() {
      for (const config of [{}, { EVENT_STREAM: "false" }]) {
        const { get, send } = yield* watching(config as Record<string, string>)
        const response = yield* get("")
        assert.strictEqual(response.status, 406)
        const body = yield* Effect.promise(() => response.json() as Promise<any>)
        assert.strictEqual(body._tag, "EventStreamOff")
        assert.include(body.error, "EVENT_STREAM")
        for (const accept of ["*/*", "application/json", "application/json, text/event-stream"]) {
          assert.strictEqual((yield* send("GET", "/api/v1/events?scope=red", undefined, { accept })).status, 200)
        }
      }
    }))
})
