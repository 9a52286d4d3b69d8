/** `tasks list` and `tasks show`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Task, TaskId } from "../../client.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given, optional } from "../command.ts"
import { amount } from "../show/Moment.ts"
import * as Progress from "../show/Progress.ts"
import * as Screen from "../show/Screen.ts"
import { styled } from "../show/Text.ts"
import { doubt } from "./doubt.ts"
import { taskInFull, tasksTable } from "./shown.ts"

export const taskArgument = Argument.String("task").pipe(Argument.withDescription("The id of the task"))

/** A filter by one or more values. */
const filter = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(`${description}; a,b means a or b`), Flag.optional)
const parts = (text: Option.Option<string>) => given(Option.map(text, (one) => one.split(",")))

const MaxAll = 100_000

export const list = Command.make("list", {
  queue: filter("queue", "Only tasks of this queue"),
  priority: filter("priority", "Only of this priority"),
  role: filter("role", "Only for this role"),
  type: filter("type", "Only of this type"),
  project: Flag.String("project").pipe(Flag.withDescription("Only of this project"), Flag.optional),
  holder: Flag.String("holder").pipe(Flag.withDescription("Only what this agent holds"), Flag.optional),
  machine: Flag.String("machine").pipe(Flag.withDescription("Only what this machine holds"), Flag.optional),
  search: Flag.String("search").pipe(
    Flag.withAlias("s"),
    Flag.withDescription("Only with this text in the id, title, branch, path or external key"),
    Flag.optional
  ),
  urgent: Flag.Boolean("urgent").pipe(
    Flag.withoutNegation,
    Flag.withDescription("The most urgent first; otherwise the newest"),
    Flag.withDefault(false)
  ),
  limit: Flag.Int("limit").pipe(
    Flag.withAlias("n"),
    Flag.withDescription("How many at most: 30 unless given, 500 at most"),
    Flag.optional
  ),
  cursor: Flag.String("cursor").pipe(
    Flag.withDescription("The next page: next_cursor of the one before"),
    Flag.optional
  ),
  all: Flag.Boolean("all").pipe(
    Flag.withoutNegation,
    Flag.withDescription(`All pages, up to ${amount(MaxAll)} tasks`),
    Flag.withDefault(false)
  )
}, (flags) =>
  Effect.gen(function*() {
    const { api, server } = yield* connect
    const page = (cursor: string | undefined) =>
      api.tasks.list({
        query: {
          content: false,
          limit: given(flags.limit) ?? (flags.all ? 500 : 30),
          ...optional("queue", parts(flags.queue)),
          ...optional("priority", parts(flags.priority)),
          ...optional("role", parts(flags.role)),
          ...optional("type", parts(flags.type)),
          ...optional("project_id", given(flags.project)),
          ...optional("claimed_by", given(flags.holder)),
          ...optional("orchestrator_id", given(flags.machine)),
          ...optional("q", given(flags.search)),
          ...optional("sort", flags.urgent ? "priority" as const : undefined),
          ...optional("cursor", cursor)
        }
      })
    const first = yield* page(given(flags.cursor))
    const tasks: Array<Task> = [...first.tasks]
    let next = first.next_cursor
    if (flags.all) {
      const progress = Progress.make("tasks read")
      while (next !== null && tasks.length < MaxAll) {
        progress.at(tasks.length, first.total)
        const later = yield* Effect.ensuring(page(next), Effect.sync(progress.end))
        tasks.push(...later.tasks)
        next = later.next_cursor
      }
    }
    if (tasks.length === 0 && next === null) yield* doubt(api, server, parts(flags.queue) ?? [])
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show({ tasks, total: first.total, next_cursor: next }, () =>
      tasks.length === 0
        ? next === null ? "No tasks." : `None among the tasks that were looked at. Go on with --cursor ${next}`
        : [
          tasksTable(tasks, now, Screen.width()),
          ...(next === null ? [] : [
            styled(
              "dim",
              `${amount(tasks.length)} of ${amount(first.total)}. All of them: --all. The next: --cursor ${next}`
            )
          ])
        ].join("\n"))
  })).pipe(
    described(
      "List tasks, without their content.",
      "{ tasks, total, next_cursor }, each task as GET /api/v1/tasks answers it."
    ),
    examples(
      ["tasks list --queue failed", "What failed, and why"],
      ["tasks list --queue incoming --urgent", "What is claimed next"]
    )
  )

export const show = Command.make("show", { task: taskArgument }, ({ task }) =>
  Effect.gen(function*() {
    const { api } = yield* connect
    const found = yield* api.tasks.get({ params: { id: task as TaskId }, query: {} })
    const now = yield* Clock.currentTimeMillis
    yield* Screen.show(found, (value) => taskInFull(value, now, Screen.width()))
  })).pipe(described("Show a task in full.", "the task, as GET /api/v1/tasks/:id answers it."))
