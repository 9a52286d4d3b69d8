/** A provider's limit parks an account: its claims get nothing until it is over, and its task is for others at once. */
import type { D1Database } from "@cloudflare/workers-types"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const at = (seconds: number) => DateTime.formatIso(DateTime.makeUnsafe(seconds * 1000))

const startOn = Effect.fnUntraced(function*(wrapped: (db: D1Database) => object) {
  const { db, raw } = migrated()
  const { send } = yield* server.make({ BACKOFF_SECONDS: "60" }, () => wrapped(db) as D1Database)
  const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    send("POST", `/api/v1/${path}`, body, headers)
  const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* post("tasks", { id: "a", file_path: "a", branch: "b" })
  const claim = (rest: object = {}) => post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", ...rest })
  const park = (rest: object = {}, headers?: Record<string, string>) =>
    post("tasks/a/park", { account: "max-1", until: at(3600), fencing_token: 1, ...rest }, headers)
  const parked = () => raw.prepare("SELECT account, until FROM parked_accounts ORDER BY account").all()
  return { claim, get, park, parked, post, raw, send }
})

const start = startOn((db) => db)

describe("a parked account", () => {
  it.effect("claims nothing until the time that was given, while others get its task at once, untried", () =>
    Effect.gen(function*() {
      const { claim, get, park } = yield* start
      yield* claim({ account: "max-1" })
      const answer = yield* park({ reason: "weekly limit" })
      assert.deepInclude(answer.body, { queue: "incoming", claimed_by: null, attempt_count: 0, available_at: null })
      const { history } = yield* get("tasks/a/history")
      assert.deepInclude(history.at(-1), {
        event: "parked",
        actor: "ann",
        reason: "weekly limit",
        details: { account: "max-1", until: at(3600) }
      })
      assert.strictEqual(history.at(-2).details.account, "max-1")
      const empty = yield* claim({ account: "max-1" })
      assert.strictEqual(empty.status, 404)
      assert.deepInclude(empty.body, { reason: "account_parked", retry_after_seconds: 3600, parked_until: at(3600) })
      assert.strictEqual(empty.headers.get("retry-after"), "3600")
      const explained = yield* get("tasks/a/explain?account=max-1")
      assert.deepInclude(explained.reasons[0], { reason: "account_parked", blocking: true, until: at(3600) })
      assert.isTrue((yield* get("tasks/a/explain?account=max-2")).claimable)
      assert.strictEqual((yield* claim({ account: "max-2" })).body.fencing_token, 2)
      assert.strictEqual((yield* claim({ account: "max-1" })).body.reason, "account_parked")
    }))

  it.effect("claims again when the time is over", () =>
    Effect.gen(function*() {
      const { claim, park, parked } = yield* start
      yield* claim()
      yield* park()
      yield* TestClock.adjust("3599 seconds")
      assert.strictEqual((yield* claim({ account: "max-1" })).body.retry_after_seconds, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* claim({ account: "max-1" })).body.id, "a")
      yield* park({ account: "max-2", until: at(7200), fencing_token: 2 })
      assert.deepStrictEqual(parked().map(({ account }) => account), ["max-2"], "a park that has ended is removed")
    }))

  it.effect("is parked by the holder only, once under a key, and not for longer than a month", () =>
    Effect.gen(function*() {
      const { claim, get, park, parked } = yield* start
      assert.strictEqual((yield* park({ fencing_token: null })).status, 409)
      yield* claim()
      assert.strictEqual((yield* park({ fencing_token: 9 })).status, 409)
      assert.strictEqual((yield* park({ until: at(32 * 86_400) })).status, 400)
      assert.deepStrictEqual(parked(), [])
      const key = { "idempotency-key": "p" }
      yield* park({}, key)
      assert.strictEqual((yield* park({}, key)).body.version, (yield* get("tasks/a")).version)
      assert.lengthOf(parked(), 1)
    }))

  it.effect("is the reason of an empty claim, also if it is unparked before the claim is explained", () =>
    Effect.gen(function*() {
      let afterBatch: (() => void) | undefined
      const { claim, park, raw } = yield* startOn((db) => ({
        prepare: (text: string) => db.prepare(text),
        batch: async (statements: any) => {
          const answers = await db.batch(statements)
          afterBatch?.()
          return answers
        }
      }))
      yield* claim({ account: "max-1" })
      yield* park()
      afterBatch = () => raw.exec("DELETE FROM parked_accounts")
      const empty = yield* claim({ account: "max-1" })
      assert.deepInclude(empty.body, { reason: "account_parked", parked_until: at(3600) })
      assert.strictEqual((yield* claim({ account: "max-1" })).body.id, "a")
    }))

  it.effect("of a task that is to be cancelled is parked too, and a review stays in its queue", () =>
    Effect.gen(function*() {
      const { claim, park, parked, post } = yield* start
      yield* claim()
      yield* post("tasks/a/cancel")
      assert.strictEqual((yield* park()).body.queue, "cancelled")
      assert.lengthOf(parked(), 1)
      yield* post("tasks/a/force-queue", { queue: "provisional", reason: "r" })
      yield* claim({ queue: "provisional" })
      assert.deepInclude((yield* park({ fencing_token: 2 })).body, { queue: "provisional", claimed_by: null })
    }))
})
