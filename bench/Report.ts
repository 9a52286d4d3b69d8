/** The figures as Markdown tables, and as a plot. */
import { quantile } from "../scripts/prove/soak/Windows.ts"
import { type Comparison, type Server, servers } from "./Compare.ts"
import type { AtDepth, Row } from "./Counts.ts"
import { steps } from "./Life.ts"
import type { Result } from "./Load.ts"
import * as Plot from "./Plot.ts"

export const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>, texts = 1) =>
  [head, head.map((_, n) => n < texts ? "---" : "--:"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n")

const whole = (value: number) => Math.round(value).toLocaleString("en")
const millis = (value: number) => value.toFixed(1)
const times = (value: number) => Number.isFinite(value) ? value.toFixed(2) : "–"

const nameOf = ({ variant, what }: Row) => {
  const name = what === "cron" ? "the cron" : `\`${what.replace("/api/v1/", "/")}\``
  return variant === undefined ? name : `${name} ${variant}`
}

const range = (values: ReadonlyArray<number>) => {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return least === most ? whole(least) : `${whole(least)} to ${whole(most)}`
}

/** Round trips and rows written, and the rows read at each depth. */
export const counts = (depths: ReadonlyArray<AtDepth>): string =>
  table(
    ["request", "round trips", "rows written", ...depths.map(({ depth }) => `rows read at ${whole(depth)}`)],
    depths[0]!.rows.map((row, n) => {
      const costs = depths.map(({ rows }) => rows[n]!.cost)
      return [
        nameOf(row),
        range(costs.map(({ trips }) => trips)),
        range(costs.map(({ written }) => written)),
        ...costs.map(({ read }) => whole(read))
      ]
    })
  )

/** The plotted cases, each with a name for the reader. */
const plotted: ReadonlyArray<readonly [string, string, string?]> = [
  ["create", "POST /api/v1/tasks"],
  ["claim", "POST /api/v1/tasks/claim"],
  ["submit", "POST /api/v1/tasks/:id/submit"],
  ["accept", "POST /api/v1/tasks/:id/accept"],
  ["heartbeat", "POST /api/v1/orchestrators/:id/heartbeat"],
  ["poll", "GET /api/v1/scheduler/poll"],
  ["a page of 50 tasks", "GET /api/v1/tasks", "50 of a queue"],
  ["the cron, idle", "cron", "with nothing to do"],
  ["50 messages and their total", "GET /api/v1/messages", "50 of all, which counts them"]
]

export const plot = (depths: ReadonlyArray<AtDepth>): string =>
  Plot.svg(
    "Rows read by one request",
    depths.map(({ depth }) => depth),
    plotted.map(([name, what, variant]) => ({
      name,
      values: depths.map(({ rows }) => {
        const found = rows.find((row) => row.what === what && row.variant === variant)
        if (found === undefined) throw new Error(`Nothing measured ${what} ${variant ?? ""}, which is to be plotted`)
        return found.cost.read
      })
    }))
  )

const parts = [0.5, 0.95, 0.99]
const allOf = ({ times }: Result) => steps.flatMap((step) => times[step])
const perSecond = (count: number, result: Result) => count / result.millis * 1000
const perLife = ({ cost, lives }: Result) => [cost.trips / lives, cost.read / lives, cost.written / lives]

/** How long each step takes at each depth, for one client. */
export const growthInTime = (depths: ReadonlyArray<AtDepth>): string =>
  table(
    ["tasks in the queue", "history rows", "lives/s", ...steps.map((step) => `${step} p50 / p95 ms`)],
    depths.map(({ depth, history, load }) => [
      whole(depth),
      whole(history),
      millis(perSecond(load.lives, load)),
      ...steps.map((step) => `${millis(quantile(load.times[step], 0.5))} / ${millis(quantile(load.times[step], 0.95))}`)
    ])
  )

/** What each server does, for each number of clients. */
export const sideBySide = ({ results }: Comparison): string =>
  table(
    [
      "clients",
      "server",
      "requests/s",
      "lives/s",
      "p50 ms",
      "p95 ms",
      "p99 ms",
      "round trips a life",
      "rows read",
      "rows written",
      "lost races a life"
    ],
    results.flatMap(({ clients, of }) =>
      servers.map((server) => {
        const result = of[server]
        const all = allOf(result)
        return [
          String(clients),
          server,
          millis(perSecond(all.length, result)),
          millis(perSecond(result.lives, result)),
          ...parts.map((part) => millis(quantile(all, part))),
          ...perLife(result).map(millis),
          times(result.conflicts / result.lives)
        ]
      })
    ),
    2
  )

/** What this server does as a multiple of what another does. */
export const ratios = ({ results }: Comparison): string =>
  table(
    ["clients", "this server to", "lives/s", "p50", "p95", "p99", "round trips", "rows read", "rows written"],
    results.flatMap(({ clients, of }) =>
      servers.slice(1).map((other: Server) => {
        const [a, b] = [of["this server"], of[other]]
        const [own, others] = [perLife(a), perLife(b)]
        return [
          String(clients),
          other,
          times(perSecond(a.lives, a) / perSecond(b.lives, b)),
          ...parts.map((part) => times(quantile(allOf(a), part) / quantile(allOf(b), part))),
          ...own.map((value, n) => times(value / others[n]!))
        ]
      })
    ),
    2
  )

/** Whether the lives a second with 8 clients are what they should be beside the others. */
export const targets = ({ results }: Comparison): string => {
  const { of } = results.find(({ clients }) => clients === 8) ?? results[0]!
  const ratio = (other: Server) =>
    perSecond(of["this server"].lives, of["this server"]) / perSecond(of[other].lives, of[other])
  return table(
    ["lives a second with 8 clients", "ratio", "target", "met"],
    ([["before", 1.5], ["bare batches", 0.9]] as const).map(([other, target]) => [
      `beside ${other}`,
      times(ratio(other)),
      `≥ ${target}`,
      ratio(other) >= target ? "yes" : "**no**"
    ])
  )
}

/** How long each step takes on this server, for each number of clients. */
export const bySteps = ({ results }: Comparison): string =>
  table(
    ["clients", ...steps.map((step) => `${step} p50 / p95 / p99 ms`)],
    results.map(({ clients, of }) => [
      String(clients),
      ...steps.map((step) => parts.map((part) => millis(quantile(of["this server"].times[step], part))).join(" / "))
    ])
  )

/** What the free tier of D1 allows in a day. */
const Free = { read: 5_000_000, written: 100_000 }

export const livesPerDay = ({ results }: Comparison): string => {
  const [, read, written] = perLife(results[0]!.of["this server"]) as [number, number, number]
  return `A life reads ${whole(read)} rows and writes ${whole(written)}: the free tier's ${
    whole(Free.written)
  } written rows `
    + `and ${whole(Free.read)} read rows a day are ${
      whole(Math.floor(Math.min(Free.written / written, Free.read / read)))
    } lives.`
}
