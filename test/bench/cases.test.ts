/** The cases of the benchmark: every endpoint has one, and each is answered as it should be on a database as it is filled. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { setupOf } from "../../bench/Case.ts"
import { all } from "../../bench/Cases.ts"
import * as Seed from "../../bench/Seed.ts"
import { migrated } from "../support/layers.ts"
import { violationsOf } from "../support/Leftover.ts"
import * as server from "../support/server.ts"

const size = { depth: 100, history: 1000 }

describe("the benchmark", () => {
  it.live("fills a database as described", () =>
    Effect.gen(function*() {
      const database = migrated()
      yield* Effect.promise(() => Seed.seed(database, size))
      const count = (what: string) => Number(database.raw.prepare(`SELECT count(*) AS n FROM ${what}`).get()!["n"])
      assert.strictEqual(count("tasks WHERE queue = 'incoming'"), size.depth)
      assert.strictEqual(count("tasks WHERE blocked_by IS NOT NULL"), size.depth / 10)
      assert.closeTo(count("history"), size.history, 3)
      yield* Effect.promise(() => Seed.expire(database, 20))
      assert.strictEqual(count(`tasks WHERE lease_expires_at <= ${Date.now()}`), 20)
    }))

  it.live("has a case for each endpoint, with the expected answer", () =>
    Effect.gen(function*() {
      const database = migrated()
      yield* Effect.promise(() => Seed.seed(database, size))
      const { send } = yield* server.make({}, () => database.db)
      const runPromise = Effect.runPromiseWith(yield* Effect.context<never>())
      const ask = ({ body, headers, key, method, path }: Parameters<Parameters<typeof setupOf>[0]>[0]) =>
        runPromise(
          send(method, path, body, { ...headers, ...(key === undefined ? {} : { "idempotency-key": key }) })
        )
      const setup = setupOf(ask)
      for (const { endpoint, method, prepare, status, variant } of all()) {
        const call = { ...yield* Effect.promise(async () => prepare(setup)), method }
        const answer = yield* Effect.promise(() => ask(call))
        const expected = status ?? (answer.status < 300 ? answer.status : "a success")
        assert.strictEqual(answer.status, expected, `${endpoint} ${variant ?? ""}: ${JSON.stringify(answer.body)}`)
      }
      assert.deepStrictEqual(violationsOf(database.raw), [])
    }))
})
