/**
 * The tools: what an agent may call, and what it gets. Their descriptions are in every prompt of the agent, so they are
 * short.
 */
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Schema from "effect/Schema"
import { MaxSearch } from "../domain/task/TaskFilter.ts"
import { Refused } from "./Refused.ts"

/** How many characters of a task's content one answer holds. */
export const MaxContent = 40_000

/** How many tasks `find_tasks` answers. */
export const MaxFound = 50

const filled = (description: string) => Schema.NonEmptyString.annotate({ description })
const maybe = <S extends Schema.Top>(schema: S, description?: string) =>
  Schema.optionalKey(description === undefined ? schema : schema.annotate({ description }))
const natural = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000_000 }))
const nullable = Schema.NullOr(Schema.String)
const json = Schema.Record(Schema.String, Schema.Json)

const EvidenceItem = Schema.Struct({
  kind: Schema.NonEmptyString,
  command: Schema.optionalKey(Schema.String),
  exit_code: Schema.optionalKey(Schema.Int),
  summary: Schema.optionalKey(Schema.String),
  url: Schema.optionalKey(Schema.String)
})

const Directive = Schema.Literals(["continue", "pause"])

/** A task that the agent holds. */
const Claimed = Schema.Struct({
  task_id: Schema.String,
  fencing_token: Schema.Int,
  push_branch: Schema.String,
  title: Schema.String,
  content: nullable,
  /** How long the content is; the answer holds its first part. */
  content_length: Schema.Int,
  file_path: Schema.String,
  branch: Schema.String,
  priority: Schema.String,
  role: nullable,
  type: nullable,
  project_id: nullable,
  checks: nullable,
  lease_expires_at: nullable,
  deadline_at: nullable,
  handoff: json
})

const tool = <
  const Name extends string,
  Parameters extends Schema.Constraint,
  Success extends Schema.Struct.Fields
>(name: Name, description: string, parameters: Parameters, success: Success, readonly = false) =>
  Tool.make(name, {
    description,
    parameters,
    success: Schema.Struct(success),
    failure: Refused
  }).annotate(Tool.Readonly, readonly)
    .annotate(Tool.Idempotent, readonly)
    .annotate(Tool.Destructive, false)
    // The tools change records of one server, and reach nothing else.
    .annotate(Tool.OpenWorld, false)

const Found = Schema.Struct({
  task_id: Schema.String,
  title: Schema.String,
  queue: Schema.String,
  priority: Schema.String,
  role: nullable,
  project_id: nullable,
  claimed_by: nullable,
  blocked_by: nullable,
  waiting_for_reply: nullable,
  reason: nullable
})

export const Kit = Toolkit.make(
  tool(
    "claim_task",
    "Get the next task. You hold it until you call submit_result, give_back, fail_task or ask_person; the lease is renewed meanwhile. Read handoff first: it says what earlier attempts left. Push only to push_branch.",
    Tool.EmptyParams,
    { task: Schema.NullOr(Claimed), says: Schema.String, retry_after_seconds: Schema.NullOr(Schema.Int) }
  ),
  tool(
    "checkpoint",
    "Save your progress for the next holder of your task, in case you cannot go on. Call it after each step: it also tells you whether to go on.",
    Schema.Struct({
      notes: filled("What is done, what is not, what comes next."),
      branch: maybe(Schema.String),
      head_commit: maybe(Schema.String),
      open_questions: maybe(Schema.Array(Schema.String))
    }),
    {
      task_id: Schema.String,
      directive: Directive,
      reason: nullable,
      lease_expires_at: Schema.String,
      deadline_at: nullable
    }
  ),
  tool(
    "submit_result",
    "Hand in your finished task. Push first.",
    Schema.Struct({
      notes: filled("What you did, for the reviewer."),
      commits_count: maybe(natural),
      turns_used: maybe(natural),
      head_commit: maybe(Schema.String),
      pr_url: maybe(Schema.String),
      pr_number: maybe(natural),
      evidence: maybe(Schema.Array(EvidenceItem), "What you ran, such as tests.")
    }),
    { task_id: Schema.String, state: Schema.Literals(["submitted", "saved"]), queue: nullable, says: Schema.String }
  ),
  tool(
    "give_back",
    "Give your task back unfinished. Another agent gets it; it counts as no failure.",
    Schema.Struct({ reason: filled("Why.") }),
    { task_id: Schema.String, queue: Schema.String }
  ),
  tool(
    "fail_task",
    "Say that your task cannot be done.",
    Schema.Struct({ reason: filled("Why, for a person."), terminal: maybe(Schema.Boolean, "No retry can help.") }),
    { task_id: Schema.String, queue: Schema.String }
  ),
  tool(
    "ask_person",
    "Ask a person what you must know to go on. It ends your hold: save a checkpoint first, then go on with another task. The next holder of the task finds the answer in handoff.",
    Schema.Struct({ question: filled("All a person needs to answer."), to: maybe(Schema.String, "Whom to ask.") }),
    { task_id: Schema.String, question_id: Schema.String, says: Schema.String }
  ),
  tool(
    "find_tasks",
    "List tasks, or read one by task_id with its content.",
    Schema.Struct({
      text: maybe(Schema.String.check(Schema.isMaxLength(MaxSearch)), "Searches titles, ids, branches."),
      queue: maybe(Schema.String, "incoming, claimed, provisional (in review), done, failed."),
      project_id: maybe(Schema.String),
      role: maybe(Schema.String),
      limit: maybe(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: MaxFound }))),
      task_id: maybe(Schema.String),
      content_from: maybe(natural, "First character of the content to read.")
    }),
    {
      tasks: Schema.Array(Found),
      content: nullable,
      content_length: Schema.NullOr(Schema.Int),
      more: Schema.Boolean
    },
    true
  ),
  tool(
    "create_task",
    "Create a task for another agent, such as work you found that is not part of yours.",
    Schema.Struct({
      title: filled("In a few words."),
      content: filled("All the agent needs, as Markdown."),
      id: maybe(Schema.String),
      priority: maybe(Schema.String, "P0 (urgent) to P3."),
      role: maybe(Schema.String),
      branch: maybe(Schema.String),
      project_id: maybe(Schema.String),
      depends_on: maybe(Schema.Array(Schema.String), "Ids of tasks to be done first."),
      external_key: maybe(Schema.String, "One open task has it: prevents duplicates.")
    }),
    { task_id: Schema.String, queue: Schema.String, existing: Schema.Boolean }
  )
)
