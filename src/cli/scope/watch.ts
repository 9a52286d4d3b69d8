/** `octopoid-server watch`: the changes of a scope as they happen. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type { EventPage, ProjectId, TaskEvent, TaskId } from "../../client.ts"
import * as Push from "../../client/call/Push.ts"
import { usage } from "../ask/Failure.ts"
import { connect } from "../ask/Server.ts"
import { described, examples, given, optional } from "../command.ts"
import { queueStyle } from "../show/queueStyle.ts"
import * as Screen from "../show/Screen.ts"
import { cut, line, type Style, styled, widthOf } from "../show/Text.ts"

const LongestPause = 30

/** A server that says when something happens is asked at least so often all the same, in seconds. */
const PushedPause = 60

const alarming = new Set([
  "failed",
  "dependency_failed",
  "lease_expired",
  "review_lease_expired",
  "deadline_exceeded",
  "rejected"
])

const styleOf = ({ event, to_queue }: TaskEvent): Style | undefined =>
  alarming.has(event) ? "red" : queueStyle(to_queue)

/** `12:30:05`, in the time of this machine. */
const clock = (at: TaskEvent["at"]): string => {
  const date = new Date(DateTime.toEpochMillis(at))
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":")
}

const lineOf = (event: TaskEvent, width: number): string => {
  const queues = event.from_queue === event.to_queue || event.to_queue === null || event.from_queue === null
    ? line(event.to_queue)
    : `${line(event.from_queue)} → ${line(event.to_queue)}`
  const head = `${clock(event.at)}  ${styled(styleOf(event), line(event.event).padEnd(14))} ${line(event.task_id)}`
  const rest = [
    queues,
    event.actor === null ? "" : `by ${line(event.actor)}`,
    event.reason === null ? "" : `“${line(event.reason)}”`,
    line(event.title)
  ].filter((part) => part !== "").join(" · ")
  const room = width - widthOf(head) - 2
  return room < 10 ? head : `${head}  ${styled("dim", cut(rest, room))}`
}

export const watch = Command.make("watch", {
  since: Flag.Date("since").pipe(
    Flag.withMetavar("time"),
    Flag.withDescription("Begins with the changes at this time; otherwise with the next change"),
    Flag.optional
  ),
  after: Flag.Int("after").pipe(
    Flag.withDescription("Begins after the change of this number; 0 is the whole feed"),
    Flag.optional
  ),
  types: Flag.String("types").pipe(Flag.withDescription("Only these changes, such as failed,rejected"), Flag.optional),
  task: Flag.String("task").pipe(Flag.withDescription("Only changes of this task"), Flag.optional),
  project: Flag.String("project").pipe(Flag.withDescription("Only changes of tasks of this project"), Flag.optional),
  every: Flag.Finite("every").pipe(
    Flag.withMetavar("seconds"),
    Flag.withDescription(
      "How often to look: 2 seconds unless given. A look that finds nothing reads one row. A server that pushes its feed is looked at when something happens"
    ),
    Flag.withDefault(2),
    Flag.filter((n) => n >= 0.2 && n <= 3600, (n) => `--every is a number of seconds from 0.2 to 3600, not ${n}`)
  ),
  once: Flag.Boolean("once").pipe(
    Flag.withoutNegation,
    Flag.withDescription("Ends when all changes so far are shown"),
    Flag.withDefault(false)
  )
}, (flags) =>
  Effect.gen(function*() {
    if (Option.isSome(flags.since) && Option.isSome(flags.after)) {
      return yield* usage("Give --since or --after, not both.")
    }
    const { api, server } = yield* connect
    const asJson = yield* Screen.wantsJson
    const since = given(flags.since)
    const filters = {
      ...optional("types", given(flags.types)?.split(",")),
      ...optional("task_id", given(flags.task) as TaskId | undefined),
      ...optional("project_id", given(flags.project) as ProjectId | undefined)
    }
    const page = (place: { readonly after?: number | "latest"; readonly since?: DateTime.Utc }) =>
      api.events.list({ query: { limit: 200, ...filters, ...place } })
    const print = (found: EventPage) =>
      Effect.gen(function*() {
        if (found.gap) {
          yield* Screen.note(
            styled("yellow", "Some changes are missing: retention removed them, or the database was restored.")
          )
        }
        for (const event of found.events) {
          yield* asJson ? Screen.documentLine(event) : Screen.out(lineOf(event, Screen.width()))
        }
        return found.next
      })
    if (!flags.once) yield* Screen.note(styled("dim", `Watching ${line(server.url)}. Ctrl-C ends it.`))
    const first = yield* page(
      since !== undefined
        ? { since: DateTime.fromDateUnsafe(since) }
        : { after: given(flags.after) ?? (flags.once ? 0 : "latest") }
    )
    let after = yield* print(first)
    let latest = first.latest
    if (flags.once && after >= latest) return
    // Opened when there may be something to read.
    const news = Latch.makeUnsafe()
    const push = flags.once ? undefined : Push.make(
      { baseUrl: server.url, token: server.key, scope: server.scope },
      { types: given(flags.types), task_id: given(flags.task), project_id: given(flags.project), after: "latest" },
      { changed: news.open, heard: () => news.open }
    )
    if (push !== undefined) yield* Effect.forkChild(push.listening)
    for (let failures = 0;;) {
      if (after >= latest) {
        if (flags.once) return
        const seconds = push?.isOpen() && failures === 0
          ? Math.max(PushedPause, flags.every)
          : Math.max(flags.every, Math.min(LongestPause, flags.every * 2 ** failures))
        const pause = Effect.sleep(`${seconds} seconds`)
        yield* push === undefined || failures > 0 ? pause : Effect.race(pause, news.await)
      }
      news.closeUnsafe()
      // A server that is away for a while loses no change: the place in the feed is kept.
      const found = yield* Effect.catchTag(
        page({ after }),
        ["NoUsableAnswer", "DatabaseUnavailable", "InternalError"],
        (error) =>
          Effect.as(
            failures === 0 ? Screen.err(styled("yellow", `${line(error.error)} Trying again …`)) : Effect.void,
            undefined
          )
      )
      if (found === undefined) {
        failures = Math.min(failures + 1, 10)
        continue
      }
      if (failures > 0) yield* Screen.note(styled("dim", "The server answers again."))
      failures = 0
      after = yield* print(found)
      latest = found.latest
    }
  }).pipe(Effect.scoped)).pipe(
    described(
      "Follow the changes of a scope as they happen.",
      "one JSON document in each line, a change as GET /api/v1/events answers it.",
      "It goes on until Ctrl-C, also while the server is away, and misses no change."
    ),
    examples(
      ["watch --types failed,lease_expired", "Only what goes wrong"],
      ["watch --after 0 --once --json", "The whole feed, for a program"]
    )
  )
