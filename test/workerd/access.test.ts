/** Keys in workerd: end to end on D1, how they end, and the platform's rate limiter. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Workerd } from "../support/harness.ts"

const Secret = "a secret of the server"
const unknown = `oct_${"0".repeat(64)}`

layer(Workerd.layerWith({ API_SECRET_KEY: Secret }), { excludeTestServices: true, timeout: "10 minutes" })(
  "access in workerd",
  (it) => {
    it.effect("a scope's key opens the scope", () =>
      Effect.gen(function*() {
        const { send } = yield* Workerd
        assert.strictEqual((yield* send("GET", "/api/health")).body.access, "keys")
        const machine = { scope: "red", cluster: "k", machine_id: "m" }
        assert.strictEqual((yield* send("POST", "/api/v1/orchestrators/register", machine)).status, 401)
        const { api_key } = (yield* send("POST", "/api/v1/orchestrators/register", machine, Secret)).body
        const beat = send("POST", "/api/v1/orchestrators/k-m/heartbeat", undefined, api_key)
        assert.strictEqual((yield* beat).status, 200)
        assert.strictEqual((yield* beat).status, 200)
        assert.strictEqual((yield* send("GET", "/api/v1/tasks?scope=blue", undefined, api_key)).status, 403)
      }))

    it.effect("a key rotates, and a revoked one is refused", () =>
      Effect.gen(function*() {
        const { send } = yield* Workerd
        const { api_key } = (yield* send("POST", "/api/v1/scopes/blue/keys", { name: "ci" }, Secret)).body
        const rotated = yield* send("POST", "/api/v1/orchestrators/scopes/blue/rotate-key", undefined, api_key)
        assert.strictEqual(rotated.status, 200)
        assert.strictEqual((yield* send("GET", "/api/v1/drafts", undefined, api_key)).status, 200)
        const { id } = rotated.body
        assert.strictEqual((yield* send("DELETE", `/api/v1/scopes/blue/keys/${id}`, undefined, Secret)).status, 200)
        assert.strictEqual((yield* send("GET", "/api/v1/drafts", undefined, rotated.body.api_key)).status, 401)
        const { keys } = (yield* send("GET", "/api/v1/scopes/blue/keys", undefined, Secret)).body
        assert.strictEqual(keys.length, 1)
      }))

    it.effect("a key that ends in another isolate is refused by the batch of its next request, which changes nothing", () =>
      Effect.gen(function*() {
        const { database, send } = yield* Workerd
        const db = database
        const drafts = Effect.promise(() =>
          db.prepare("SELECT count(*) AS n FROM drafts WHERE scope = 'green'").first("n")
        )
        for (const end of ["UPDATE api_keys SET expires_at = 1 WHERE id = ?", "DELETE FROM api_keys WHERE id = ?"]) {
          const { api_key, id } = (yield* send("POST", "/api/v1/scopes/green/keys", {}, Secret)).body
          const draft = send("POST", "/api/v1/drafts", { title: "t", author: "a" }, api_key)
          assert.strictEqual((yield* draft).status, 201)
          const before = yield* drafts
          yield* Effect.promise(() => db.prepare(end).bind(id).run())
          const refused = yield* draft
          assert.deepStrictEqual([refused.status, refused.body._tag], [401, "Unauthorized"])
          assert.strictEqual(yield* drafts, before)
        }
      }))

    // The last: from here on this address is refused.
    it.effect("the rate limiter refuses an address after 20 wrong keys, and no other", () =>
      Effect.gen(function*() {
        const { fetch, send } = yield* Workerd
        const tries = Effect.forEach(
          // Enough for more than the limit in one minute of the limiter, wherever that minute begins.
          Array.from({ length: 60 }),
          (_, i) => send("GET", "/api/v1/tasks", undefined, `${unknown}${i}`)
        )
        const answers = yield* tries
        const refused = answers.filter(({ status }) => status === 429)
        assert.strictEqual(answers[0]!.status, 401)
        assert.isAtLeast(refused.length, 5)
        assert.isAtMost(refused.at(-1)!.body.retry_after_seconds, 60)
        assert.strictEqual((yield* send("GET", "/api/v1/tasks", undefined, Secret)).status, 429)
        const elsewhere = yield* Effect.promise(() =>
          fetch("http://localhost/api/v1/tasks", {
            headers: { authorization: `Bearer ${Secret}`, "cf-connecting-ip": "192.0.2.9" }
          })
        )
        assert.strictEqual(elsewhere.status, 200)
      }))
  }
)
