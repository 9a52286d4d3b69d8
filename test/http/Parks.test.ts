/** Operators see which accounts are parked, and unpark them. A later request never shortens a park. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { MaxParked, MaxParks } from "../../src/domain/lease/Park.ts"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const iso = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))
const at = (seconds: number) => iso(seconds * 1000)

const start = Effect.gen(function*() {
  const { db, raw } = migrated()
  const { send } = yield* server.make({}, () => db)
  const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    send("POST", `/api/v1/${path}`, body, headers)
  const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* post("tasks", { id: "a", file_path: "a", branch: "b" })
  const claim = (rest: object = {}) => post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", ...rest })
  /** Claims the task and parks the account. */
  const park = (account: string, until: string, rest: object = {}) =>
    Effect.gen(function*() {
      const { body } = yield* claim()
      return yield* post("tasks/a/park", { account, until, fencing_token: body.fencing_token, ...rest })
    })
  const parks = Effect.map(get("parks"), ({ parks }) => parks)
  const unpark = (account: string, query = "") => send("DELETE", `/api/v1/parks/${encodeURIComponent(account)}${query}`)
  return { claim, get, park, parks, post, raw, send, unpark }
})

describe("the parked accounts of a scope", () => {
  it.effect("are listed with who parked them for which task, when and why, the first to end first", () =>
    Effect.gen(function*() {
      const { get, park, parks } = yield* start
      assert.deepStrictEqual(yield* get("parks"), { scope: "default", parks: [] })
      yield* park("max/1", at(7200), { reason: "weekly limit" })
      yield* TestClock.adjust("1 minute")
      yield* park("max 2", at(3600), { parked_by: "eve" })
      assert.deepStrictEqual(yield* parks, [
        { account: "max 2", until: at(3600), task_id: "a", parked_by: "eve", parked_at: at(60), reason: null },
        { account: "max/1", until: at(7200), task_id: "a", parked_by: "ann", parked_at: at(0), reason: "weekly limit" }
      ])
      yield* TestClock.adjust("3540 seconds")
      assert.deepStrictEqual((yield* parks).map(({ account }: any) => account), ["max/1"], "a park that is over")
      assert.deepStrictEqual((yield* get("parks?scope=other")).parks, [])
    }))

  it.effect("may claim again once an operator unparks them", () =>
    Effect.gen(function*() {
      const { claim, park, parks, unpark } = yield* start
      yield* park("max/1", at(3600))
      yield* park("max/2", at(3600))
      assert.strictEqual((yield* claim({ account: "max/1" })).body.reason, "account_parked")
      assert.strictEqual((yield* unpark("max/1", "?scope=other")).status, 404)
      const { body, status } = yield* unpark("max/1")
      assert.strictEqual(status, 200)
      assert.deepInclude(body, { scope: "default", account: "max/1", until: at(3600) })
      assert.deepStrictEqual((yield* parks).map(({ account }: any) => account), ["max/2"])
      assert.strictEqual((yield* claim({ account: "max/1" })).status, 200)
      const again = yield* unpark("max/1")
      assert.strictEqual(again.status, 404)
      assert.deepInclude(again.body, { _tag: "NotParked", account: "max/1" })
    }))

  it.effect("are not unparked when their time is over: nothing is", () =>
    Effect.gen(function*() {
      const { park, unpark } = yield* start
      yield* park("max", at(3600))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* unpark("max")).status, 404)
    }))

  it.effect("have names of a length that the document tells: a longer one in a path is a 400", () =>
    Effect.gen(function*() {
      const { unpark } = yield* start
      const { body, status } = yield* unpark("x".repeat(1001))
      assert.deepStrictEqual([status, body._tag], [400, "InvalidRequest"])
      assert.isBelow(JSON.stringify(body).length, 1200)
    }))

  it.effect("stay parked until the later time, whichever request comes last", () =>
    Effect.gen(function*() {
      const { park, parks } = yield* start
      const until = Effect.map(parks, ([{ parked_by, reason, until }]) => [until, parked_by, reason])
      yield* park("max", at(7200), { reason: "weekly" })
      yield* park("max", at(60), { reason: "hourly", parked_by: "bob" })
      assert.deepStrictEqual(yield* until, [at(7200), "ann", "weekly"])
      yield* park("max", at(9000), { reason: "longer", parked_by: "bob" })
      assert.deepStrictEqual(yield* until, [at(9000), "bob", "longer"])
    }))

  it.effect("are parked for 31 days at most, and a time that is over parks nothing", () =>
    Effect.gen(function*() {
      const { claim, get, park, parks, post, raw } = yield* start
      const { body } = yield* claim()
      const late = yield* post("tasks/a/park", {
        account: "max",
        until: iso(MaxParked + 1),
        fencing_token: body.fencing_token
      })
      assert.strictEqual(late.status, 400)
      assert.strictEqual(late.body.error, "until: an account is parked for 31 days at most.")
      assert.strictEqual((yield* get("tasks/a")).queue, "claimed")
      yield* post("tasks/a/park", { account: "max", until: iso(MaxParked), fencing_token: body.fencing_token })
      assert.strictEqual((yield* parks)[0].until, iso(MaxParked))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* park("min", at(60))).body.queue, "incoming", "the lease ends all the same")
      assert.deepStrictEqual(raw.prepare("SELECT account FROM parked_accounts").all().map(({ account }) => account), [
        "max"
      ])
    }))

  it.effect(`are ${MaxParks} at most: one more is refused, and the lease goes on`, () =>
    Effect.gen(function*() {
      const { get, park, parks, raw } = yield* start
      const insert = raw.prepare("INSERT INTO parked_accounts (scope, account, until) VALUES ('default', ?, ?)")
      for (let n = 0; n < MaxParks; n++) insert.run(`a${n}`, 3_600_000)
      const refused = yield* park("one more", at(7200))
      assert.strictEqual(refused.status, 409)
      assert.deepInclude(refused.body, { _tag: "TooManyParks", scope: "default", limit: MaxParks })
      assert.deepInclude(yield* get("tasks/a"), { queue: "claimed", claimed_by: "ann" })
      assert.lengthOf(yield* parks, MaxParks)
    }))

  it.effect("may be parked longer when there are as many as may be, and others when some are over", () =>
    Effect.gen(function*() {
      const { park, parks, raw } = yield* start
      const insert = raw.prepare("INSERT INTO parked_accounts (scope, account, until) VALUES ('default', ?, ?)")
      for (let n = 0; n < MaxParks; n++) insert.run(`a${n}`, n === 0 ? 60_000 : 3_600_000)
      assert.strictEqual((yield* park("a5", at(7200))).status, 200)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* park("one more", at(7200))).status, 200)
      assert.lengthOf(yield* parks, MaxParks)
    }))
})

describe("the overview", () => {
  it.effect("shows the parked accounts, and changes when one is parked, unparked or over", () =>
    Effect.gen(function*() {
      const { get, park, send, unpark } = yield* start
      const items = Effect.map(get("overview"), ({ parks }) => parks)
      assert.deepStrictEqual(yield* items, { total: 0, exact: true, items: [] })
      yield* park("max", at(3600), { reason: "weekly limit" })
      yield* park("min", at(60))
      const shown = yield* items
      assert.strictEqual(shown.total, 2)
      assert.deepStrictEqual(shown.items[1], {
        account: "max",
        until: at(3600),
        task_id: "a",
        parked_by: "ann",
        parked_at: at(0),
        reason: "weekly limit"
      })
      const tagOf = Effect.map(send("GET", "/api/v1/overview"), ({ headers }) => headers.get("etag")!)
      const statusOf = (tag: string) =>
        Effect.map(send("GET", "/api/v1/overview", undefined, { "if-none-match": tag }), ({ status }) => status)
      const both = yield* tagOf
      assert.strictEqual(yield* statusOf(both), 304)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* statusOf(both), 200)
      const one = yield* tagOf
      yield* unpark("max")
      assert.strictEqual(yield* statusOf(one), 200)
      assert.strictEqual((yield* items).total, 0)
    }))
})
