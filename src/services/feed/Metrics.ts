/** The metrics of a scope or of all scopes, in one round trip and from stored counters. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { exposition, type Labels, MaxLeases, MaxReady, MaxScopes, type Sample } from "../../domain/feed/Metrics.ts"
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
    SELECT shown.scope, shown.counts, shown.seq - shown.events_seq AS uncounted,
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

const events = variants((every: boolean) =>
  statement(`
    SELECT event_counts.scope, event, n FROM ${shown(every, MaxScopes)}
    CROSS JOIN event_counts ON event_counts.scope = shown.scope ORDER BY event_counts.scope, event`)
)

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
        const answers = yield* batch({ gauges: gauges(every)(values), events: events(every)(values) })
        const rows = answers.gauges.slice(0, MaxScopes)
        const ofKind = (kinds: Readonly<Record<string, (row: Row) => number>>) =>
          rows.flatMap((row) =>
            Object.entries(kinds).map(([kind, value]) => ({
              labels: { scope: String(row.scope), kind } as Labels,
              value: value(row)
            }))
          )
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
            help: "Changes of tasks by event, as in the feed. The cron counts them every minute.",
            type: "counter",
            samples: answers.events.map(({ event, n, scope }) => ({
              labels: { scope: String(scope), event: String(event) },
              value: Number(n)
            }))
          },
          {
            name: "octopoid_events_uncounted",
            help: "Changes that octopoid_events_total does not count yet.",
            type: "gauge",
            samples: perScope(rows, ({ uncounted }) => Number(uncounted))
          },
          {
            name: "octopoid_usage_cost_dollars_total",
            help: "Dollars that agents reported. It begins at 0 each day in UTC.",
            type: "counter",
            samples: perScope(rows, (row) => used(row).cost_usd)
          },
          {
            name: "octopoid_usage_tokens_total",
            help: "Tokens that agents reported, by kind. It begins at 0 each day in UTC.",
            type: "counter",
            samples: ofKind({
              input: (row) => used(row).input_tokens,
              output: (row) => used(row).output_tokens,
              cached: (row) => used(row).cached_tokens
            })
          },
          {
            name: "octopoid_usage_seconds_total",
            help: "Seconds that agents reported. It begins at 0 each day in UTC.",
            type: "counter",
            samples: perScope(rows, (row) => used(row).wall_seconds)
          }
        ])
      })

      return Metrics.of({ read })
    })
  )
}
