/** What the cron does every minute: hygiene, since claims take expired leases back by themselves. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CurrentCost, Database, fits, noCost } from "../sql/Database.ts"
import { CurrentKeyLifetime } from "../sql/KeyLifetime.ts"
import * as Backoff from "../sql/lease/Backoff.ts"
import * as ProjectCounts from "../sql/record/ProjectCounts.ts"
import { isScope } from "../sql/record/ProjectCounts.ts"
import * as Revision from "../sql/task/Revision.ts"
import { forgetOld } from "../sql/upkeep/IdempotencySweep.ts"
import * as Retention from "../sql/upkeep/Retention.ts"
import { Leases } from "./lease/Leases.ts"
import { Orchestrators } from "./machine/Orchestrators.ts"
import { Settings } from "./Settings.ts"

const Day = 86_400_000

// One failing duty must not keep the others from their work, and a look that failed does not say that there is none.
const duty = (name: string, due: ReadonlyArray<unknown> | undefined, work: Effect.Effect<number>) =>
  due?.length === 0
    ? Effect.succeed(0)
    : Effect.catchCause(work, (cause) => Effect.as(Effect.logError(`${name} failed`, cause), 0))

// The cron is no request: it has a tally of its own, and one log line that tells it.
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
      Effect.provideService(CurrentCost, cost)
    )
  })

export class Maintenance extends Context.Service<Maintenance, {
  /**
   * Takes back expired leases, notices silent orchestrators, ends the backoff that is left over from before it was turned
   * off, forgets old idempotency keys, counts what nobody has counted yet, and removes a few of the records that are older than they are to be kept. Mostly one
   * look, which forgets the keys, finds that there is nothing else to do.
   */
  readonly tick: Effect.Effect<{ readonly reaped: number; readonly silent: number }>
}>()("octopoid-server/services/Maintenance") {
  static readonly layer = Layer.effect(
    Maintenance,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const { reap } = yield* Leases
      const { sweep } = yield* Orchestrators
      const { backoff, orchestratorTimeoutSeconds, retain } = yield* Settings
      const lifetime = yield* CurrentKeyLifetime
      const retention = Retention.make(sql)
      const revision = Revision.make(sql)
      const projects = ProjectCounts.make(sql)
      const ages = { history: retain.historyDays, messages: retain.messagesDays, tasks: retain.finishedTasksDays }
      const kept = Retention.kinds.filter((kind) => ages[kind] > 0)

      const tick = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        // Where backoff is on, claims see to its end. What was put back before it was turned off is not forgotten.
        const off = backoff.baseSeconds === 0 ? 1 : 0
        const leftOver = sql`${off} AND available_at IS NOT NULL AND available_at <= ${now}`
        const sweeps = kept.map((kind): Retention.Sweep => ({
          kind,
          before: now - ages[kind] * Day,
          most: retain.perMinute,
          now
        }))
        const look = batch([
          sql`SELECT 1 FROM queue_counts CROSS JOIN tasks INDEXED BY tasks_leased ON tasks.scope = queue_counts.scope
            AND ${sql.literal(isScope)} AND claimed_by IS NOT NULL AND lease_expires_at <= ${now} LIMIT 1`,
          sql`
            SELECT 1 FROM orchestrators
            WHERE status = 'active' AND last_heartbeat < ${now - orchestratorTimeoutSeconds * 1000} LIMIT 1`,
          sql`SELECT 1 FROM tasks INDEXED BY tasks_backing_off WHERE ${leftOver} LIMIT 1`,
          forgetOld(sql, now, lifetime),
          revision.countOld(),
          ...projects.countOld(),
          ...sweeps.map(retention.look)
        ])
        const [expired, silent, waiting, , , , , ...slices] = yield* Effect.catchCause(
          look,
          (cause) => Effect.as(Effect.logError("looking for what is due failed", cause), [])
        )
        yield* duty("ending backoff", waiting, Effect.as(batch(Backoff.endAll(now)), 1))
        const fell = yield* duty("sweeping", silent, sweep)
        // Takes as many statements as are left, where some leases cannot be taken back.
        const reaped = yield* duty("reaping", expired, reap)
        // What is old can wait for a minute in which there is less to do.
        for (const [i, sweep] of sweeps.entries()) {
          const slice = slices[i]?.[0] as Retention.Slice | undefined
          if (slice?.open !== 1) continue
          const steps = retention.step(sweep, slice)
          if (!(yield* fits(steps.length))) continue
          yield* duty(`removing old ${sweep.kind}`, undefined, Effect.as(batch(steps), 1))
        }
        return { reaped, silent: fell }
      }).pipe(Effect.withSpan("Maintenance.tick"))

      return Maintenance.of({ tick: tallied(tick) })
    })
  ).pipe(Layer.provide([Leases.layer, Orchestrators.layer]))
}
