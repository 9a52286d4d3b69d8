/** A key ends in every isolate at once. A caller with a key sees little of the cost of its requests. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { endpoints } from "../../src/http/Endpoints.ts"
import { table } from "../support/access.ts"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Two isolates of one server, and a key that the second one has just seen. */
const isolates = Effect.gen(function*() {
  const { open, raw, sent } = Faulty.make()
  const [here, there] = [
    yield* server.make({ API_SECRET_KEY: Secret }, open),
    yield* server.make({ API_SECRET_KEY: Secret }, open)
  ]
  const admin = (method: string, path: string, body?: unknown) => here.send(method, path, body, bearer(Secret))
  const { body: key } = yield* admin("POST", "/api/v1/scopes/red/keys", { name: "laptop" })
  const ask = (method: string, path: string, body?: unknown, headers = {}) =>
    there.send(method, path, body, { ...bearer(key.api_key), ...headers })
  assert.strictEqual((yield* ask("GET", "/api/v1/drafts")).status, 200)
  return { admin, ask, here, key, open, raw, sent }
})

const draft = { title: "t", author: "a" }
const under = (key: string) => ({ "idempotency-key": key })

describe("a key that ends in another isolate", () => {
  it.effect("is valid until its end, to the millisecond", () =>
    Effect.gen(function*() {
      for (const overlap_seconds of [0, 1, 29]) {
        const { ask, here, key, raw } = yield* isolates
        const path = "/api/v1/orchestrators/scopes/red/rotate-key"
        const rotated = yield* here.send("POST", path, { overlap_seconds }, bearer(key.api_key))
        assert.strictEqual(rotated.status, 200)
        if (overlap_seconds > 0) {
          yield* TestClock.adjust(overlap_seconds * 1000 - 1)
          assert.strictEqual((yield* ask("POST", "/api/v1/drafts", draft)).status, 201)
          yield* TestClock.adjust("1 millis")
        }
        const before = Faulty.everything(raw)
        for (const headers of [{}, { "idempotency-key": "k" }]) {
          const refused = yield* ask("POST", "/api/v1/drafts", draft, headers)
          assert.strictEqual(refused.status, 401, JSON.stringify(refused.body))
          assert.strictEqual(refused.body._tag, "Unauthorized")
          assert.strictEqual(refused.headers.get("www-authenticate"), "Bearer")
        }
        assert.deepStrictEqual(Faulty.everything(raw), before)
      }
    }))

  it.effect("is refused at once after it was revoked, and changes and reads nothing", () =>
    Effect.gen(function*() {
      const first = yield* isolates
      yield* first.admin("POST", "/api/v1/drafts", { ...draft, scope: "red" })
      for (
        const [method, path] of [["GET", "/api/v1/drafts"], ["POST", "/api/v1/drafts"], [
          "GET",
          "/api/v1/scheduler/poll"
        ]]
      ) {
        const { admin, ask, key, raw } = yield* isolates
        yield* admin("DELETE", `/api/v1/scopes/red/keys/${key.id}`)
        const before = Faulty.everything(raw)
        const refused = yield* ask(method!, path!, method === "POST" ? draft : undefined)
        assert.strictEqual(refused.status, 401, `${method} ${path}: ${JSON.stringify(refused.body)}`)
        assert.deepStrictEqual(Faulty.everything(raw), before)
      }
    }))

  it.effect("is refused if the answer would be 304", () =>
    Effect.gen(function*() {
      const { admin, ask, key } = yield* isolates
      const tag = (yield* ask("GET", "/api/v1/drafts")).headers.get("etag")!
      assert.strictEqual((yield* ask("GET", "/api/v1/drafts", undefined, { "if-none-match": tag })).status, 304)
      yield* admin("DELETE", `/api/v1/scopes/red/keys/${key.id}`)
      assert.strictEqual((yield* ask("GET", "/api/v1/drafts", undefined, { "if-none-match": tag })).status, 401)
    }))

  it.effect("is checked without a round trip of its own", () =>
    Effect.gen(function*() {
      const { ask, sent } = yield* isolates
      const before = sent()
      for (let second = 0; second < 90; second++) {
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* ask("GET", "/api/v1/drafts")).status, 200)
      }
      assert.strictEqual(sent() - before, 90)
    }))
})

describe("Server-Timing", () => {
  const names = endpoints.filter(({ path }) => path.startsWith("/api/v1/")).map(({ method, path }) =>
    `${method} ${path}`
  )
  const times = /^d1;dur=\d+$/
  const all = /^d1;dur=\d+;desc="trips=\d+ read=\d+ written=\d+"$/

  it.effect.each(names)(
    "%s: a caller with a key sees times only, also for refused requests",
    (name) =>
      Effect.gen(function*() {
        const { send } = yield* server.make({ API_SECRET_KEY: Secret })
        const admin = (method: string, path: string, body?: unknown) => send(method, path, body, bearer(Secret))
        const tokens: Array<string> = []
        for (const scope of ["red", "blue"]) {
          tokens.push((yield* admin("POST", `/api/v1/scopes/${scope}/keys`)).body.api_key)
        }
        const method = name.slice(0, name.indexOf(" "))
        for (const token of [...tokens, "", `oct_${"0".repeat(64)}`, Secret]) {
          const asked = table[name]!.ask("red", (...request) => Effect.map(admin(...request), ({ body }) => body))
          const [path, body] = Effect.isEffect(asked) ? yield* asked : asked
          const { headers } = yield* send(method, path, body, token === "" ? {} : bearer(token))
          assert.match(headers.get("server-timing")!, token === Secret ? all : times)
        }
      })
  )

  it.effect("shows no more for unknown paths and methods", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make({ API_SECRET_KEY: Secret })
      const { body: { api_key } } = yield* send("POST", "/api/v1/scopes/red/keys", undefined, bearer(Secret))
      for (
        const [method, path] of [["GET", "/api/v1/nothing"], ["PATCH", "/api/v1/tasks"], ["BREW", "/api/v1/tasks"], [
          "GET",
          "/api/v1/tasks/"
        ], ["GET", "/api/v1/%ff"]]
      ) {
        const answer = yield* send(method!, path!, undefined, bearer(api_key))
        assert.isAtLeast(answer.status, 400)
        assert.match(answer.headers.get("server-timing")!, times, `${method} ${path}`)
      }
    }))

  it.effect("shows everything on an open server, and only times to a key", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const { body: { api_key } } = yield* send("POST", "/api/v1/scopes/red/keys")
      assert.match((yield* send("GET", "/api/v1/tasks/none")).headers.get("server-timing")!, all)
      assert.match(
        (yield* send("GET", "/api/v1/tasks/none", undefined, bearer(api_key))).headers.get("server-timing")!,
        times
      )
    }))
})

describe("an export of an open server", () => {
  it.effect("shows an anonymous caller no salt of a key, and the administrator everything", () =>
    Effect.gen(function*() {
      const { open, raw } = Faulty.make()
      const anonymous = yield* server.make({}, open)
      const admin = yield* server.make({ API_SECRET_KEY: Secret }, open)
      const machine = { scope: "red", cluster: "k", machine_id: "m" }
      const { body: { api_key } } = yield* anonymous.send("POST", "/api/v1/orchestrators/register", machine, under("1"))
      yield* anonymous.send("POST", "/api/v1/scopes/red/keys", { name: "n" }, under("2"))
      const rotate = "/api/v1/orchestrators/scopes/red/rotate-key"
      yield* anonymous.send("POST", rotate, {}, { ...under("3"), ...bearer(api_key) })
      yield* anonymous.send("POST", "/api/v1/drafts", { ...draft, scope: "red" }, under("4"))
      const kept = raw.prepare("SELECT id, answer ->> '$[0].salt' AS salt FROM idempotency_keys").all()
      const salts = kept.flatMap(({ salt }) => salt === null ? [] : [String(salt)])
      assert.lengthOf(salts, 3)
      const exported = Effect.fnUntraced(function*(headers: Record<string, string>, { send }: typeof anonymous) {
        let text = ""
        for (let cursor: string | null = ""; cursor !== null;) {
          const path: string = `/api/v1/export?limit=1${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`
          const { body } = yield* send("GET", path, undefined, headers)
          text += JSON.stringify(body.records)
          cursor = body.next_cursor
        }
        return text
      })
      const shown = yield* exported({}, anonymous)
      for (const salt of salts) assert.notInclude(shown, salt)
      assert.notInclude(shown, "\"api_keys\"")
      // What holds no salt is there as before.
      assert.include(shown, String(kept.find(({ salt }) => salt === null)!["id"]))
      const whole = yield* exported(bearer(Secret), admin)
      for (const salt of salts) assert.include(whole, salt)
    }))
})
