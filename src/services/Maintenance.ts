/** The duties of the cron, every minute. Claims do not depend on it: they take expired leases back themselves. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { statementsOf } from "../sql/Batch.ts"
import { ChangedScopes, CurrentCost, Database, fits, noCost } from "../sql/Database.ts"
import { CurrentKeyLifetime } from "../sql/Idempotency.ts"
import * as Backoff from "../sql/lease/Backoff.ts"
import { countedOld, countOld, isScope } from "../sql/record/ProjectCounts.ts"
import * as Revisions from "../sql/Revisions.ts"
import { statement } from "../sql/Statement.ts"
import * as EventCounts from "../sql/upkeep/EventCounts.ts"
import * as Retention from "../sql/upkeep/Retention.ts"
import * as Feed from "./feed/Deliveries.ts"
import { Leases } from "./lease/Leases.ts"
import { Orchestrators } from "./machine/Orchestrators.ts"
import { Settings } from "./Settings.ts"

const Day = 86_400_000

const anyExpired = statement(`
  SELECT 1 FROM queue_counts CROSS JOIN tasks INDEXED BY tasks_leased
    ON tasks.scope = queue_counts.scope AND ${isScope} AND claimed_by IS NOT NULL AND lease_expires_at <= :now LIMIT 1`)

const anySilent = statement(
  "SELECT 1 FROM orchestrators WHERE status = 'active' AND last_heartbeat < :heard_since LIMIT 1"
)

const anyBackingOff = statement(
  "SELECT 1 FROM tasks INDEXED BY tasks_backing_off WHERE available_at IS NOT NULL AND available_at <= :now LIMIT 1"
)

// The id of an idempotency key is a hexadecimal hash, and its first three digits have 4,096 values. Each minute covers
// 3 of these, so all are covered in less than a day. So no request has to write an index of times.
const Prefixes = 4096
const PrefixesPerMinute = 3
const Slices = Math.ceil(Prefixes / PrefixesPerMinute)

const prefix = (index: number) => index < Prefixes ? index.toString(16).padStart(3, "0") : "g"

/** Forgets the idempotency keys of this minute's share that are too old to be repeated. */
const forgetKeys = statement("DELETE FROM idempotency_keys WHERE id >= :first AND id < :next AND at <= :oldest")

/** The minutes for which a turn stands: on an object that sleeps, those since the last turn. */
export const CoveredMinutes = Context.Reference<number>("octopoid-server/services/CoveredMinutes", {
  defaultValue: () => 1
})

/** The slices of the last minutes. Those that a turn of the day cuts off are covered in the next one. */
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
   * off, forgets old idempotency keys, counts events and what has no counters yet, removes some records for retention,
   * and sends events to webhooks. Usually one look, which also forgets keys, finds that nothing else is due.
   */
  readonly tick: Effect.Effect<{ readonly reaped: number; readonly silent: number }>
}>()("octopoid-server/services/Maintenance") {
  static readonly layer = Layer.effect(
    Maintenance,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const deliveries = yield* Feed.Deliveries
      const { reap } = yield* Leases
      const { sweep } = yield* Orchestrators
      const { backoff, orchestratorTimeoutSeconds, retain } = yield* Settings
      const lifetime = yield* CurrentKeyLifetime
      const ages = { history: retain.historyDays, messages: retain.messagesDays, tasks: retain.finishedTasksDays }

      const tick = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        const values = {
          ...sliceOf(now, yield* CoveredMinutes),
          now,
          heard_since: now - orchestratorTimeoutSeconds * 1000,
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
        const look = batch({
          expired: anyExpired(values),
          silent: anySilent(values),
          // If backoff is on, claims end backoffs. If it is off, the cron ends those that began before.
          backingOff: backoff.baseSeconds > 0 ? undefined : anyBackingOff(values),
          forgotten: forgetKeys(values),
          recordsCounted: Revisions.countOld(values),
          uncounted: EventCounts.anyUncounted(values),
          projectsCounted: [countOld(values), countedOld(values)],
          history: lookAt("history"),
          messages: lookAt("messages"),
          tasks: lookAt("tasks"),
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
        // Leases that were just taken back are events too.
        const uncounted = reaped > 0 ? undefined : seen?.uncounted
        const counting = [EventCounts.count(values), EventCounts.moveOn(values)]
        if (yield* fits(counting.length)) {
          yield* duty("counting events", uncounted, Effect.as(batch({ counting }), 1))
        }
        // Retention comes after that: it can wait for a minute with less work.
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
        return { reaped, silent: fell }
      }).pipe(Effect.withSpan("Maintenance.tick"))

      return Maintenance.of({ tick: tallied(tick) })
    })
  ).pipe(Layer.provide([Feed.Deliveries.layer, Leases.layer, Orchestrators.layer]))
}
