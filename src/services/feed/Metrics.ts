/** The metrics of a scope or of all scopes, in one round trip and from stored counters. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  exposition,
  type Labels,
  MaxHooks,
  MaxLeases,
  MaxReady,
  MaxScopes,
  type Sample
} from "../../domain/feed/Metrics.ts"
import { dayOf, shownOf, sums } from "../../domain/record/Usage.ts"
import type { Row } from "../../sql/Batch.ts"
import { Database } from "../../sql/Database.ts"
import type { Reach } from "../../sql/Reach.ts"
import { statement, variants } from "../../sql/Statement.ts"
import * as Places from "../../sql/task/Places.ts"
import { decodeCounts } from "../task/rows.ts"

/** How many priorities the search for the oldest task looks at. */
const Priorities = 20

const shown = (every: boolean, most: number) =>
  `(SELECT * FROM queue_counts WHERE ${
    every ? "scope >= ' '" : "scope = :scope"
  } ORDER BY scope LIMIT ${most}) AS shown`

const incoming = Places.tasksIn("ready", "'incoming'", "shown.scope")
const leased = "FROM tasks INDEXED BY tasks_leased WHERE scope = shown.scope AND claimed_by IS NOT NULL"

/** One more scope than the answer has shows that there are more. */
const gauges = variants((every: boolean) =>
  statement(`
    SELECT shown.scope, shown.counts, shown.events,
      (SELECT count(*) FROM (SELECT 1 FROM ${incoming} LIMIT ${MaxReady})) AS ready, (
        WITH RECURSIVE other (rank) AS (
          SELECT min(priority_rank) FROM ${incoming}
          UNION ALL SELECT (SELECT min(priority_rank) FROM ${incoming} AND priority_rank > rank)
          FROM other WHERE rank IS NOT NULL LIMIT ${Priorities})
        SELECT min((SELECT min(created_at) FROM ${incoming} AND priority_rank = other.rank))
        FROM other WHERE rank IS NOT NULL) AS oldest,
      (SELECT count(*) FROM (SELECT 1 ${leased} LIMIT ${MaxLeases})) AS leases,
      (SELECT count(*) FROM (SELECT 1 ${leased} AND lease_expires_at <= :now LIMIT ${MaxReady})) AS overdue,
      (SELECT count(*) FROM (
        SELECT 1 FROM breakers INDEXED BY breakers_open
        WHERE breakers.scope = shown.scope AND opened_at IS NOT NULL LIMIT ${MaxReady})) AS breakers,
      ${sums.map((sum) => `coalesce(usage.${sum}, 0) AS ${sum}`).join(", ")}
    FROM ${shown(every, MaxScopes + 1)} LEFT JOIN usage ON usage.scope = shown.scope AND usage.day = :day
    ORDER BY shown.scope`)
)

/**
 * How far each webhook is behind the feed. Disabled webhooks are listed too: their events wait until somebody enables
 * them.
 */
const webhooks = variants((every: boolean) =>
  statement(`
    SELECT webhooks.scope, webhooks.id, max(shown.seq - webhooks.position, 0) AS waiting, webhooks.entries, webhooks.failures,
      webhooks.disabled_at IS NULL AS enabled
    FROM ${shown(every, MaxScopes)} CROSS JOIN webhooks INDEXED BY webhooks_of_scope ON webhooks.scope = shown.scope
    ORDER BY webhooks.scope, webhooks.id LIMIT ${MaxHooks}`)
)

const costs = statement("SELECT trips, statements, rows_read, rows_written FROM d1_costs")

const perScope = (rows: ReadonlyArray<Row>, value: (row: Row) => number): ReadonlyArray<Sample> =>
  rows.map((row) => ({ labels: { scope: String(row.scope) }, value: value(row) }))

const used = (row: Row) => shownOf(sums.map((name) => Number(row[name])))

export class Metrics extends Context.Service<Metrics, {
  /** The metrics of the scope, or of all, in the text format of Prometheus. */
  readonly read: (scope: Reach) => Effect.Effect<string>
}>()("octopoid-server/services/Metrics") {
  static readonly layer = Layer.effect(
    Metrics,
    Effect.gen(function*() {
      const { batch } = yield* Database

      const read = Effect.fn("Metrics.read")(function*(scope: Reach) {
        const now = yield* Clock.currentTimeMillis
        const values = { scope: scope ?? null, now, day: dayOf(now) }
        const every = scope === undefined
        const answers = yield* batch({
          gauges: gauges(every)(values),
          webhooks: webhooks(every)(values),
          // They belong to no scope.
          costs: every ? costs(values) : undefined
        })
        const [cost] = every ? answers.costs ?? [] : []
        const rows = answers.gauges.slice(0, MaxScopes)
        const ofKind = (kinds: Readonly<Record<string, (row: Row) => number>>) =>
          rows.flatMap((row) =>
            Object.entries(kinds).map(([kind, value]) => ({
              labels: { scope: String(row.scope), kind } as Labels,
              value: value(row)
            }))
          )
        const perHook = (value: (row: Row) => number): ReadonlyArray<Sample> =>
          answers.webhooks.map((row) => ({
            labels: { scope: String(row.scope), webhook: String(row.id) },
            value: value(row)
          }))
        return exposition([
          {
            name: "octopoid_scopes_truncated",
            help: `1 if there are more than ${MaxScopes} scopes, and only the first by name are shown.`,
            type: "gauge",
            samples: [{ labels: {}, value: answers.gauges.length > MaxScopes ? 1 : 0 }]
          },
          {
            name: "octopoid_tasks",
            help: "Tasks by queue. A queue without tasks has no sample.",
            type: "gauge",
            samples: rows.flatMap(({ counts, scope }) =>
              Object.entries(decodeCounts(counts)).map(([queue, value]) => ({
                labels: { scope: String(scope), queue },
                value
              }))
            )
          },
          {
            name: "octopoid_ready_tasks",
            help: `Tasks in incoming that may be claimed, counted up to ${MaxReady}.`,
            type: "gauge",
            samples: perScope(rows, ({ ready }) => Number(ready))
          },
          {
            name: "octopoid_oldest_ready_age_seconds",
            help: "Seconds since the oldest task in incoming that may be claimed was created; 0 if there is none.",
            type: "gauge",
            samples: perScope(rows, ({ oldest }) => oldest === null ? 0 : Math.max(0, now - Number(oldest)) / 1000)
          },
          {
            name: "octopoid_leases",
            help: `Tasks that agents hold, also for review, counted up to ${MaxLeases}.`,
            type: "gauge",
            samples: perScope(rows, ({ leases }) => Number(leases))
          },
          {
            name: "octopoid_leases_overdue",
            help: `Leases that ran out and were not taken back yet, counted up to ${MaxReady}.`,
            type: "gauge",
            samples: perScope(rows, ({ overdue }) => Number(overdue))
          },
          {
            name: "octopoid_breakers_open",
            help: `Breakers of the scope and its projects that stop claims, counted up to ${MaxReady}.`,
            type: "gauge",
            samples: perScope(rows, ({ breakers }) => Number(breakers))
          },
          {
            name: "octopoid_events_total",
            help: "Changes of tasks by event, as in the feed.",
            type: "counter",
            samples: rows.flatMap(({ events, scope }) =>
              Object.entries(decodeCounts(events)).map(([event, value]) => ({
                labels: { scope: String(scope), event },
                value
              }))
            )
          },
          {
            name: "octopoid_webhook_backlog",
            help:
              `Changes of the feed that the webhook did not come to yet, also those that its filters leave out. The first ${MaxHooks} webhooks have samples.`,
            type: "gauge",
            samples: perHook(({ waiting }) => Number(waiting))
          },
          {
            name: "octopoid_webhook_enabled",
            help: "1 if events are sent to the webhook, 0 if it is disabled.",
            type: "gauge",
            samples: perHook(({ enabled }) => Number(enabled))
          },
          {
            name: "octopoid_webhook_attempts_total",
            help: "Messages that were sent to the webhook.",
            type: "counter",
            samples: perHook(({ entries }) => Number(entries))
          },
          {
            name: "octopoid_webhook_failures_total",
            help: "Messages that were sent to the webhook and not accepted.",
            type: "counter",
            samples: perHook(({ failures }) => Number(failures))
          },
          {
            name: "octopoid_usage_today_cost_dollars",
            help: "Dollars that agents reported on this day, in UTC.",
            type: "gauge",
            samples: perScope(rows, (row) => used(row).cost_usd)
          },
          {
            name: "octopoid_usage_today_tokens",
            help: "Tokens that agents reported on this day, in UTC, by kind.",
            type: "gauge",
            samples: ofKind({
              input: (row) => used(row).input_tokens,
              output: (row) => used(row).output_tokens,
              cached: (row) => used(row).cached_tokens
            })
          },
          {
            name: "octopoid_usage_today_seconds",
            help: "Seconds that agents reported on this day, in UTC.",
            type: "gauge",
            samples: perScope(rows, (row) => used(row).wall_seconds)
          },
          ...(cost === undefined ? [] : [
            {
              name: "octopoid_d1_round_trips_total",
              help: "Batches that were sent to D1.",
              type: "counter" as const,
              samples: [{ labels: {}, value: Number(cost.trips) }]
            },
            {
              name: "octopoid_d1_statements_total",
              help: "Statements that were sent to D1.",
              type: "counter" as const,
              samples: [{ labels: {}, value: Number(cost.statements) }]
            },
            {
              name: "octopoid_d1_rows_total",
              help: "Rows that D1 bills, read and written.",
              type: "counter" as const,
              samples: [
                { labels: { kind: "read" }, value: Number(cost.rows_read) },
                { labels: { kind: "written" }, value: Number(cost.rows_written) }
              ]
            }
          ])
        ])
      })

      return Metrics.of({ read })
    })
  )
}
