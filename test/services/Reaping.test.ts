/** Expired leases are taken back, even if the database refuses to change one of them. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Leases } from "../../src/services/lease/Leases.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"
import * as Expiry from "../../src/sql/lease/Expiry.ts"
import * as Faulty from "../support/Faulty.ts"
import { migrated, ServicesLayer, servicesWith } from "../support/layers.ts"

const start = Effect.gen(function*() {
  const tasks = yield* TaskQueue
  const { reap } = yield* Leases
  const { batch, sql } = yield* Database
  yield* (yield* Orchestrators).register("red", { cluster: "k", machine_id: "m" })
  const create = (name: string, scope = "red", rest: object = {}) =>
    tasks.create(scope, { id: TaskId.make(name), file_path: name, branch: "b", ...rest })
  const claim = (scope = "red", rest: object = {}) =>
    tasks.claim(scope, {
      orchestrator_id: OrchestratorId.make("k-m"),
      agent_name: "ann",
      lease_duration_seconds: 60,
      ...rest
    })
  const get = (name: string) => tasks.get(TaskId.make(name), undefined)
  /** From now on the lease of the task `bad` cannot end, as if D1 refused its row. */
  const refuse = batch([sql`
    CREATE TRIGGER refuses BEFORE UPDATE ON tasks WHEN OLD.id = 'bad' AND NEW.claimed_by IS NULL
    BEGIN SELECT RAISE(ABORT, 'refused'); END`])
  const relent = batch([sql`DROP TRIGGER refuses`])
  return { tasks, reap, batch, sql, create, claim, get, refuse, relent }
})

/** Runs it and answers what was logged, with the level, besides. */
const logged = Effect.fnUntraced(function*<A, E, R>(work: Effect.Effect<A, E, R>) {
  const entries: Array<{ readonly level: string; readonly event: unknown; readonly task_id: unknown }> = []
  const logger = Logger.make(({ fiber, logLevel }) => {
    const { event, task_id } = fiber.getRef(References.CurrentLogAnnotations)
    entries.push({ level: logLevel, event, task_id })
  })
  const answer = yield* Effect.provide(work, Logger.layer([logger]))
  return { answer, entries }
})

describe("Leases.reap", () => {
  it.effect("takes the other leases back if one cannot be, and logs that one", () =>
    Effect.gen(function*() {
      const { batch, claim, create, get, reap, refuse, relent, sql } = yield* start
      for (const [name, scope] of [["good", "red"], ["bad", "red"], ["other", "blue"]] as const) {
        yield* create(name, scope)
        yield* claim(scope)
      }
      yield* TestClock.adjust("60 seconds")
      yield* refuse
      const { answer, entries } = yield* logged(reap)
      assert.strictEqual(answer, 2)
      for (const name of ["good", "other"]) {
        assert.deepInclude(yield* get(name), { queue: "incoming", claimed_by: null, lease_losses: 1 })
      }
      assert.deepInclude(yield* get("bad"), { queue: "claimed", claimed_by: "ann", lease_losses: 0 })
      assert.deepStrictEqual(
        entries.filter(({ level }) => level === "Error").map(({ task_id }) => task_id),
        [undefined, "bad"]
      )
      const [counts] = yield* batch([sql`SELECT scope, counts ->> '$.incoming' AS n FROM queue_counts ORDER BY scope`])
      assert.deepStrictEqual(counts!.map(({ n, scope }) => [scope, n]), [["blue", 1], ["red", 1]])
      yield* relent
      assert.strictEqual(yield* reap, 1)
      assert.deepInclude(yield* get("bad"), { queue: "incoming", lease_losses: 1 })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("gets past any number of leases that cannot be taken back, in few statements a turn, and logs them", () =>
    Effect.gen(function*() {
      const { batch, claim, create, get, sql } = yield* start
      const { reap } = yield* Leases
      const names = Array.from({ length: 100 }, (_, i) => `${i < 50 ? "stuck" : "good"}-${i}`)
      for (const name of names) {
        yield* create(name)
        yield* claim()
        yield* TestClock.adjust("1 millis")
      }
      yield* TestClock.adjust("60 seconds")
      yield* batch([sql`
        CREATE TRIGGER refuses BEFORE UPDATE ON tasks WHEN OLD.id GLOB 'stuck-*' AND NEW.claimed_by IS NULL
        BEGIN SELECT RAISE(ABORT, 'refused'); END`])
      const found: Array<unknown> = []
      let turns = 0
      const held = () =>
        Effect.filter(names.slice(50), (name) => Effect.map(get(name), (task) => task.claimed_by !== null))
      for (; new Set(found).size < 50 || (yield* held()).length > 0; turns++) {
        assert.isBelow(turns, 15)
        const { entries } = yield* logged(reap)
        found.push(
          ...entries.flatMap(({ level, task_id }) => level === "Error" && task_id !== undefined ? [task_id] : [])
        )
      }
      assert.deepStrictEqual(new Set(found), new Set(names.slice(0, 50)))
      // From now on they cost one batch and a few that are tried again.
      yield* create("new")
      yield* claim()
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* reap, 1)
      assert.strictEqual((yield* get("new")).claimed_by, null)
      yield* batch([sql`DROP TRIGGER refuses`])
      let back = 0
      for (let turn = 0; turn < 30; turn++) back += yield* reap
      assert.strictEqual(back, 50)
      assert.strictEqual((yield* get("stuck-0")).lease_losses, 1)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("takes leases back behind 1,300 that cannot be", () =>
    Effect.gen(function*() {
      const { batch, claim, create, get, sql } = yield* start
      const { tick } = yield* Maintenance
      yield* create("stuck-0")
      yield* claim()
      const columns = yield* batch([
        sql`SELECT name FROM pragma_table_info('tasks') WHERE name NOT IN ('id', 'file_path')`
      ])
      const rest = sql.literal(columns[0]!.map(({ name }) => String(name)).join(", "))
      yield* batch([sql`
        INSERT INTO tasks (id, file_path, ${rest})
        SELECT 'stuck-' || number, 'stuck-' || number, ${rest} FROM tasks, (SELECT value AS number FROM json_each(${
        JSON.stringify(Array.from({ length: 1299 }, (_, i) => i + 1))
      }))`])
      for (const name of ["before", "later"]) {
        yield* create(name)
        yield* claim()
      }
      const end = (name: string, at: number) =>
        batch([sql`UPDATE tasks SET lease_expires_at = ${at} WHERE id = ${name}`])
      yield* batch([sql`UPDATE tasks SET lease_expires_at = 2000`])
      yield* end("before", 1000)
      yield* end("later", 3000)
      yield* batch([sql`
        CREATE TRIGGER refuses BEFORE UPDATE ON tasks WHEN OLD.id GLOB 'stuck-*' AND NEW.claimed_by IS NULL
        BEGIN SELECT RAISE(ABORT, 'refused'); END`])
      yield* TestClock.adjust("60 seconds")
      const turnsUntil = Effect.fnUntraced(function*(name: string) {
        let turns = 0
        for (; (yield* get(name)).claimed_by !== null; turns++) {
          assert.isBelow(turns, 300, `turns until ${name} is taken back`)
          yield* tick
        }
        return turns
      })
      assert.isAtMost(yield* turnsUntil("before"), 30)
      // While those are looked through, and once they are all known, what ends is taken back in the same turn.
      yield* create("meanwhile", "blue")
      yield* claim("blue")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* turnsUntil("meanwhile"), 1)
      yield* turnsUntil("later")
      yield* create("afterwards", "green")
      yield* claim("green")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* turnsUntil("afterwards"), 1)
      const [[sweep] = []] = yield* batch([sql`SELECT length(position) AS n FROM sweeps WHERE name = 'stuck'`])
      assert.isBelow(Number(sweep?.n), 200)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("tries the longest expired leases first if it tries only some", () =>
    Effect.gen(function*() {
      const { batch, claim, create } = yield* start
      for (const name of ["c", "a", "b"]) {
        yield* create(name)
        yield* claim()
        yield* TestClock.adjust("1 second")
      }
      yield* TestClock.adjust("60 seconds")
      const some = Expiry.someExpired
      const [rows] = yield* batch([some(yield* Clock.currentTimeMillis, 2, undefined, undefined, null)])
      assert.deepStrictEqual(rows!.map(({ id }) => id), ["c", "a"])
      const place = rows!.map(({ id, lease_expires_at }) => [Number(lease_expires_at), String(id)] as const)[0]!
      const [rest] = yield* batch([some(yield* Clock.currentTimeMillis, 2, undefined, undefined, place)])
      assert.deepStrictEqual(rest!.map(({ id }) => id), ["a", "b"])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("logs the event of each: an expiry, a missed deadline, an expired review", () =>
    Effect.gen(function*() {
      const { claim, create, reap } = yield* start
      yield* create("lease")
      yield* claim()
      yield* create("deadline")
      yield* claim("red", { max_attempt_seconds: 60 })
      yield* create("review", "red", { queue: "provisional" })
      yield* claim("red", { queue: "provisional" })
      yield* TestClock.adjust("60 seconds")
      const { entries } = yield* logged(reap)
      assert.deepStrictEqual(Object.fromEntries(entries.map(({ event, task_id }) => [task_id, event])), {
        lease: "lease_expired",
        deadline: "deadline_exceeded",
        review: "review_lease_expired"
      })
    }).pipe(Effect.provide(ServicesLayer)))
})

describe("Leases.reap and a renewal", () => {
  // A renewal may come between any two batches of a turn that looks through the leases.
  const places = [1, 2, 3, 4, 5]
  it.effect.each(places)(
    "leave a renewed lease alone beside one that cannot be taken back, before batch %i",
    (place) => {
      const { db } = migrated()
      let sent = 0
      let renewal: (() => Promise<unknown>) | undefined
      const batch = async (statements: Parameters<typeof db.batch>[0]) => {
        if (renewal !== undefined && sent++ === place) {
          const renew = renewal
          renewal = undefined
          await renew()
        }
        return db.batch(statements)
      }
      const open = () => ({ prepare: (text: string) => db.prepare(text), batch }) as unknown as typeof db
      return Effect.gen(function*() {
        const { claim, create, get, reap, refuse } = yield* start
        const { renew } = yield* Leases
        for (const name of ["bad", "good"]) {
          yield* create(name)
          yield* claim()
        }
        yield* TestClock.adjust("60 seconds")
        yield* refuse
        const { fencing_token } = yield* get("good")
        const context = yield* Effect.context<never>()
        renewal = () =>
          Effect.runPromiseWith(context)(
            renew(TaskId.make("good"), { fencing_token: fencing_token!, lease_duration_seconds: 60 }, undefined)
          )
        assert.strictEqual(yield* reap, 0)
        assert.isUndefined(renewal, "there were so many batches")
        assert.strictEqual((yield* get("good")).claimed_by, "ann")
      }).pipe(Effect.provide(servicesWith({}, open)))
    }
  )
})

describe("a claim in a scope with a lease that cannot be taken back", () => {
  it.effect("gets a ready task, or the answer that none is ready", () =>
    Effect.gen(function*() {
      const { claim, create, get, reap, refuse } = yield* start
      for (const name of ["bad", "good"]) {
        yield* create(name)
        yield* claim()
      }
      yield* create("ready")
      yield* TestClock.adjust("60 seconds")
      yield* refuse
      const { answer, entries } = yield* logged(claim())
      assert.strictEqual(answer.id, "ready")
      assert.isTrue(entries.some(({ level }) => level === "Error"))
      assert.strictEqual((yield* claim()).id, "good", "where nothing else is ready, it is taken back by itself")
      assert.deepInclude(yield* Effect.flip(claim()), { _tag: "NoTasksAvailable", reason: "none_ready" })
      assert.strictEqual(yield* reap, 0)
      assert.strictEqual((yield* get("bad")).claimed_by, "ann")
    }).pipe(Effect.provide(ServicesLayer)))

  const faulty = Faulty.make()
  it.effect("is made once even if its answer is lost", () =>
    Effect.gen(function*() {
      const { claim, create, get } = yield* start
      yield* create("a")
      yield* create("b")
      faulty.faults.push("lost answer")
      assert.strictEqual((yield* Effect.exit(claim()))._tag, "Failure")
      const names = ["a", "b"]
      const held = yield* Effect.filter(names, (name) => Effect.map(get(name), (task) => task.claimed_by !== null))
      assert.strictEqual(held.length, 1)
    }).pipe(Effect.provide(servicesWith({}, faulty.open))))
})
