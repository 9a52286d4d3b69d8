/** The feed of a scope: every change of its tasks, numbered in the order of commits. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { CommaList, describe, ErrorText, integerParameter, JsonColumn, Time, TimeColumn } from "../Encoding.ts"
import { MaxReason } from "../Excerpt.ts"
import { ProjectId, QueueName, ScopeName, TaskId } from "../Identifier.ts"
import { MaxLimit } from "../Page.ts"
import { TaggedError } from "../TaggedError.ts"

/** What happens to tasks: the values of `event` in the feed and in histories. */
export const eventTypes = [
  "created",
  "imported",
  "edited",
  "patched",
  "force_queue",
  "claimed",
  "review_claimed",
  "reattached",
  "released",
  "parked",
  "asked",
  "answered",
  "lease_expired",
  "review_lease_expired",
  "deadline_exceeded",
  "submitted",
  "burnout_detected",
  "accepted",
  "rejected",
  "requeued",
  "failed",
  "cancel_requested",
  "cancelled",
  "redriven",
  "backoff_ended",
  "hook_completed",
  "dependencies_changed",
  "blockers_changed",
  "unblocked",
  "dependency_failed",
  "deleted",
  "unclaimable",
  "breaker_opened",
  "breaker_closed"
] as const

const fields = <T extends Schema.Top, J extends Schema.Top>(time: T, json: J) => ({
  seq: Schema.Int.pipe(describe("The number of the change in the feed of its scope.")),
  task_id: Schema.NullOr(TaskId).pipe(describe("The task; null if the change is one of a breaker.")),
  scope: ScopeName,
  version: Schema.NullOr(Schema.Int).pipe(
    describe("The version of the task after the change; null if there is no task.")
  ),
  event: Schema.String.pipe(
    describe("What happened: `created`, `claimed`, `submitted` … A later release may add more.")
  ),
  title: Schema.NullOr(Schema.String).pipe(describe("The title of the task before the change.")),
  project_id: Schema.NullOr(ProjectId).pipe(describe("The project of the task before the change; null if none.")),
  from_queue: Schema.NullOr(QueueName).pipe(describe("The queue of the task before; null at its creation.")),
  to_queue: Schema.NullOr(QueueName).pipe(describe("The queue of the task afterwards; null at its deletion.")),
  actor: Schema.NullOr(Schema.String).pipe(describe("The actor, or the holder of the lease.")),
  reason: Schema.NullOr(Schema.String).pipe(
    describe(`Why, in the words of the caller: ${MaxReason} characters of it, and \`…\` where it was cut.`)
  ),
  details: Schema.NullOr(json).pipe(describe("Further details of the change.")),
  at: time
})

export const TaskEvent = Schema.Struct(fields(Time, Schema.Json)).annotate({ identifier: "TaskEvent" })
export type TaskEvent = typeof TaskEvent.Type

export const EventRow = Schema.Struct(fields(TimeColumn, JsonColumn))

export const EventPage = Schema.Struct({
  events: Schema.Array(TaskEvent).pipe(describe("The changes after `after` that match, in the order of commits.")),
  after: Schema.Int.pipe(describe("The number that the page begins after.")),
  next: Schema.Int.pipe(
    describe(
      "The `after` of the next request. If it is less than `latest`, more may follow: ask again at once, also after an empty page."
    )
  ),
  latest: Schema.Int.pipe(describe("The number of the newest change of the scope; 0 if there was none.")),
  gap: Schema.Boolean.pipe(
    describe(
      "Whether numbers between `after` and `next` have no entry: retention removed it, or the database was restored. A reader that keeps a copy has to read the tasks again."
    )
  )
})
export type EventPage = typeof EventPage.Type

/** How many changes a page has unless the request says otherwise. */
export const DefaultEvents = 100

/** A place in a feed: the number of a change, or `latest`. */
export type Place = number | "latest"

const Place = Schema.String.check(
  Schema.isPattern(/^(latest|\d{1,15})$/, { expected: "`latest` or a whole number" })
).pipe(
  Schema.decodeTo(
    Schema.Union([Schema.Int, Schema.Literal("latest")]),
    SchemaTransformation.transform({
      decode: (text) => text === "latest" ? text : Number(text),
      encode: (place) => String(place)
    })
  )
)

export const eventParameters = {
  after: Schema.optionalKey(Place.pipe(describe(
    "The number of a change: the page begins after it. Send `next` of the page before. `latest`: after the newest change. Without it, and without `since`, the feed begins with its oldest change."
  ))),
  since: Schema.optionalKey(Time.pipe(describe(
    "An instant: the page begins with the first change at that time, or up to a minute before. Not together with `after`."
  ))),
  types: Schema.optionalKey(CommaList).pipe(
    describe(`What happened; \`a,b\` means a or b: ${eventTypes.map((type) => `\`${type}\``).join(", ")}.`)
  ),
  task_id: Schema.optionalKey(TaskId),
  project_id: Schema.optionalKey(ProjectId),
  limit: Schema.optionalKey(
    integerParameter({ minimum: 1 }).pipe(
      Schema.decodeTo(
        Schema.Int,
        SchemaTransformation.transform({ decode: (n) => Math.min(n, MaxLimit), encode: (n) => n })
      ),
      describe(
        `How many changes at most: ${DefaultEvents} unless given, never more than ${MaxLimit}. A page of long texts ends earlier, at about 4 MB.`
      )
    )
  )
}
const EventQuery = Schema.Struct(eventParameters)
export type EventQuery = typeof EventQuery.Type

export class UnknownEventType extends TaggedError<UnknownEventType>()(
  "UnknownEventType",
  {
    error: ErrorText,
    types: Schema.Array(Schema.String).pipe(describe("The types that the server does not know.")),
    known: Schema.Array(Schema.String).pipe(describe("The types that it knows."))
  },
  { httpApiStatus: 400, description: "`types` names something that does not happen to tasks." }
) {
  static readonly of = (types: ReadonlyArray<string>) =>
    new UnknownEventType({
      error: `No change has the type ${types.join(" or ")}. Known types: ${eventTypes.join(", ")}.`,
      types,
      known: eventTypes
    })
}

export class InvalidPlace extends TaggedError<InvalidPlace>()(
  "InvalidPlace",
  {
    error: ErrorText,
    latest: Schema.NullOr(Schema.Int).pipe(describe("The newest number of the feed, if the place is beyond it."))
  },
  { httpApiStatus: 400, description: "The feed has no such place." }
) {
  /** Only a restored database or another scope explains such a number. To wait for it would hide changes. */
  static readonly beyond = (after: number, scope: string, latest: number) =>
    new InvalidPlace({
      error:
        `The feed of scope ${scope} ends at ${latest}, before ${after}. The number is of another scope, or of a database that was restored since. Read the tasks again, and go on after ${latest}.`,
      latest
    })
  static readonly twice = () =>
    new InvalidPlace({ error: "Both after and since say where the page begins: leave out one of them.", latest: null })
  static readonly unreadable = (text: string) =>
    new InvalidPlace({ error: `Last-Event-ID is no number of a change: ${text}`, latest: null })
}

export class EventStreamOff extends TaggedError<EventStreamOff>()(
  "EventStreamOff",
  { error: ErrorText },
  { httpApiStatus: 406, description: "The request accepts only a stream of events, and the server sends none." }
) {
  static readonly of = () =>
    new EventStreamOff({
      error:
        "This server sends no streams of events, because its setting EVENT_STREAM is off. Ask for pages with Accept: application/json, or have the operator set EVENT_STREAM=true."
    })
}
