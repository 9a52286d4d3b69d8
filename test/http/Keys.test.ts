/** Keys over HTTP: who issues, lists, rotates and revokes them, and what an open server does. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as client from "../../src/client.ts"
import * as server from "../support/server.ts"

const Secret = "a secret of the server"
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const machine = { cluster: "k", machine_id: "m" }
const rotate = (scope: string) => `/api/v1/orchestrators/scopes/${scope}/rotate-key`

const guarded = Effect.map(server.make({ API_SECRET_KEY: Secret }), (all) => ({
  ...all,
  admin: (method: string, path: string, body?: unknown) => all.send(method, path, body, bearer(Secret))
}))

describe("keys", () => {
  it.effect("are issued, listed without the keys themselves, used, revoked", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* guarded
      const issued = yield* admin("POST", "/api/v1/scopes/red/keys", { name: "ci", expires_at: "1970-01-02T00:00:00Z" })
      const { api_key, ...known } = issued.body
      assert.strictEqual(issued.status, 201)
      assert.deepStrictEqual(known, {
        id: known.id,
        name: "ci",
        scope: "red",
        rank: "manage",
        starts_with: api_key.slice(0, 12),
        created_by: "administrator",
        created_at: "1970-01-01T00:00:00.000Z",
        last_used_at: null,
        expires_at: "1970-01-02T00:00:00.000Z"
      })
      assert.match(known.id, /^key-[0-9a-f]{16}$/)
      yield* TestClock.adjust("1 second")
      const bare = (yield* admin("POST", "/api/v1/scopes/red/keys")).body
      assert.strictEqual(bare.name, bare.id)
      assert.deepStrictEqual((yield* admin("GET", "/api/v1/scopes/blue/keys")).body, { keys: [], next_cursor: null })
      const other = (yield* admin("POST", "/api/v1/scopes/green/keys")).body
      const everywhere = (yield* admin("GET", "/api/v1/keys")).body.keys
      assert.sameMembers(everywhere.map(({ scope }: { readonly scope: string }) => scope), ["green", "red", "red"])
      assert.notInclude(JSON.stringify(everywhere), other.api_key)
      assert.strictEqual((yield* send("GET", "/api/v1/tasks", undefined, bearer(api_key))).status, 200)
      const { keys } = (yield* admin("GET", "/api/v1/scopes/red/keys")).body
      assert.deepStrictEqual(keys.map((key: any) => key.id), [bare.id, known.id])
      assert.deepStrictEqual(keys[1], { ...known, last_used_at: "1970-01-01T00:00:01.000Z" })
      const revoked = yield* admin("DELETE", `/api/v1/scopes/red/keys/${known.id}`)
      assert.deepStrictEqual(revoked.body, { message: "Key revoked", id: known.id, scope: "red" })
      const refused = yield* send("GET", "/api/v1/tasks", undefined, bearer(api_key))
      assert.deepStrictEqual([refused.status, refused.headers.get("www-authenticate")], [401, "Bearer"])
      const again = yield* admin("DELETE", `/api/v1/scopes/red/keys/${known.id}`)
      assert.deepStrictEqual([again.status, again.body._tag], [404, "KeyNotFound"])
      assert.strictEqual((yield* admin("DELETE", `/api/v1/scopes/blue/keys/${bare.id}`)).status, 404)
    }))

  it.effect("are not issued with an end in the past, or for an invalid scope", () =>
    Effect.gen(function*() {
      const { admin } = yield* guarded
      const past = yield* admin("POST", "/api/v1/scopes/red/keys", { expires_at: "1970-01-01T00:00:00Z" })
      assert.deepStrictEqual([past.status, past.body._tag], [400, "KeyExpired"])
      assert.strictEqual((yield* admin("POST", "/api/v1/scopes/red/keys", { expires_at: "soon" })).status, 400)
      assert.strictEqual((yield* admin("POST", "/api/v1/scopes/%20/keys")).status, 400)
    }))

  it.effect("D13: a key determines the scope, and no other may be named", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* guarded
      const { api_key } = (yield* admin("POST", "/api/v1/scopes/red/keys")).body
      const draft = yield* send("POST", "/api/v1/drafts", { title: "t", author: "a" }, bearer(api_key))
      assert.strictEqual(draft.body.scope, "red")
      for (const [path, body] of [["/api/v1/drafts?scope=blue", {}], ["/api/v1/drafts", { scope: "blue" }]] as const) {
        const answer = yield* send("POST", path, { title: "t", author: "a", ...body }, bearer(api_key))
        assert.strictEqual(answer.status, 403)
        assert.strictEqual(answer.body.error, "Scope mismatch: authenticated as \"red\" but requested \"blue\"")
      }
      const deleted = yield* send("DELETE", `/api/v1/drafts/${draft.body.id}?scope=blue`, undefined, bearer(api_key))
      assert.strictEqual(deleted.status, 403)
    }))

  it.effect("name the actor in the history, and so does the administrator's secret", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* guarded
      const { api_key } = (yield* admin("POST", "/api/v1/scopes/red/keys", { name: "ann's laptop" })).body
      yield* send("POST", "/api/v1/tasks", { id: "t", file_path: "t.md", branch: "b" }, bearer(api_key))
      yield* admin("POST", "/api/v1/tasks/t/force-queue", { queue: "done", reason: "r" })
      const { history } = (yield* admin("GET", "/api/v1/tasks/t/history")).body
      assert.deepStrictEqual(history.map((entry: any) => entry.actor), ["ann's laptop", "administrator"])
    }))

  it.effect("D11: are rotated by their callers, each machine at its own time", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* guarded
      const { api_key, id } = (yield* admin("POST", "/api/v1/scopes/red/keys", { name: "laptop" })).body
      const other = (yield* admin("POST", "/api/v1/scopes/red/keys")).body.api_key
      const missing = yield* send("POST", rotate("red"))
      assert.deepStrictEqual([missing.status, missing.body.error], [
        401,
        "Authentication required. Provide your current API key in the Authorization header."
      ])
      const mismatch = yield* send("POST", rotate("blue"), undefined, bearer(api_key))
      assert.deepStrictEqual([mismatch.status, mismatch.body.error], [
        403,
        "Scope mismatch: authenticated as \"red\" but rotating key for \"blue\""
      ])
      assert.strictEqual((yield* send("POST", rotate("red"), { overlap_seconds: -1 }, bearer(api_key))).status, 400)
      const rotated = yield* send("POST", rotate("red"), undefined, bearer(api_key))
      assert.strictEqual(rotated.status, 200)
      assert.include(rotated.body, {
        scope: "red",
        name: "laptop",
        previous_expires_at: "1970-01-02T00:00:00.000Z"
      })
      const works = (token: string) =>
        Effect.map(send("GET", "/api/v1/tasks", undefined, bearer(token)), ({ status }) => status === 200)
      assert.isTrue(yield* works(api_key))
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* Effect.forEach([api_key, other, rotated.body.api_key], works), [false, true, true])
      const { keys } = (yield* admin("GET", "/api/v1/scopes/red/keys")).body
      assert.strictEqual(keys.find((key: any) => key.id === rotated.body.id).created_by, id)
      const none = yield* admin("POST", rotate("green"))
      assert.strictEqual(none.status, 404)
      assert.include(none.body.error, "No API key found for this scope")
    }))

  it.effect("C11: the administrator issues a new key for a scope that lost its key", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* guarded
      yield* admin("POST", "/api/v1/orchestrators/register", { ...machine, scope: "red" })
      const replaced = yield* admin("POST", rotate("red"), { overlap_seconds: 0 })
      assert.strictEqual(replaced.body.name, "registration of k-m")
      const used = yield* send("POST", "/api/v1/orchestrators/k-m/heartbeat", undefined, bearer(replaced.body.api_key))
      assert.strictEqual(used.status, 200)
    }))

  it.effect("only known callers learn that an endpoint does not exist", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* guarded
      const open = yield* server.make()
      const path = "/api/v1/nothing"
      assert.strictEqual((yield* send("GET", path)).status, 401)
      assert.strictEqual((yield* send("PUT", "/api/v1/tasks")).status, 401)
      assert.strictEqual((yield* admin("GET", path)).status, 404)
      assert.strictEqual((yield* open.send("GET", path)).status, 404)
      const wrong = yield* open.send("GET", path, undefined, bearer(`oct_${"0".repeat(64)}`))
      assert.deepStrictEqual([wrong.status, wrong.headers.get("www-authenticate")], [401, "Bearer"])
      assert.include(wrong.body.error, "Invalid API key")
    }))

  it.effect("public endpoints ignore the header, and a preflight needs none", () =>
    Effect.gen(function*() {
      const { send } = yield* guarded
      for (const path of ["/", "/api/health", "/openapi.json", "/docs"]) {
        assert.strictEqual((yield* send("GET", path, undefined, { authorization: "nonsense" })).status, 200, path)
      }
      assert.strictEqual((yield* send("GET", "/api/health")).body.access, "keys")
      assert.strictEqual((yield* (yield* server.make()).send("GET", "/api/health")).body.access, "open")
      const preflight = yield* send("OPTIONS", "/api/v1/tasks", undefined, {
        origin: "https://example.com",
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization"
      })
      assert.strictEqual(preflight.status, 204)
      assert.include(preflight.headers.get("access-control-allow-headers"), "authorization")
    }))

  it.effect.each(
    [
      ["192.0.2.1", "192.0.2.1", "192.0.2.2"],
      // Half of an IPv6 address is one customer's.
      ["2001:db8::1", "2001:db8:0:0:ffff:1:2:3", "2001:db8:0:1::1"]
    ] as const
  )(
    "an address with too many wrong keys is answered when to come back: %s",
    ([first, same, other]) =>
      Effect.gen(function*() {
        const { send } = yield* guarded
        let guesses = 0
        const wrong = (address: string) =>
          send("GET", "/api/v1/tasks", undefined, { ...bearer(`oct_${guesses++}`), "cf-connecting-ip": address })
        yield* Effect.forEach(Array.from({ length: 20 }), () => wrong(first))
        const refused = yield* wrong(same)
        assert.deepStrictEqual([refused.status, refused.headers.get("retry-after")], [429, "60"])
        assert.strictEqual((yield* wrong(other)).status, 401)
      })
  )
})

describe("registration", () => {
  it.effect("T5: gives a scope its first key, with 201 and with 200 alike, and no second one", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const register = (rest: object = {}) => send("POST", "/api/v1/orchestrators/register", { ...machine, ...rest })
      const first = yield* register()
      assert.strictEqual(first.status, 201)
      const { keys } = (yield* send("GET", "/api/v1/scopes/default/keys")).body
      assert.include(keys[0], {
        name: "registration of k-m",
        created_by: "k-m",
        starts_with: first.body.api_key.slice(0, 12)
      })
      const second = yield* register({ machine_id: "n" })
      assert.deepStrictEqual([second.status, "api_key" in second.body], [201, false])
      yield* send("DELETE", `/api/v1/scopes/default/keys/${keys[0].id}`)
      const known = yield* register()
      assert.strictEqual(known.status, 200)
      assert.match(known.body.api_key, /^oct_[0-9a-f]{64}$/)
      const used = yield* send("GET", "/api/v1/tasks", undefined, bearer(known.body.api_key))
      assert.strictEqual(used.status, 200)
    }))

  it.effect("B7: of many first registrations at once, one gets the key and all succeed", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const answers = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, i) => i % 5),
        (i) => send("POST", "/api/v1/orchestrators/register", { cluster: "k", machine_id: `m${i}` }),
        { concurrency: "unbounded" }
      )
      assert.isTrue(answers.every(({ status }) => status < 300))
      assert.strictEqual(answers.filter(({ body }) => body.api_key !== undefined).length, 1)
    }))

  it.effect("D5: a machine with a name from another scope changes nothing there, and a refused registration issues no key", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      yield* send("POST", "/api/v1/orchestrators/register", { ...machine, scope: "red" })
      const twin = yield* send("POST", "/api/v1/orchestrators/register", { ...machine, scope: "blue", version: "2" })
      assert.deepStrictEqual([twin.status, typeof twin.body.api_key], [201, "string"])
      assert.include((yield* send("GET", "/api/v1/orchestrators/k-m?scope=red")).body, { scope: "red", version: null })
      const ambiguous = { cluster: "k-m", machine_id: "n", scope: "green" }
      yield* send("POST", "/api/v1/orchestrators/register", ambiguous)
      const { keys } = (yield* send("GET", "/api/v1/scopes/green/keys")).body
      yield* send("DELETE", `/api/v1/scopes/green/keys/${keys[0].id}`)
      const taken = yield* send("POST", "/api/v1/orchestrators/register", {
        cluster: "k",
        machine_id: "m-n",
        scope: "green"
      })
      assert.deepStrictEqual([taken.status, taken.body._tag], [409, "OrchestratorTaken"])
      assert.deepStrictEqual((yield* send("GET", "/api/v1/scopes/green/keys")).body.keys, [])
    }))

  it.effect("D6: with a secret nobody can take over a scope without a key", () =>
    Effect.gen(function*() {
      const { admin, send } = yield* guarded
      const body = { ...machine, scope: "red" }
      assert.strictEqual((yield* send("POST", "/api/v1/orchestrators/register", body)).status, 401)
      const { api_key } = (yield* admin("POST", "/api/v1/scopes/blue/keys")).body
      assert.strictEqual((yield* send("POST", "/api/v1/orchestrators/register", body, bearer(api_key))).status, 403)
      assert.isString((yield* admin("POST", "/api/v1/orchestrators/register", body)).body.api_key)
    }))

  it.effect("8.1#8: keeps the id and the limits of a machine, even if its other names change", () =>
    Effect.gen(function*() {
      const { send } = yield* server.make()
      const sent = { cluster: "default", machine_id: "host", id: "host", max_agents: 3, max_claimed: 2 }
      yield* send("POST", "/api/v1/orchestrators/register", sent)
      const renamed = yield* send("POST", "/api/v1/orchestrators/register", { ...sent, cluster: "lab", max_claimed: 5 })
      assert.deepStrictEqual([renamed.status, renamed.body.orchestrator_id], [200, "host"])
      const found = (yield* send("GET", "/api/v1/orchestrators/host")).body
      assert.include(found, { cluster: "lab", machine_id: "host", max_agents: 3, max_claimed: 5 })
      const negative = yield* send("POST", "/api/v1/orchestrators/register", { ...sent, max_claimed: -1 })
      assert.strictEqual(negative.status, 400)
    }))

  it.live("the typed client sends its token, and decodes the refusals", () =>
    Effect.gen(function*() {
      const { connect, withFetch } = yield* guarded
      yield* withFetch(Effect.gen(function*() {
        const admin = yield* connect({ token: Secret })
        const { api_key } = yield* admin.keys.issue({ params: { scope: "red" }, payload: {} })
        const red = yield* connect({ token: api_key })
        const { created_at } = yield* red.drafts.create({ query: {}, payload: { title: "t", author: "a" } })
        assert.isTrue(DateTime.isDateTime(created_at))
        const refused = yield* Effect.flip(red.keys.list({ params: { scope: "red" }, query: {} }))
        assert.instanceOf(refused, client.AdministratorRequired)
        const elsewhere = yield* Effect.flip(red.drafts.list({ query: { scope: "blue" } }))
        assert.instanceOf(elsewhere, client.ScopeMismatch)
        const nobody = yield* connect()
        assert.instanceOf(yield* Effect.flip(nobody.drafts.list({ query: {} })), client.Unauthorized)
      }))
    }))
})
