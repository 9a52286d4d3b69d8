/** `octopoid-server status`: the state of a scope at a glance. */
import * as Command from "effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Overview } from "../../client.ts"
import { connect } from "../ask/Server.ts"
import { described } from "../command.ts"
import { amount, brief, count, dollars, relative } from "../show/Moment.ts"
import { queueStyle } from "../show/queueStyle.ts"
import * as Screen from "../show/Screen.ts"
import { type Column, table } from "../show/Table.ts"
import { line, styled } from "../show/Text.ts"

/** How many rows of each list are shown. */
const Shown = 8

type Items<K extends "failures" | "held" | "questions" | "reviews"> = Overview[K]["items"][number]

const total = ({ exact, total }: { readonly exact: boolean; readonly total: number }) =>
  `${amount(total)}${exact ? "" : " or more"}`

const text = (overview: Overview, url: string, now: number): string => {
  const width = Screen.width()
  const section = <Row>(
    title: string,
    list: { readonly exact: boolean; readonly total: number; readonly items: ReadonlyArray<Row> },
    columns: ReadonlyArray<Column<Row>>,
    hint?: string
  ) => {
    if (list.total === 0) return []
    const more = list.total - Math.min(Shown, list.items.length)
    const rest = more > 0 || hint !== undefined
      ? [
        styled(
          "dim",
          `  ${[more > 0 ? `${amount(more)} more` : "", hint ?? ""].filter((part) => part !== "").join(" · ")}`
        )
      ]
      : []
    return ["", `${styled("bold", title)} (${total(list)})`, table(list.items.slice(0, Shown), columns, width), ...rest]
  }
  const queues = Object.entries(overview.queues).map(([queue, n]) =>
    styled(queueStyle(queue), `${line(queue)} ${amount(n)}`)
  )
  const oldest = overview.oldest_ready
  // A lost lease mends itself. A failure waits for a person, so it comes first.
  const { items } = overview.failures
  const isFailure = ({ to_queue }: Items<"failures">) => to_queue === "failed"
  const failures = {
    ...overview.failures,
    items: [...items.filter(isFailure), ...items.filter((item) => !isFailure(item))]
  }
  // As caps count tokens: without those of a cache.
  const today = overview.usage.reduce(
    (sum, { cost_usd, input_tokens, output_tokens }) => ({
      cost: sum.cost + cost_usd,
      tokens: sum.tokens + input_tokens + output_tokens
    }),
    { cost: 0, tokens: 0 }
  )
  const done = overview.lives.hours.reduce((sum, hour) => sum + hour.done, 0)
  return [
    `${styled("bold", `Scope ${line(overview.scope)}`)} on ${line(url)}`,
    queues.length === 0
      ? "No tasks yet. Create one with: octopoid-server tasks create"
      : queues.join(styled("dim", " · ")),
    `${amount(done)}${overview.lives.exact ? "" : " or more"} done in 24 h · used: ${dollars(today.cost)}, ${
      count(today.tokens, "token")
    }`,
    ...(oldest === null ? [] : [
      `Oldest that is ready: ${line(oldest.task_id)} (${relative(oldest.created_at, now).replace(" ago", "")} old) ${
        line(oldest.title)
      }`
    ]),
    ...section<Items<"reviews">>("Waiting for review", overview.reviews, [
      { head: "task", of: (row) => row.task_id, whole: true },
      { head: "title", of: (row) => row.title, prose: true },
      { head: "by", of: (row) => row.submitted_by },
      { head: "ago", of: (row) => brief(row.submitted_at, now) }
    ], "octopoid-server review"),
    ...section<Items<"questions">>("Questions", overview.questions, [
      { head: "message", of: (row) => row.id, whole: true },
      { head: "task", of: (row) => row.task_id, whole: true },
      { head: "from", of: (row) => row.from_actor },
      { head: "asks", of: (row) => row.content, prose: true },
      { head: "ago", of: (row) => brief(row.created_at, now) }
    ], "octopoid-server inbox"),
    ...section<Items<"failures">>("Failures and lost leases in 24 h, also those mended since", failures, [
      { head: "task", of: (row) => row.task_id, whole: true },
      { head: "what", of: (row) => row.event, style: () => "red" },
      { head: "led to", of: (row) => row.to_queue },
      { head: "why", of: (row) => row.reason ?? row.title, prose: true },
      { head: "ago", of: (row) => brief(row.at, now) }
    ], "octopoid-server tasks list --queue failed has those that are failed now"),
    ...section<Items<"held">>("Held", overview.held, [
      { head: "task", of: (row) => row.task_id, whole: true },
      { head: "title", of: (row) => row.title, prose: true },
      { head: "agent", of: (row) => row.claimed_by },
      { head: "machine", of: (row) => row.orchestrator_id, whole: true },
      { head: "lease ends", of: (row) => brief(row.lease_expires_at, now) },
      { head: "note", of: (row) => row.note, prose: true }
    ]),
    ...section<Overview["machines"]["items"][number]>("Machines", overview.machines, [
      { head: "machine", of: (row) => row.id, whole: true },
      { head: "status", of: (row) => row.status, style: (row) => row.status === "active" ? "green" : "yellow" },
      { head: "holds", of: (row) => row.holds, right: true }
    ]),
    ...section<Overview["projects"]["items"][number]>("Projects", overview.projects, [
      { head: "project", of: (row) => row.id, whole: true },
      { head: "title", of: (row) => row.title, prose: true },
      { head: "status", of: (row) => row.status },
      {
        head: "tasks",
        of: (row) => Object.entries(row.counts).map(([queue, n]) => `${queue} ${n}`).join(", "),
        prose: true
      }
    ])
  ].join("\n")
}

export const status = Command.make("status", {}, () =>
  Effect.gen(function*() {
    const { api, server } = yield* connect
    const overview = yield* api.overview.read({ query: {} })
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(overview, (value) => text(value, server.url, now))
  })).pipe(
    described(
      "Show the state of a scope: queues, reviews, questions, failures, machines and projects.",
      "the overview, as GET /api/v1/overview answers it."
    )
  )
