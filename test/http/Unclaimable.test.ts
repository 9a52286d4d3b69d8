/** The feed says which ready tasks no machine will claim, once for each. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { Scopes } from "../../src/sql/upkeep/Unclaimable.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as server from "../support/server.ts"

const start = Effect.fnUntraced(function*(env: Record<string, string> = {}) {
  const { db, raw } = migrated()
  const { send } = yield* server.make(env, () => db)
  const post = (path: string, body: object = {}) => send("POST", `/api/v1/${path}`, body)
  const create = (id: string, rest: object = {}) =>
    post("tasks", { id, file_path: `TASK-${id}.md`, branch: "b", ...rest })
  const register = (machine_id = "m", rest: object = {}) =>
    post("orchestrators/register", { cluster: "k", machine_id, ...rest })
  const beat = (id = "k-m") => post(`orchestrators/${id}/heartbeat`)
  const tick = Maintenance.use(({ tick }) => tick).pipe(Effect.provide(servicesWith(env, () => db)))
  /** Lets minutes pass, with the cron. */
  const pass = (minutes: number, besides: Effect.Effect<unknown> = Effect.void) =>
    Effect.repeat(Effect.andThen(TestClock.adjust("1 minutes"), Effect.andThen(besides, tick)), { times: minutes - 1 })
  const told = (scope = "default") =>
    Effect.map(
      send("GET", `/api/v1/events?types=unclaimable&scope=${scope}`),
      ({ body }) => body.events.map(({ details, task_id }: any) => [task_id, details.why])
    )
  const shown = Effect.map(
    send("GET", "/api/v1/overview?scope=default"),
    ({ body }) => body.unclaimable.items.map(({ role, task_id, why }: any) => [task_id, role, why])
  )
  return { beat, create, pass, post, raw, register, send, shown, tick, told }
})

describe("a task that no machine will claim", () => {
  it.effect("is reported after the threshold, once, and again if it has changed", () =>
    Effect.gen(function*() {
      const { create, pass, register, send, shown, told } = yield* start()
      yield* create("a")
      yield* create("b")
      yield* pass(14)
      assert.deepStrictEqual(yield* told(), [])
      yield* pass(1)
      assert.deepStrictEqual(yield* told(), [["a", "no_active_orchestrator"]])
      const { body } = yield* send("GET", "/api/v1/tasks/a")
      assert.deepStrictEqual([body.version, body.updated_at], [2, "1970-01-01T00:00:00.000Z"])
      assert.deepStrictEqual(yield* shown, [["a", null, "no_active_orchestrator"]])
      yield* pass(40)
      assert.lengthOf(yield* told(), 1)
      yield* send("PATCH", "/api/v1/tasks/a", { title: "Another title" })
      assert.deepStrictEqual(yield* shown, [])
      yield* pass(20)
      assert.lengthOf(yield* told(), 2)
      yield* register()
      assert.deepStrictEqual(yield* shown, [])
    }))

  it.effect("has no event while a machine is active, or somebody works in the scope", () =>
    Effect.gen(function*() {
      const { beat, create, pass, post, register, told } = yield* start()
      yield* create("a")
      yield* register()
      yield* pass(30, beat())
      assert.deepStrictEqual(yield* told(), [])
      // A machine of the default scope works for this one.
      for (const id of ["b", "c"]) yield* create(id, { scope: "other" })
      const claim = { scope: "other", orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 3600 }
      assert.strictEqual((yield* post("tasks/claim", claim)).body.id, "b")
      yield* pass(30, beat())
      assert.deepStrictEqual(yield* told("other"), [])
      yield* pass(61, beat())
      // The lease has ended: the next task is reported, and then the task that was taken back.
      assert.deepStrictEqual(yield* told("other"), [["c", "no_active_orchestrator"], ["b", "no_active_orchestrator"]])
    }))

  it.effect("is the first of each role that the scope does not know, though a machine is active", () =>
    Effect.gen(function*() {
      const { beat, create, pass, post, register, shown, told } = yield* start()
      yield* register()
      for (const [id, role] of [["a", "old"], ["b", "old"], ["c", "known"], ["d", "older"]] as const) {
        yield* create(id, { role })
      }
      yield* create("e")
      yield* post("roles/register", { orchestrator_id: "k-m", roles: [{ name: "known" }] })
      yield* pass(20, beat())
      assert.deepStrictEqual((yield* told()).toSorted(), [["a", "unknown_role"], ["d", "unknown_role"]])
      assert.deepStrictEqual((yield* shown).toSorted(), [["a", "old", "unknown_role"], ["d", "older", "unknown_role"]])
      yield* post("roles/register", { orchestrator_id: "k-m", roles: [{ name: "old" }, { name: "older" }] })
      assert.deepStrictEqual(yield* shown, [])
    }))

  it.effect("is reported in every scope, although one look covers few scopes", () =>
    Effect.gen(function*() {
      const { create, pass, raw, told } = yield* start()
      for (let n = 0; n <= Scopes; n++) {
        const scope = `s${String(n).padStart(4, "0")}`
        yield* create(`t${n}`, { scope })
      }
      yield* pass(60)
      const all = raw.prepare("SELECT count(*) AS n FROM history WHERE event = 'unclaimable'").get()
      assert.strictEqual(all?.n, Scopes + 1)
      assert.lengthOf(yield* told(`s${String(Scopes).padStart(4, "0")}`), 1)
    }))

  it.effect("has no event if the threshold is 0, and none while it is blocked or waits", () =>
    Effect.gen(function*() {
      const off = yield* start({ UNCLAIMABLE_AFTER_SECONDS: "0" })
      yield* off.create("a")
      yield* off.pass(20)
      assert.deepStrictEqual(yield* off.told(), [])
      const { create, pass, told } = yield* start({ UNCLAIMABLE_AFTER_SECONDS: "60" })
      yield* create("a", { blocked_by: "nothing" })
      yield* create("b", { queue: "failed" })
      yield* create("c", { queue: "provisional" })
      yield* pass(10)
      assert.deepStrictEqual(yield* told(), [])
    }))
})
