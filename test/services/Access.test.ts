/** Who a token stands for, for how long, and what finding that out costs. Real SQL, virtual time. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import type { Caller } from "../../src/domain/access/Caller.ts"
import { Access } from "../../src/services/access/Access.ts"
import { Keys } from "../../src/services/access/Keys.ts"
import { KnownKeys } from "../../src/services/access/KnownKeys.ts"
import { CurrentCost, Database, noCost, Riders } from "../../src/sql/Database.ts"
import { servicesWith } from "../support/layers.ts"

const Secret = "a secret of the server"
const Protected = servicesWith({ API_SECRET_KEY: Secret })
const Open = servicesWith({})
const administrator: Caller["Service"] = { kind: "administrator" }

/** A request as the HTTP layer starts one: who sends it, and after its one batch what that cost. */
const request = Effect.fnUntraced(function*(authorization: string | undefined, address = "192.0.2.1") {
  const { authenticate } = yield* Access
  const { batch, sql } = yield* Database
  const cost = noCost()
  const outcome = yield* authenticate({ authorization, address }).pipe(
    Effect.tap(() => batch([sql`SELECT 1`])),
    Effect.match({
      onSuccess: (caller) => ({ who: caller.kind === "key" ? caller.scope : caller.kind, error: "" }),
      onFailure: ({ _tag, error }) => ({ who: _tag, error })
    }),
    Effect.provideService(CurrentCost, cost),
    Effect.provideService(Riders, [])
  )
  return { ...outcome, trips: cost.trips }
})

const who = (authorization: string | undefined, address?: string) =>
  Effect.map(request(authorization, address), ({ who }) => who)

const issue = (scope: string, rest: object = {}) =>
  Effect.map(Keys.use((keys) => keys.issue(scope, rest, administrator)), (key) => ({
    ...key,
    bearer: `Bearer ${key.api_key}`
  }))

/** As another isolate would do it: this one does not hear of it. */
const revokeElsewhere = (id: string) =>
  Database.use(({ batch, sql }) => batch([sql`DELETE FROM api_keys WHERE id = ${id}`]))

const unknown = `oct_${"0".repeat(64)}`

describe("Access", () => {
  it.effect.each(
    [
      [Protected, undefined, "Authentication required. Send your API key as a bearer token."],
      [Protected, "Basic abc", "Invalid Authorization header. Expected: Bearer <api_key>"],
      [Protected, "Bearer", "Invalid Authorization header. Expected: Bearer <api_key>"],
      [Protected, "Bearer abc", "Invalid API key format. Keys must start with oct_"],
      [Protected, `Bearer ${Secret}!`, "Invalid API key format. Keys must start with oct_"],
      [Protected, `Bearer ${unknown}`, "Invalid API key. Ask the administrator for a new one."],
      [Open, "Basic abc", "Invalid Authorization header. Expected: Bearer <api_key>"],
      [Open, `Bearer ${Secret}`, "Invalid API key format. Keys must start with oct_"],
      [Open, `Bearer ${unknown}`, "Invalid API key. Ask the administrator for a new one."]
    ] as const
  )("D1: refuses %#", ([layer, authorization, sentence]) =>
    Effect.gen(function*() {
      assert.deepInclude(yield* request(authorization), { who: "Unauthorized", error: sentence })
    }).pipe(Effect.provide(layer)))

  it.effect("D1: recognises the administrator by the secret, and a scope by its key; the scheme may have any case", () =>
    Effect.gen(function*() {
      const { api_key } = yield* issue("red")
      assert.match(api_key, /^oct_[0-9a-f]{64}$/)
      assert.strictEqual(yield* who(`bearer ${Secret}`), "administrator")
      assert.strictEqual(yield* who(`BEARER  ${api_key}`), "red")
    }).pipe(Effect.provide(Protected)))

  it.effect("an open server answers requests without a key, and a key still limits its caller", () =>
    Effect.gen(function*() {
      const { bearer } = yield* issue("red")
      assert.strictEqual(yield* who(undefined), "anonymous")
      assert.strictEqual(yield* who(""), "anonymous")
      assert.strictEqual(yield* who(bearer), "red")
    }).pipe(Effect.provide(Open)))

  it.effect("F4: a key in use costs no round trip and one write an hour", () =>
    Effect.gen(function*() {
      const { bearer } = yield* issue("red")
      const lastUsed = Effect.map(Keys.use((keys) => keys.list("red")), ([key]) =>
        DateTime.toEpochMillis(key!.last_used_at!))
      yield* TestClock.adjust("1 day")
      const start = 86_400_000
      assert.strictEqual((yield* request(bearer)).trips, 2)
      for (let second = 7; second <= 7200; second += 7) {
        yield* TestClock.adjust("7 seconds")
        assert.deepInclude(yield* request(bearer), { who: "red", trips: 1 })
        // What was written last is never older than an hour and the next check after it.
        const age = start + second * 1000 - (yield* lastUsed)
        assert.isTrue(second < 3600 ? age === second * 1000 : age < 3_622_000, `${second} s: ${age}`)
      }
    }).pipe(Effect.provide(Protected)))

  it.effect("a key that was revoked in another isolate stops working within 30 seconds", () =>
    Effect.gen(function*() {
      const { authenticate } = yield* Access
      const { bearer, id } = yield* issue("red")
      const idle = Effect.result(authenticate({ authorization: bearer, address: "" }))
      assert.strictEqual((yield* idle)._tag, "Success")
      yield* revokeElsewhere(id)
      yield* TestClock.adjust("29999 millis")
      assert.strictEqual((yield* idle)._tag, "Success")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* idle)._tag, "Failure")
    }).pipe(Effect.provide(Protected)))

  it.effect("if the check in a batch finds the key gone, the next request is refused", () =>
    Effect.gen(function*() {
      const { bearer, id } = yield* issue("red")
      yield* request(bearer)
      yield* revokeElsewhere(id)
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(yield* who(bearer), "red")
      assert.strictEqual(yield* who(bearer), "Unauthorized")
    }).pipe(Effect.provide(Protected)))

  it.effect("if a batch with a check fails, the key is checked again later", () =>
    Effect.gen(function*() {
      const { authenticate } = yield* Access
      const { atomic, sql } = yield* Database
      const { bearer, id } = yield* issue("red")
      yield* request(bearer)
      yield* TestClock.adjust("20 seconds")
      const failing = authenticate({ authorization: bearer, address: "" }).pipe(
        Effect.andThen(atomic([sql`INSERT INTO api_keys SELECT * FROM api_keys WHERE id = ${id}`])),
        Effect.provideService(Riders, [])
      )
      assert.strictEqual((yield* Effect.flip(failing))._tag, "UniqueViolation")
      yield* TestClock.adjust("10 seconds")
      assert.deepInclude(yield* request(bearer), { who: "red", trips: 2 })
    }).pipe(Effect.provide(Protected)))

  it.effect("a key that was revoked here stops working at once", () =>
    Effect.gen(function*() {
      const { bearer, id } = yield* issue("red")
      yield* request(bearer)
      yield* Keys.use((keys) => keys.revoke("red", id, administrator))
      assert.strictEqual(yield* who(bearer), "Unauthorized")
    }).pipe(Effect.provide(Protected)))

  it.effect("an answer that was under way when the key changed is not used", () =>
    Effect.gen(function*() {
      const { authenticate } = yield* Access
      const { batch, sql } = yield* Database
      const known = yield* KnownKeys
      const { bearer, id } = yield* issue("red")
      yield* request(bearer)
      yield* TestClock.adjust("20 seconds")
      // The revocation happens between the database's answer and its arrival here.
      const first = { statements: [], done: () => known.forget("red", id) }
      yield* authenticate({ authorization: bearer, address: "" }).pipe(
        Effect.andThen(batch([sql`SELECT 1`])),
        Effect.provideService(Riders, [first])
      )
      yield* revokeElsewhere(id)
      assert.strictEqual(yield* who(bearer), "Unauthorized")
    }).pipe(Effect.provide(KnownKeys.layer.pipe(Layer.provideMerge(Protected)))))

  it.effect("a key ends when it expires, even if it was checked just before", () =>
    Effect.gen(function*() {
      const { bearer } = yield* issue("red", { expires_at: DateTime.makeUnsafe(10_000) })
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual(yield* who(bearer), "red")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* who(bearer), "Unauthorized")
    }).pipe(Effect.provide(Protected)))

  it.effect("D11: a rotated key works for the overlap, and not beyond its own end", () =>
    Effect.gen(function*() {
      const keys = yield* Keys
      const old = yield* issue("red", { name: "laptop" })
      const by: Caller["Service"] = { kind: "key", scope: "red", id: old.id, name: old.name, rank: "manage" }
      const renewed = yield* keys.rotate("red", { overlap_seconds: 60 }, by)
      assert.strictEqual(renewed.name, "laptop")
      assert.strictEqual(DateTime.toEpochMillis(renewed.previous_expires_at), 60_000)
      // The answer was lost: the old key can be rotated once more, and its successor lasts.
      yield* TestClock.adjust("30 seconds")
      const again = yield* keys.rotate("red", {}, by)
      assert.strictEqual(DateTime.toEpochMillis(again.previous_expires_at), 60_000)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* who(old.bearer), "Unauthorized")
      yield* TestClock.adjust("30 days")
      assert.strictEqual(yield* who(`Bearer ${renewed.api_key}`), "red")
      assert.strictEqual(yield* who(`Bearer ${again.api_key}`), "red")
      assert.strictEqual((yield* Effect.flip(keys.rotate("red", {}, by)))._tag, "Unauthorized")
    }).pipe(Effect.provide(Protected)))

  it.effect("a rotation does not extend the end of a key", () =>
    Effect.gen(function*() {
      const keys = yield* Keys
      const old = yield* issue("red", { expires_at: DateTime.makeUnsafe(50_000) })
      const by: Caller["Service"] = { kind: "key", scope: "red", id: old.id, name: old.name, rank: "manage" }
      const renewed = yield* keys.rotate("red", {}, by)
      assert.strictEqual(DateTime.toEpochMillis(renewed.previous_expires_at), 50_000)
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(yield* who(`Bearer ${renewed.api_key}`), "Unauthorized")
    }).pipe(Effect.provide(Protected)))

  it.effect("a rotation without overlap ends the old key at once; the administrator names one of several keys", () =>
    Effect.gen(function*() {
      const keys = yield* Keys
      const [one, two, other] = [yield* issue("red"), yield* issue("red"), yield* issue("blue")]
      yield* Effect.forEach([one, two, other], ({ bearer }) => request(bearer))
      const which = yield* Effect.flip(keys.rotate("red", { overlap_seconds: 0 }, administrator))
      assert.strictEqual(which._tag, "KeyAmbiguous")
      yield* Effect.forEach(Array.from({ length: 22 }), () => issue("yellow"))
      const many = yield* Effect.flip(keys.rotate("yellow", {}, administrator))
      assert.include(many.error, "The scope has 22 keys.")
      assert.lengthOf(many._tag === "KeyAmbiguous" ? many.ids : [], 20)
      const stranger = yield* Effect.flip(keys.rotate("red", { key_id: other.id }, administrator))
      assert.strictEqual(stranger._tag, "KeyNotFound")
      const { api_key } = yield* keys.rotate("red", { overlap_seconds: 0, key_id: one.id }, administrator)
      const { api_key: last } = yield* keys.rotate("blue", { overlap_seconds: 0 }, administrator)
      assert.strictEqual(yield* who(`Bearer ${last}`), "blue")
      const reached = yield* Effect.forEach(
        [one.bearer, two.bearer, other.bearer, `Bearer ${api_key}`],
        (bearer) => who(bearer)
      )
      assert.deepStrictEqual(reached, ["Unauthorized", "red", "Unauthorized", "red"])
      const none = yield* Effect.flip(keys.rotate("green", {}, administrator))
      assert.include(none.error, "No API key found for this scope")
    }).pipe(Effect.provide(Protected)))

  it.effect("an address with 20 failures in a minute is refused, except for keys that this isolate has seen", () =>
    Effect.gen(function*() {
      const [seen, fresh] = [yield* issue("red"), yield* issue("red")]
      assert.strictEqual(yield* who(seen.bearer), "red")
      yield* TestClock.adjust("40 seconds")
      // A stale key that is sent over and over is one failure, and is not looked up again.
      for (let i = 0; i < 50; i++) {
        assert.deepInclude(yield* request(`Bearer ${unknown}`), { who: "Unauthorized", trips: i === 0 ? 1 : 0 })
      }
      for (let i = 1; i < 20; i++) {
        assert.deepInclude(yield* request(`Bearer ${unknown}${i}`), { who: "Unauthorized", trips: 1 })
      }
      assert.strictEqual(yield* who("Bearer guess"), "TooManyFailures")
      assert.deepInclude(yield* request(fresh.bearer), { who: "TooManyFailures", trips: 0 })
      assert.deepInclude(yield* request(seen.bearer), { who: "red", trips: 2 })
      assert.strictEqual(yield* who(`Bearer ${Secret}`), "TooManyFailures")
      assert.strictEqual(yield* who(fresh.bearer, "192.0.2.2"), "red")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* who(fresh.bearer), "red")
    }).pipe(Effect.provide(Protected)))

  it.effect("a refused token is looked up again after a minute, however often it was sent", () =>
    Effect.gen(function*() {
      const { bearer, id } = yield* issue("red")
      // As a restored backup brings a key back.
      const move = (from: string, to: string) =>
        Database.use(({ batch, sql }) =>
          batch([sql`UPDATE api_keys SET hash = replace(hash, ${from}, ${to}) WHERE id = ${id}`])
        )
      const hash = yield* Effect.map(
        Database.use(({ batch, sql }) => batch([sql`SELECT hash FROM api_keys WHERE id = ${id}`])),
        ([rows]) => String(rows![0]!.hash)
      )
      yield* move(hash, "away")
      assert.deepInclude(yield* request(bearer), { who: "Unauthorized", trips: 1 })
      yield* move("away", hash)
      for (let second = 0; second < 59; second++) {
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* request(bearer), { who: "Unauthorized", trips: 0 })
      }
      yield* TestClock.adjust("999 millis")
      assert.deepInclude(yield* request(bearer), { who: "Unauthorized", trips: 0 })
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* request(bearer), { who: "red" })
    }).pipe(Effect.provide(Protected)))

  it.effect("valid keys are never counted", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 50; i++) assert.strictEqual(yield* who((yield* issue("red")).bearer), "red")
      assert.strictEqual(yield* who(`Bearer ${unknown}`), "Unauthorized")
    }).pipe(Effect.provide(Protected)))

  it.effect("refuses to start with a short secret, without showing it", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Effect.provide(Access, servicesWith({ API_SECRET_KEY: "tiny-secret" })))
      assert.include(String(failure), "API_SECRET_KEY")
      assert.include(String(failure), "at least 16 characters")
      assert.notInclude(String(failure), "tiny-secret")
    }))
})
