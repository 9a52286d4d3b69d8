/** The bodies of requests that create or change a task. */
import * as Schema from "effect/Schema"
import { DependsOn } from "../dependency/Dependency.ts"
import { describe, FlagInput, integer, MaxItems, maybe, natural, positive, Time } from "../Encoding.ts"
import { ExternalKey, OrchestratorId, QueueName, TaskId } from "../Identifier.ts"
import { caps } from "../record/Usage.ts"
import {
  ContentText,
  filled,
  Label,
  Line,
  LongText,
  MaxLine,
  MaxLong,
  MaxShort,
  ReasonText,
  ShortText,
  sizedJson,
  sizedJsonList,
  sizedJsonText
} from "../Size.ts"
import { expected } from "./MoveInput.ts"

/** The fields that a caller may write, at creation and later. */
const writable = {
  title: maybe(Line, "What to do, in a few words."),
  queue: maybe(QueueName, "A queue: the state of a task."),
  priority: maybe(Label, "`P0` (most urgent), `P1`, `P2` …"),
  complexity: maybe(Label, "How hard its creator thinks it is."),
  role: maybe(Label, "The role of the agents that may claim it."),
  type: maybe(Label, "The kind of work."),
  blocked_by: maybe(ShortText, "Ids of the tasks that must be done first, joined by commas."),
  project_id: maybe(Label, "The project it belongs to."),
  auto_accept: maybe(FlagInput, "Stored for clients."),
  hooks: maybe(sizedJsonList(MaxLong), `Its hooks, at most ${MaxItems}: JSON, or JSON text.`),
  flow: maybe(Label, "The flow it follows."),
  flow_overrides: maybe(sizedJsonText(MaxShort), "Stored for clients: JSON, or JSON text."),
  content: maybe(ContentText, "The task in full, as Markdown."),
  metadata: maybe(sizedJson(MaxLong), "Anything you want kept: returned as sent."),
  pr_number: maybe(integer, "Its pull request's number."),
  attempt_count: maybe(natural, "How many attempts were given up or lost."),
  needs_intervention: maybe(FlagInput, "Whether a person or a fixer must look at it."),
  external_key: maybe(
    ExternalKey,
    "The id of the task in your own system, such as the number of an issue. One open task of a scope has it: creating another answers that one."
  ),
  max_attempt_seconds: maybe(
    positive,
    "How long one attempt may take, in seconds, however often its lease is renewed. Counts from the next claim."
  ),
  max_attempts: maybe(natural, "The number of the attempt that fails the task when it is given up. 0 means no limit."),
  max_lease_losses: maybe(natural, "The number of the lost lease that fails the task. 0 means no limit."),
  max_rejections: maybe(natural, "The number of the rejection that fails the task. 0 means no limit."),
  ...caps("the task")
}

export const NewTask = Schema.Struct({
  ...writable,
  id: TaskId,
  queue: maybe(Schema.Union([QueueName, Schema.Literal("")]), "The queue to put it into; `incoming` unless given."),
  file_path: filled(MaxLine).pipe(describe("Where the task is described; unique in its scope.")),
  depends_on: maybe(
    DependsOn,
    "The blockers of the task, with what their failure means. Added to those of `blocked_by`."
  ),
  branch: maybe(
    Line,
    "The branch to work on. The branch of a project comes first. A request with neither a branch nor a scope gets `main`."
  ),
  created_by: maybe(Label, "Who creates it: kept in `metadata` and in its history."),
  checks: maybe(sizedJson(MaxShort), "The checks its result has to pass: kept in `metadata`."),
  breakdown_depth: maybe(natural, "How often the work it belongs to was broken down: kept in `metadata`."),
  expedite: maybe(FlagInput, "Whether it should come before others: kept in `metadata`, for clients."),
  cluster: maybe(Label, "The cluster it is meant for: kept in `metadata`, for clients.")
}).annotate({ identifier: "NewTask" })
export type NewTask = typeof NewTask.Type

/** The metadata of a new task: what the client sent as `metadata`, and its unknown fields. */
export const metadataOf = (
  { breakdown_depth, checks, cluster, created_by, expedite, metadata }: NewTask
): Schema.Json => {
  const beside = Object.fromEntries(
    Object.entries({ breakdown_depth, checks, cluster, created_by, expedite }).filter(([, value]) => value != null)
  ) as Record<string, Schema.Json>
  if (Object.keys(beside).length === 0) return metadata ?? null
  return typeof metadata === "object" && metadata !== null && !Array.isArray(metadata)
    ? { ...beside, ...metadata }
    : metadata == null
    ? beside
    : { ...beside, metadata }
}

/** Who creates the task. The Python client says so in the metadata, other clients in a field. */
export const creatorOf = ({ created_by, metadata }: NewTask): string | undefined => {
  if (created_by) return created_by
  const said = metadata !== null && typeof metadata === "object" && "created_by" in metadata && metadata.created_by
  return typeof said === "string" && said !== "" ? said : undefined
}

/** What PATCH may change. It writes each key that is present; null clears a field. */
export const TaskPatch = Schema.Struct({
  ...writable,
  branch: maybe(Line, "The branch to work on; a task always has one."),
  claimed_by: maybe(Label, "Grants a lease to this agent, or with null ends the lease there is."),
  claimed_at: maybe(Time, "When the lease was granted."),
  orchestrator_id: maybe(
    Schema.Union([OrchestratorId, Schema.Literal("")]),
    "The machine that holds the lease."
  ),
  lease_expires_at: maybe(Time, "Renews the lease until then, or with null ends it."),
  commits_count: maybe(natural, "Commits of the last submission."),
  turns_used: maybe(natural, "Turns of the last submission."),
  rejection_count: maybe(natural, "How often a result was rejected."),
  has_plan: maybe(FlagInput, "Stored for clients."),
  plan_id: maybe(Label, "Stored for clients."),
  pr_url: maybe(Line, "Its pull request's address."),
  checks: maybe(sizedJsonList(MaxShort), `The checks its result has to pass, at most ${MaxItems}.`),
  check_results: maybe(sizedJsonText(MaxLong), "The results of its checks: JSON, or JSON text."),
  needs_rebase: maybe(FlagInput, "Whether its branch has to be rebased."),
  last_rebase_attempt_at: maybe(Time, "When a rebase was last tried."),
  staging_url: maybe(Line, "Where its result can be looked at."),
  submitted_at: maybe(Time, "When a result was last submitted."),
  completed_at: maybe(Time, "When it was done."),
  execution_notes: maybe(LongText, "What the agent had to say about the work, or why it failed."),
  reason: maybe(ReasonText, "Why: kept in the task's history."),
  context: maybe(
    LongText,
    "Why a check failed: kept in the task's history, and as `execution_notes` if none are sent."
  ),
  agent_name: maybe(Label, "Who changes it: kept in the task's history."),
  branch_name: maybe(Line, "The branch with the work so far: kept in the task's history."),
  ...expected
}).annotate({ identifier: "TaskPatch" })
export type TaskPatch = typeof TaskPatch.Type
