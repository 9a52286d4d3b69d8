/** The overview of a scope: what a person or a page wants to see first. */
import * as Schema from "effect/Schema"
import { describe, jsonColumn, text, Time, TimeColumn } from "../Encoding.ts"
import { MessageId, OrchestratorId, ProjectId, QueueName, ScopeName, TaskId } from "../Identifier.ts"
import { Park, ParkRow } from "../lease/Park.ts"
import { OrchestratorStatus } from "../machine/Orchestrator.ts"
import { UsageSum } from "../record/Usage.ts"
import { EvidenceShown } from "../task/Evidence.ts"

/** How many items a list has. */
export const MaxListed = 50

/** How far a total counts. */
export const MaxCounted = 200

/** How many projects an overview looks at: the newest. */
export const MaxProjectsSeen = 100

/** How many characters of a text an overview shows. */
export const MaxShown = 300

/** The events of a failure or a lost lease. Other changes count if they lead to `failed`. */
export const failures = [
  "failed",
  "dependency_failed",
  "lease_expired",
  "review_lease_expired",
  "deadline_exceeded"
] as const

/** The statuses of projects that nobody works on. The status of a project is free text. */
export const closedStatuses = ["completed", "complete", "done", "archived", "cancelled"] as const

/** The receiver of a message that is meant for a person. */
export const Person = "human"

/** The types of messages that somebody has to answer. */
export const questionTypes = ["question", "intervention_request"] as const

const shown = (description: string) => text(`${description}: the first ${MaxShown} characters.`)
const optional = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.NullOr(schema).pipe(describe(description))

const projectFields = <C extends Schema.Top>(counts: C) => ({
  id: ProjectId,
  title: shown("What it is about"),
  status: shown("Free text"),
  branch: shown("The branch its tasks work on"),
  counts: counts.pipe(describe("How many of its tasks each queue holds. A queue without tasks is left out."))
})

const heldFields = <T extends Schema.Top>(time: T) => ({
  task_id: TaskId,
  title: shown("The title of the task"),
  queue: QueueName.pipe(describe("`claimed`, or the queue of a task that is under review.")),
  project_id: optional(ProjectId, "Its project; null if none."),
  claimed_by: shown("The agent that holds it"),
  orchestrator_id: optional(OrchestratorId, "The machine that holds it; null if none is known."),
  claimed_at: time.pipe(describe("When it was claimed.")),
  lease_expires_at: time.pipe(describe("The first clock: when the lease ends unless it is renewed.")),
  deadline_at: optional(time, "The second clock: when the attempt has to end; null if it may take any time."),
  note: shown("The notes of the last checkpoint"),
  note_at: optional(time, "When the last checkpoint was written; null if there is none.")
})

const reviewFields = <T extends Schema.Top, E extends Schema.Top>(time: T, evidence: E) => ({
  task_id: TaskId,
  title: shown("The title of the task"),
  project_id: optional(ProjectId, "Its project; null if none."),
  submitted_by: shown("The agent that handed it in"),
  submitted_orchestrator_id: optional(OrchestratorId, "The machine that handed it in."),
  submitted_at: optional(time, "When it was handed in."),
  branch: shown("The branch with the work"),
  head_commit: shown("The newest commit that is known of it"),
  commits_count: Schema.Int.pipe(describe("How many commits the result has.")),
  pr_number: optional(Schema.Int, "Its pull request's number."),
  pr_url: text("Its pull request's address; null also if that is longer than 1,000 characters."),
  evidence: evidence.pipe(describe("Its evidence: kinds, how their commands ended, and what is stale."))
})

const questionFields = <T extends Schema.Top>(time: T) => ({
  id: MessageId,
  task_id: shown("What it is about: a task, or another text"),
  type: shown("The kind of message"),
  from_actor: shown("Who asks"),
  content: shown("What it says"),
  created_at: time.pipe(describe("When it arrived."))
})

const failureFields = <T extends Schema.Top>(time: T) => ({
  seq: Schema.Int.pipe(describe("The number of the change in the feed.")),
  task_id: TaskId,
  event: Schema.String.pipe(describe("What happened, as in the feed.")),
  title: shown("The title of the task"),
  project_id: optional(ProjectId, "Its project; null if none."),
  to_queue: optional(QueueName, "The queue of the task afterwards."),
  actor: shown("The actor, or the holder of the lease"),
  reason: shown("Why"),
  at: time.pipe(describe("When it happened."))
})

const oldestFields = <T extends Schema.Top>(time: T) => ({
  task_id: TaskId,
  title: shown("The title of the task"),
  priority: shown("Its priority"),
  created_at: time.pipe(describe("When it was created. Its age is the time since then."))
})

const breakerFields = <T extends Schema.Top>(time: T) => ({
  project_id: optional(ProjectId, "The project whose claims it stops; null if it stops those of the scope."),
  opened_at: time.pipe(describe("When it opened.")),
  reason: shown("The reason of the failure that opened it"),
  next_canary_at: time.pipe(describe("When the next canary may be claimed, unless one is at work.")),
  canary_task_id: optional(TaskId, "The canary that is at work; null if there is none.")
})

const unclaimableFields = <T extends Schema.Top>(time: T) => ({
  task_id: TaskId,
  title: shown("The title of the task"),
  queue: QueueName,
  role: shown("The role that it is for"),
  project_id: optional(ProjectId, "Its project; null if none."),
  why: Schema.Literals(["no_active_orchestrator", "unknown_role"]).pipe(
    describe(
      "`no_active_orchestrator`: no machine of the scope is active. `unknown_role`: the scope does not know its role."
    )
  ),
  at: time.pipe(describe("When the server noticed."))
})

const rows = <F extends Schema.Struct.Fields>(fields: F) => Schema.Array(Schema.Struct(fields))

/** The rows of each list, as statements answer them. */
export const rowsOf = {
  held: rows(heldFields(TimeColumn)),
  reviews: rows(reviewFields(TimeColumn, jsonColumn(Schema.Array(EvidenceShown)))),
  questions: rows(questionFields(TimeColumn)),
  failures: rows(failureFields(TimeColumn)),
  oldest: rows(oldestFields(TimeColumn)),
  breakers: rows(breakerFields(TimeColumn)),
  unclaimable: rows(unclaimableFields(TimeColumn)),
  parks: Schema.Array(ParkRow)
}

const exact = Schema.Boolean.pipe(
  describe("Whether `total` is the number. If not, it is at least that number: the server counted no further.")
)

const list = <F extends Schema.Struct.Fields>(fields: F) => ({
  total: Schema.Int.pipe(describe("How many there are.")),
  exact,
  items: rows(fields).pipe(describe(`At most ${MaxListed} of them.`))
})
const listOf = <F extends Schema.Struct.Fields>(fields: F, description: string) =>
  Schema.Struct(list(fields)).pipe(describe(description))

const Counts = Schema.Record(Schema.String, Schema.Int)

export const Overview = Schema.Struct({
  scope: ScopeName,
  since: Time.pipe(describe("`failures` begin here.")),
  queues: Counts.pipe(describe("How many tasks each queue holds. A queue without tasks is left out.")),
  oldest_ready: optional(
    Schema.Struct(oldestFields(Time)),
    "The oldest task in `incoming` that may be claimed; null if there is none. Tasks of the first 20 priorities are looked at."
  ),
  projects: listOf(
    projectFields(Counts),
    `The open projects, the newest first. The newest ${MaxProjectsSeen} projects are looked at.`
  ),
  machines: listOf({
    id: OrchestratorId,
    status: OrchestratorStatus,
    holds: Schema.Int.pipe(describe(`How many tasks it holds, of the first ${MaxCounted} leases to end.`))
  }, "The machines of the scope, by id."),
  held: listOf(heldFields(Time), "The tasks that agents hold, also for review. The lease that ends first comes first."),
  reviews: listOf(
    reviewFields(Time, Schema.Array(EvidenceShown)),
    "The results that wait for a review, in the order of claims."
  ),
  questions: listOf(
    questionFields(Time),
    "The questions to people that nobody answered, the newest first: messages of the type `question` or `intervention_request` to nobody or to `human`, which are not `done` and have no reply; and every question that a task waits for (`waiting_for_reply`), also if it is to one person."
  ),
  parks: listOf(
    Park.fields,
    "The accounts that are parked until a time, the first to end first. No claim that names one gets a task."
  ),
  failures: Schema.Struct({
    ...list(failureFields(Time)),
    by_event: Counts.pipe(describe("How many there are of each event."))
  }).pipe(describe("What failed since `since`, and the leases that were lost since then, the newest first.")),
  breakers: listOf(breakerFields(Time), "The breakers that are open, that of the scope first."),
  unclaimable: listOf(
    unclaimableFields(Time),
    "The first ready task of each queue or role that no machine will claim, the oldest first: as the event `unclaimable` said."
  ),
  lives: Schema.Struct({
    exact: Schema.Boolean.pipe(describe("Always true: the hours are counted as tasks become done.")),
    hours: rows({
      hour: Time.pipe(describe("When the hour begins.")),
      done: Schema.Int.pipe(describe("How many tasks became done in it."))
    }).pipe(describe("The last 24 hours of UTC, the present one included. The oldest comes first."))
  }).pipe(describe("How many tasks became done in each hour.")),
  usage: Schema.Array(UsageSum).pipe(
    describe("What was used yesterday and today, in UTC. A day without reports is left out.")
  )
}).annotate({ identifier: "Overview" })
export type Overview = typeof Overview.Type

export const overviewParameters = {
  since: Schema.optionalKey(Time.pipe(describe(
    "`failures` begin here: 24 hours before the end of the present hour unless given, and not before what retention keeps."
  )))
}
const OverviewQuery = Schema.Struct(overviewParameters)
export type OverviewQuery = typeof OverviewQuery.Type
