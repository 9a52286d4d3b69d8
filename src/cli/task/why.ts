/** `tasks explain`, `tasks graph` and `tasks history`: why a task is as it is. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type { HistoryEntry, OrchestratorId, TaskId } from "../../client.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given, optional } from "../command.ts"
import { tree } from "../show/Graph.ts"
import { amount, instant } from "../show/Moment.ts"
import { queueStyle } from "../show/queueStyle.ts"
import * as Screen from "../show/Screen.ts"
import { table } from "../show/Table.ts"
import { line, styled, wrapped } from "../show/Text.ts"
import { taskArgument } from "./list.ts"

export const explain = Command.make("explain", {
  task: taskArgument,
  machine: Flag.String("machine").pipe(Flag.withDescription("The machine that would claim it"), Flag.optional),
  queue: Flag.String("queue").pipe(Flag.withDescription("The queue that the claim would name"), Flag.optional),
  account: Flag.String("account").pipe(Flag.withDescription("The account that the claim would name"), Flag.optional)
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.tasks.explain({
      params: { id: flags.task as TaskId },
      query: {
        ...optional("orchestrator_id", given(flags.machine) as OrchestratorId | undefined),
        ...optional("queue", given(flags.queue)),
        ...optional("account", given(flags.account))
      }
    })
    yield* Screen.show(found, ({ claimable, queue, reasons, task_id }) =>
      [
        `${styled("bold", line(task_id))} in ${styled(queueStyle(queue), line(queue))}: ${
          claimable ? styled("green", "can be claimed") : styled("red", "cannot be claimed")
        }`,
        ...reasons.flatMap(({ blocking, message }) =>
          wrapped(line(message), Screen.width() - 4).map((text, at) =>
            `  ${at > 0 ? " " : blocking ? styled("red", "✗") : styled("dim", "·")} ${text}`
          )
        )
      ].join("\n"))
  })).pipe(
    described("Explain why nobody has a task.", "the answer of GET /api/v1/tasks/:id/explain."),
    examples(["tasks explain login --machine home-laptop", "Why does this machine not get it?"])
  )

export const graph = Command.make("graph", {
  task: taskArgument,
  depth: Flag.Int("depth").pipe(
    Flag.withDescription("How many dependencies to follow in each direction: 10 unless given"),
    Flag.optional
  )
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.tasks.graph({
      params: { id: flags.task as TaskId },
      query: optional("depth", given(flags.depth))
    })
    yield* Screen.show(found, ({ edges, nodes, task_id, truncated }) =>
      [
        tree(nodes, edges, Screen.width(), task_id),
        ...(truncated ? [styled("dim", `There are more tasks than these ${amount(nodes.length)}.`)] : [])
      ].join("\n"))
  })).pipe(
    described(
      "Show the blockers and dependents of a task as a tree: what waits stands below what it waits for.",
      "the answer of GET /api/v1/tasks/:id/graph."
    )
  )

const historyTable = (entries: ReadonlyArray<HistoryEntry>, width: number): string =>
  table(entries, [
    { head: "v", of: ({ version }) => version, right: true },
    { head: "at (UTC)", of: ({ at }) => instant(at).slice("2026-".length, -1), whole: true },
    { head: "what", of: ({ event }) => event, whole: true },
    {
      head: "queue",
      of: ({ from_queue, to_queue }) => from_queue === to_queue ? to_queue : `${from_queue ?? ""}→${to_queue ?? ""}`,
      style: ({ to_queue }) => queueStyle(to_queue)
    },
    { head: "by", of: ({ actor }) => actor },
    { head: "why", of: ({ reason }) => reason, prose: true }
  ], width)

export const history = Command.make("history", {
  task: taskArgument,
  limit: Flag.Int("limit").pipe(
    Flag.withAlias("n"),
    Flag.withDescription("How many entries at most; all unless given"),
    Flag.optional
  ),
  cursor: Flag.String("cursor").pipe(
    Flag.withDescription("The next page: next_cursor of the one before"),
    Flag.optional
  )
}, (flags) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.tasks.history({
      params: { id: flags.task as TaskId },
      query: { ...optional("limit", given(flags.limit)), ...optional("cursor", given(flags.cursor)) }
    })
    yield* Screen.show(found, ({ history, next_cursor, total }) =>
      [
        historyTable(history, Screen.width()),
        ...(next_cursor === null ? [] : [
          styled("dim", `${amount(history.length)} of ${amount(total)}. The next: --cursor ${next_cursor}`)
        ])
      ].join("\n"))
  })).pipe(
    described(
      "Show what happened to a task, also to one that was deleted.",
      "the answer of GET /api/v1/tasks/:id/history."
    )
  )
