/** The duties of the cron, every minute. Claims do not depend on it: they take expired leases back themselves. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { statementsOf } from "../sql/Batch.ts"
import { ChangedScopes, CurrentCost, Database, fits, noCost } from "../sql/Database.ts"
import { CurrentKeyLifetime } from "../sql/Idempotency.ts"
import * as Backoff from "../sql/lease/Backoff.ts"
import * as ProjectCounts from "../sql/record/ProjectCounts.ts"
import * as Revisions from "../sql/Revisions.ts"
import { statement } from "../sql/Statement.ts"
import * as Retention from "../sql/upkeep/Retention.ts"
import * as Unclaimable from "../sql/upkeep/Unclaimable.ts"
import { D1Costs } from "./feed/D1Costs.ts"
import * as Feed from "./feed/Deliveries.ts"
import { Leases } from "./lease/Leases.ts"
import { Orchestrators } from "./machine/Orchestrators.ts"
import { Settings } from "./Settings.ts"

const Day = 86_400_000

/**
 * Whether a partial index on `tasks (scope, …)` has a row that is due. It goes from one scope of the index to the next,
 * so other scopes and further tasks cost nothing.
 */
const anyDue = (index: string, holds: string, isDue: string) =>
  statement(`
    WITH RECURSIVE place (scope) AS (
      SELECT min(scope) FROM tasks INDEXED BY ${index} WHERE ${holds}
      UNION ALL SELECT (SELECT min(scope) FROM tasks INDEXED BY ${index} WHERE ${holds} AND tasks.scope > place.scope)
      FROM place WHERE place.scope IS NOT NULL)
    SELECT 1 FROM place CROSS JOIN tasks INDEXED BY ${index} ON tasks.scope = place.scope AND ${holds} AND ${isDue} LIMIT 1`)

const anyExpired = anyDue("tasks_leased", "claimed_by IS NOT NULL", "lease_expires_at <= :now")

const anySilent = statement(
  "SELECT 1 FROM orchestrators WHERE status = 'active' AND last_heartbeat < :heard_since LIMIT 1"
)

const anyBackingOff = anyDue("tasks_backing_off", "available_at IS NOT NULL", "available_at <= :now")

// The id of an idempotency key is a hexadecimal hash, and its first three digits have 4,096 values. Each minute covers
// 3 of these, so all are covered in less than a day. So no request has to write an index of times.
const Prefixes = 4096
const PrefixesPerMinute = 3
const Slices = Math.ceil(Prefixes / PrefixesPerMinute)

const prefix = (index: number) => index < Prefixes ? index.toString(16).padStart(3, "0") : "g"

/** Deletes the idempotency keys in this minute's slices that are too old to be repeated. */
const forgetKeys = statement("DELETE FROM idempotency_keys WHERE id >= :first AND id < :next AND at <= :oldest")

/** How many minutes a turn covers. On an object that sleeps it is the number of minutes since the last turn. */
export const CoveredMinutes = Context.Reference<number>("octopoid-server/services/CoveredMinutes", {
  defaultValue: () => 1
})

/** The slices of the last minutes. Slices before the first one of the present round are left for the next round. */
const sliceOf = (now: number, minutes: number) => {
  const last = Math.floor(now / 60_000) % Slices
  const first = Math.max(0, last - minutes + 1) * PrefixesPerMinute
  return { first: prefix(first), next: prefix((last + 1) * PrefixesPerMinute) }
}

// A failing duty must not stop the others. If the look failed, every duty is done.
const duty = (name: string, due: ReadonlyArray<unknown> | undefined, work: Effect.Effect<number>) =>
  due?.length === 0
    ? Effect.succeed(0)
    : Effect.catchCause(work, (cause) => Effect.as(Effect.logError(`${name} failed`, cause), 0))

// The cron has its own tally of costs, and one log line with it.
const tallied = <A extends object>(tick: Effect.Effect<A>) =>
  Effect.suspend(() => {
    const cost = noCost()
    return tick.pipe(
      Effect.tap((done) =>
        Effect.annotateLogs(Effect.logInfo("cron"), {
          ...done,
          millis: cost.millis,
          d1_trips: cost.trips,
          d1_statements: cost.statements,
          rows_read: cost.read,
          rows_written: cost.written
        })
      ),
      Effect.provideService(CurrentCost, cost),
      Effect.provideService(ChangedScopes, new Set<string>())
    )
  })

export class Maintenance extends Context.Service<Maintenance, {
  /**
   * Takes back expired leases, marks silent machines as offline, ends backoffs that began before backoff was turned
   * off, forgets old idempotency keys, reports tasks that no machine will claim, makes missing counters, removes some
   * records for retention, and sends events to webhooks. Usually one look, which also forgets keys, finds that nothing
   * else is due.
   */
  readonly tick: Effect.Effect<{ readonly reaped: number; readonly silent: number }>
}>()("octopoid-server/services/Maintenance") {
  static readonly layer = Layer.effect(
    Maintenance,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const deliveries = yield* Feed.Deliveries
      const costs = yield* D1Costs
      const { reap } = yield* Leases
      const { sweep } = yield* Orchestrators
      const { backoff, orchestratorTimeoutSeconds, retain, unclaimableAfterSeconds } = yield* Settings
      const lifetime = yield* CurrentKeyLifetime
      const ages = { history: retain.historyDays, messages: retain.messagesDays, tasks: retain.finishedTasksDays }

      const tick = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const minutes = yield* CoveredMinutes
        const values = {
          ...sliceOf(now, minutes),
          now,
          heard_since: now - orchestratorTimeoutSeconds * 1000,
          before: now - unclaimableAfterSeconds * 1000,
          oldest: now - lifetime,
          place: Feed.placeOf(now)
        }
        const sweepOf = (kind: Retention.Kind) => ({
          kind,
          before: now - ages[kind] * Day,
          most: retain.perMinute,
          now
        })
        const lookAt = (kind: Retention.Kind) => ages[kind] > 0 ? Retention.look(sweepOf(kind)) : undefined
        const looksForUnclaimable = unclaimableAfterSeconds > 0
          && Math.floor(now / 60_000) % Unclaimable.Minutes < minutes
        const look = batch({
          expired: anyExpired(values),
          silent: anySilent(values),
          // If backoff is on, claims end backoffs. If it is off, the cron ends those that began before.
          backingOff: backoff.baseSeconds > 0 ? undefined : anyBackingOff(values),
          forgotten: forgetKeys(values),
          records: Revisions.anyOld(values),
          projects: ProjectCounts.anyOld(values),
          history: lookAt("history"),
          messages: lookAt("messages"),
          tasks: lookAt("tasks"),
          unclaimable: looksForUnclaimable ? Unclaimable.found(values) : undefined,
          unclaimableNext: looksForUnclaimable ? Unclaimable.moveOn(values) : undefined,
          webhooks: Feed.due(values)
        })
        const seen = yield* Effect.catchCause(
          look,
          (cause) => Effect.as(Effect.logError("looking for the duties that are due failed", cause), undefined)
        )
        yield* duty("ending backoff", seen?.backingOff, Effect.as(batch(Backoff.endAll(now)), 1))
        const fell = yield* duty("sweeping", seen?.silent, sweep)
        // If some leases cannot be taken back, this may use all remaining statements.
        const reaped = yield* duty("reaping", seen?.expired, reap)
        const unclaimable = seen?.unclaimable ?? []
        if (yield* fits(Unclaimable.report.length)) {
          yield* duty(
            "reporting unclaimable tasks",
            unclaimable,
            Effect.as(
              batch({
                reported: Unclaimable.report.map((each) =>
                  each({
                    now,
                    found: JSON.stringify(unclaimable),
                    scopes: JSON.stringify([...new Set(unclaimable.map(({ scope }) => scope))])
                  })
                )
              }),
              1
            )
          )
        }
        const records = [Revisions.countOld(values)]
        const projects = [ProjectCounts.countOld(values), ProjectCounts.countedOld(values)]
        for (const [due, steps] of [[seen?.records, records], [seen?.projects, projects]] as const) {
          if (!(yield* fits(steps.length))) continue
          yield* duty("counting", due, Effect.as(batch({ counted: steps }), 1))
        }
        // Retention comes after these: it can wait for a minute with less work.
        for (const kind of Retention.kinds) {
          const slice = seen?.[kind][0] as Retention.Slice | undefined
          if (slice?.open !== 1) continue
          const steps = Retention.step(sweepOf(kind), slice)
          if (!(yield* fits(statementsOf(steps).length))) continue
          yield* duty(`removing old ${kind}`, undefined, Effect.as(batch(steps), 1))
        }
        // Receivers may be slow, so nothing waits for them. What this turn changed is sent too.
        const changed = yield* ChangedScopes
        const isDue = changed !== undefined && changed.size > 0 ? undefined : seen?.webhooks
        yield* duty("sending to webhooks", isDue, deliveries.sweep)
        // A turn that wrote nothing writes nothing here either. What it read is stored with the next one that does.
        if ((yield* CurrentCost).written > 0 && (yield* costs.isDue)) yield* costs.store
        return { reaped, silent: fell }
      }).pipe(Effect.withSpan("Maintenance.tick"))

      return Maintenance.of({ tick: tallied(tick) })
    })
  ).pipe(Layer.provide([D1Costs.layer, Feed.Deliveries.layer, Leases.layer, Orchestrators.layer]))
}
