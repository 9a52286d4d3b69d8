/** Every POST under an idempotency key: repeated, it has one effect and the same answer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { endpoints } from "../../src/http/Endpoints.ts"
import { table } from "../support/access.ts"
import * as Faulty from "../support/Faulty.ts"
import * as server from "../support/server.ts"

const posts = endpoints.filter(({ method }) => method === "POST").map(({ method, path }) => `${method} ${path}`)
const Secret = "a secret of the server"
const bearer = { authorization: `Bearer ${Secret}` }
const under = (key: string) => ({ ...bearer, "idempotency-key": key })
const shown = ({ body, status }: server.Answer) => ({ status, body })

/** A server with a secret, what the row of an endpoint asks it for, and all there is in its database. */
const asked = Effect.fnUntraced(function*(name: string) {
  const faulty = Faulty.make()
  const { send } = yield* server.make({ API_SECRET_KEY: Secret }, faulty.open)
  const admin = (method: string, path: string, body?: unknown) =>
    Effect.map(send(method, path, body, bearer), ({ body }) => body)
  // Every scope has a key, as on a server that is in use.
  yield* admin("POST", "/api/v1/scopes/red/keys")
  const question = table[name]!.ask("red", admin)
  const [path, body] = Effect.isEffect(question) ? yield* question : question
  const ask = (headers: Record<string, string>, changed: unknown = body) => send("POST", path, changed, headers)
  return { ...faulty, ask, body, path, send, everything: () => Faulty.everything(faulty.raw) }
})

describe("every POST", () => {
  it("is one of those that are tested here", () => {
    assert.isAtLeast(posts.length, 19)
    assert.includeMembers(Object.keys(table), posts)
  })

  it.effect.each(posts)(
    "%s: repeated under its key it has one effect and the same answer",
    (name) =>
      Effect.gen(function*() {
        const { ask, everything } = yield* asked(name)
        const first = yield* ask(under("k"))
        assert.strictEqual(first.status, table[name]!.success, JSON.stringify(first.body))
        assert.isNull(first.headers.get("idempotent-replayed"))
        const after = everything()
        assert.lengthOf(after.idempotency_keys!, 1)
        yield* TestClock.adjust("5 seconds")
        const second = yield* ask(under("k"))
        assert.deepStrictEqual(shown(second), shown(first))
        assert.strictEqual(second.headers.get("idempotent-replayed"), "true")
        assert.deepStrictEqual(everything(), after)
      })
  )

  it.effect.each(posts)("%s: another body under the key is refused", (name) =>
    Effect.gen(function*() {
      const { ask, body, everything } = yield* asked(name)
      yield* ask(under("k"))
      const after = everything()
      const changed = body === undefined ? {} : { ...body as object, unknown_to_the_server: 1 }
      const refused = yield* ask(under("k"), changed)
      assert.strictEqual(refused.status, 422, JSON.stringify(refused.body))
      assert.strictEqual(refused.body._tag, "IdempotencyKeyReused")
      assert.isNull(refused.headers.get("idempotent-replayed"))
      assert.deepStrictEqual(everything(), after)
    }))

  it.effect.each(posts)("%s: two at once have one effect and one answer", (name) =>
    Effect.gen(function*() {
      const { ask, everything } = yield* asked(name)
      const [one, two] = yield* Effect.all([ask(under("k")), ask(under("k"))], { concurrency: 2 })
      assert.deepStrictEqual(shown(one), shown(two))
      assert.strictEqual(one.status, table[name]!.success)
      const replayed = [one, two].filter(({ headers }) => headers.get("idempotent-replayed") === "true")
      assert.lengthOf(replayed, 1)
      assert.lengthOf(everything().idempotency_keys!, 1)
    }))

  it.effect.each(posts)(
    "%s: a lost answer is got by asking again, a lost request is made by it",
    (name) =>
      Effect.gen(function*() {
        const { ask, everything, faults } = yield* asked(name)
        faults.push("lost request")
        assert.strictEqual((yield* ask(under("k"))).status, 500)
        assert.lengthOf(everything().idempotency_keys!, 0)
        // The batch with the effect is the last one of a request, and force-queue has one before that.
        if (name.endsWith("force-queue")) {
          yield* Effect.sync(() => faults.push(...[undefined as never, "lost answer" as const]))
        } else faults.push("lost answer")
        assert.strictEqual((yield* ask(under("k"))).status, 500)
        const after = everything()
        assert.lengthOf(after.idempotency_keys!, 1)
        yield* TestClock.adjust("5 seconds")
        const again = yield* ask(under("k"))
        assert.strictEqual(again.status, table[name]!.success, JSON.stringify(again.body))
        assert.strictEqual(again.headers.get("idempotent-replayed"), "true")
        assert.deepStrictEqual(everything(), after)
      })
  )

  it.effect.each(posts)("%s: a key that is none is refused before anything happens", (name) =>
    Effect.gen(function*() {
      const { ask, everything } = yield* asked(name)
      const before = everything()
      for (const key of ["", "k".repeat(256), "schlüssel"]) {
        const refused = yield* ask(under(key))
        assert.strictEqual(refused.status, 400, key)
        assert.strictEqual(refused.body._tag, "InvalidRequest")
        assert.deepStrictEqual(refused.body.issues[0].path, ["headers", "Idempotency-Key"])
      }
      assert.deepStrictEqual(everything(), before)
    }))
})
