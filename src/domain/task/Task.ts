/** A task: a unit of work, in exactly one queue at any time. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { describe, Flag, JsonColumn, optionalKeys, text, Time, TimeColumn } from "../Encoding.ts"
import { DraftId, OrchestratorId, ProjectId, QueueName, ScopeName, TaskId } from "../Identifier.ts"
import { CheckpointColumn, Handoff, SetbacksColumn } from "../lease/Handoff.ts"
import { AnswersColumn } from "../lease/Question.ts"
import { capFields, MoneyColumn, SecondsColumn, sumFields } from "../record/Usage.ts"
import { EvidenceColumn, KeptEvidence } from "./Evidence.ts"

/** The branch of a task if its creator names neither a branch nor a project with one. */
export const DefaultBranch = "main"

const count = (description: string) => Schema.Int.pipe(describe(description))
const limit = (description: string) => Schema.NullOr(Schema.Int).pipe(describe(description))
const flag = (description: string) => Flag.pipe(describe(description))

// A server of release 2.0.0 sends none of these, and a database before the migrations 0014 and 0015 lacks their
// columns. `terminal` is of the migration 0018.
const newer = Schema.optionalKey
const fields = <
  T extends Schema.Top,
  J extends Schema.Top,
  E extends Schema.Top,
  M extends Schema.Top,
  S extends Schema.Top
>(time: T, json: J, evidence: E, money: M, seconds: S) => ({
  id: TaskId,
  scope: ScopeName,
  file_path: Schema.String.pipe(describe("Where the task is described; unique in its scope.")),
  title: Schema.String.pipe(describe("What to do, in a few words.")),
  queue: QueueName,
  version: count("Rises by one with every change of the task."),
  priority: Schema.String.pipe(describe("`P0` (most urgent), `P1`, `P2` …")),
  complexity: text("How hard its creator thinks it is."),
  role: text("The role of the agents that may claim it."),
  type: text("The kind of work."),
  branch: Schema.String.pipe(describe("The branch to work on; a project's branch wins over the caller's.")),
  content: text("The task in full, as Markdown."),
  project_id: Schema.NullOr(ProjectId).pipe(describe("The project it belongs to.")),
  // This column is newer than the last release. A database may not have it yet.
  draft_id: Schema.optionalKey(Schema.NullOr(DraftId)).pipe(describe("The draft it was promoted from.")),
  blocked_by: text("The ids of the unmet blockers, joined by commas; null if there are none."),
  claimed_by: text(
    "The agent that holds the lease; null if there is none. A task in `failed` or `cancelled` without a lease shows the name that the PATCH to that queue gave."
  ),
  claimed_at: Schema.NullOr(time).pipe(describe("When the lease was granted.")),
  orchestrator_id: Schema.NullOr(OrchestratorId).pipe(describe("The machine that holds the lease.")),
  lease_expires_at: Schema.NullOr(time).pipe(describe("When the lease expires unless it is renewed.")),
  fencing_token: Schema.NullOr(Schema.Int).pipe(
    describe("Names this lease: it rises with every grant. Null when nobody holds the task.")
  ),
  deadline_at: Schema.NullOr(time).pipe(
    describe("When the present attempt has to end, however often its lease is renewed; null if there is no limit.")
  ),
  max_attempt_seconds: limit("How long one attempt may take, in seconds; null if there is no limit."),
  cancel_requested_at: Schema.NullOr(time).pipe(
    describe("When its holder was asked to stop. The task is cancelled when the lease ends.")
  ),
  cancel_reason: text("Why it is to be cancelled, or was."),
  available_at: Schema.NullOr(time).pipe(
    describe(
      "When its backoff ends; null if it does not back off. The end of the year 9999 while it waits for a reply."
    )
  ),
  waiting_for_reply: newer(text("The question (a message) that the task waits for a reply to; null if it does not.")),
  external_key: text("The id that its creator's own system has for it: one open task of a scope has it."),
  max_attempts: limit("How many attempts may be given up before it fails: null is the server's default, 0 no limit."),
  max_lease_losses: limit("How many leases may be lost before it fails: null is the server's default, 0 no limit."),
  max_rejections: limit("How many results may be rejected before it fails: null is the server's default, 0 no limit."),
  failure_reason: text("Why it failed, while it is in `failed`."),
  terminal: newer(flag("1 while it is in `failed` for a reason that no retry mends.")),
  attempt_count: count("How many attempts were given up or lost."),
  rejection_count: count("How often a result was rejected."),
  lease_losses: count("How many of its leases expired."),
  last_rejection_reason: text("Why its last result was rejected."),
  commits_count: count("Commits of the last submission."),
  turns_used: Schema.NullOr(Schema.Int).pipe(describe("Turns of the last submission.")),
  check_results: text("The last results of its checks, as JSON text."),
  execution_notes: text("What the agent had to say about the work, or why it failed."),
  needs_intervention: flag("1 when a person or a fixer must look at it."),
  submitted_at: Schema.NullOr(time).pipe(describe("When a result was last submitted.")),
  submitted_by: newer(text("Who submitted the last result: the holder of the lease then.")),
  submitted_orchestrator_id: newer(
    Schema.NullOr(OrchestratorId).pipe(describe("The machine that held the lease then; null if there was none."))
  ),
  head_commit: newer(text("The newest commit that a checkpoint or a result named.")),
  evidence: newer(
    Schema.NullOr(evidence).pipe(
      describe(
        "The evidence of the last result that had any. An item of another commit than `head_commit` is `stale`, and does not count."
      )
    )
  ),
  session_url: newer(text("Where a person can look at the session of the agent.")),
  resume_command: newer(text("The command by which a person gets into the session of the agent.")),
  session_token: newer(
    Schema.NullOr(Schema.Int).pipe(
      describe("The token of the lease whose agent named its session. Another holder may have the task now.")
    )
  ),
  completed_at: Schema.NullOr(time).pipe(describe("When it was done.")),
  pr_number: Schema.NullOr(Schema.Int).pipe(describe("Its pull request's number.")),
  pr_url: text("Its pull request's address."),
  checks: text("The checks its result has to pass."),
  staging_url: text("Where its result can be looked at."),
  plan_id: text("Stored for clients."),
  has_plan: flag("Stored for clients."),
  auto_accept: flag("Stored for clients."),
  needs_rebase: flag("1 when its branch has to be rebased."),
  needs_breakdown: flag("Stored for clients."),
  last_rebase_attempt_at: Schema.NullOr(time).pipe(describe("When a rebase was last tried.")),
  review_round: count("Stored for clients."),
  hooks: text("Its hooks, as JSON text."),
  flow: Schema.String.pipe(describe("The flow it follows.")),
  flow_overrides: text("Stored for clients, as JSON text."),
  metadata: Schema.NullOr(json).pipe(describe("Anything its creator wants kept, as it was sent.")),
  // What was used for it, in all attempts, and its caps.
  ...optionalKeys(sumFields(money, seconds)),
  ...optionalKeys(capFields(money)),
  created_at: time,
  updated_at: time
})

const wire = fields(Time, Schema.Json, Schema.Array(KeptEvidence), Schema.Finite, Schema.Finite)

export const Task = Schema.Struct(wire).annotate({
  identifier: "Task"
})
export type Task = typeof Task.Type

/** A claimed task, with what its new holder needs. */
export const ClaimedTask = Schema.Struct({
  ...Task.fields,
  renew_after_seconds: count(
    "When to renew the lease first, in seconds: after a third of it, so that two renewals may fail."
  ),
  handoff: Handoff
}).annotate({ identifier: "ClaimedTask" })
export type ClaimedTask = typeof ClaimedTask.Type
/** The answer to a create whose `external_key` an open task has: that task, unchanged. */
export const ExistingTask = Schema.Struct({
  ...wire,
  existing: Schema.Literal(true).pipe(describe("The task existed before: an open task has the `external_key`."))
})
export type ExistingTask = typeof ExistingTask.Type

/** A task as its row holds it, with the columns that the wire does not show. */
export const TaskRow = Schema.Struct({
  ...fields(TimeColumn, JsonColumn, EvidenceColumn, MoneyColumn, SecondsColumn),
  claimed_from: Schema.NullOr(QueueName),
  // This column is newer than the last release. A database may not have it yet.
  named_holder: Schema.optionalKey(Schema.NullOr(Schema.String)),
  intervention_from: Schema.NullOr(QueueName),
  grants: Schema.Int,
  lease_seconds: Schema.NullOr(Schema.Int),
  checkpoint: Schema.NullOr(CheckpointColumn),
  setbacks: Schema.NullOr(SetbacksColumn),
  lapsed_token: Schema.NullOr(Schema.Int),
  question_id: newer(Schema.NullOr(Schema.String)),
  answers: newer(Schema.NullOr(AnswersColumn))
})
/** A row as it is decoded: its evidence is marked as answers show it (`Evidence.marked`). */
export type TaskRow = Omit<typeof TaskRow.Type, "evidence"> & Pick<Task, "evidence">

/** Columns and the values to write to them. */
export type Columns = Record<string, string | number | null>

/** A value for a column. */
export const column = (value: unknown): string | number | null =>
  value === null || value === undefined
    ? null
    : DateTime.isDateTime(value)
    ? DateTime.toEpochMillis(value)
    : typeof value === "boolean"
    ? Number(value)
    : value as string | number
