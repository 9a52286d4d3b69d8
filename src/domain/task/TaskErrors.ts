/** The errors of operations on tasks. */
import * as Schema from "effect/Schema"
import type { Rank } from "../access/Rank.ts"
import { describe, ErrorText, Time } from "../Encoding.ts"
import { QueueName, TaskId } from "../Identifier.ts"
import { lossOf, LossReason, LossReasonText, type Lost } from "../lease/Renewal.ts"
import { StoppedBy } from "../record/Breaker.ts"
import { TaggedError } from "../TaggedError.ts"

const details = Schema.Array(Schema.String).pipe(describe("What was expected and what was found."))

export class TaskNotFound extends TaggedError<TaskNotFound>()(
  "TaskNotFound",
  { error: ErrorText, task_id: Schema.String.pipe(describe("The id asked for.")) },
  { httpApiStatus: 404, description: "No task with this id is in reach: it does not exist, or is in another scope." }
) {
  static readonly of = (task_id: string) => new TaskNotFound({ error: `Task not found: ${task_id}.`, task_id })
}

export class TaskExists extends TaggedError<TaskExists>()(
  "TaskExists",
  {
    error: ErrorText,
    task_id: TaskId,
    field: Schema.Literals(["id", "file_path", "external_key"]).pipe(describe("Which of them is taken."))
  },
  {
    httpApiStatus: 409,
    description: "Another task has this id, or in this scope this file_path or, while it is open, this external_key."
  }
) {
  static readonly id = (task_id: TaskId) =>
    new TaskExists({ error: `A task with the id ${task_id} already exists.`, task_id, field: "id" })
  static readonly filePath = (task_id: TaskId, path: string) =>
    new TaskExists({
      error: `Task ${task_id} was not created: another task already has the file_path ${path}.`,
      task_id,
      field: "file_path"
    })
  /** The change would make the task the second open task with this key. */
  static readonly externalKey = (task_id: TaskId, key: string, other: string | undefined) =>
    new TaskExists({
      error: `Task ${task_id} was not changed: ${
        other === undefined ? "another open task" : `the open task ${other}`
      } has the external_key ${key}. Finish that one first, or give one of them another key.`,
      task_id,
      field: "external_key"
    })
}

export class VersionConflict extends TaggedError<VersionConflict>()(
  "VersionConflict",
  {
    error: ErrorText,
    task_id: TaskId,
    expected: Schema.Int.pipe(describe("The version the caller stated.")),
    version: Schema.Int.pipe(describe("The version the task has."))
  },
  { httpApiStatus: 409, description: "The task has changed since the caller read it. Nothing was changed." }
) {
  static readonly of = (task_id: TaskId, expected: number, version: number) =>
    new VersionConflict({
      error: `Task ${task_id} is at version ${version}, not ${expected}. Read it again before you change it.`,
      task_id,
      expected,
      version
    })
}

export class InvalidTransition extends TaggedError<InvalidTransition>()(
  "InvalidTransition",
  { error: ErrorText, details, task_id: TaskId, queue: QueueName },
  { httpApiStatus: 409, description: "No move of this kind starts in the queue of the task. Nothing was changed." }
) {
  static readonly of = (verb: string, task_id: TaskId, queue: QueueName, sources: string) =>
    new InvalidTransition({
      error: `Failed to ${verb} task ${task_id}: it is in ${queue}, and only a task that is in ${sources} can be.`,
      details: [`Invalid transition: task is in ${queue}, expected ${sources}`],
      task_id,
      queue
    })
  static readonly byFlow = (verb: string, task_id: TaskId, queue: QueueName, flow: string, target: QueueName) =>
    new InvalidTransition({
      error:
        `Failed to ${verb} task ${task_id}: it is in ${queue}, and its flow "${flow}" has no step from there to ${target}.`,
      details: [`Invalid transition: flow "${flow}" does not allow ${queue} → ${target}`],
      task_id,
      queue
    })
}

export class TerminalFailure extends TaggedError<TerminalFailure>()(
  "TerminalFailure",
  { error: ErrorText, task_id: TaskId, failure_reason: Schema.NullOr(Schema.String).pipe(describe("Why it failed.")) },
  {
    httpApiStatus: 409,
    description:
      "The task failed for a reason that no retry mends, and the redrive does not say `terminal`. Nothing was changed."
  }
) {
  static readonly of = (task: {
    readonly id: TaskId
    readonly queue: QueueName
    readonly terminal?: boolean | number
    readonly failure_reason: string | null
  }) =>
    task.queue === "failed" && task.terminal
      ? new TerminalFailure({
        error: `Task ${task.id} failed for a reason that no retry mends${
          task.failure_reason === null ? "." : `: ${task.failure_reason.replace(/[.\s]+$/, "")}.`
        } Redrive it with \`terminal: true\` once the reason is gone.`,
        task_id: task.id,
        failure_reason: task.failure_reason
      })
      : undefined
}

export class LeaseLost extends TaggedError<LeaseLost>()(
  "LeaseLost",
  {
    error: ErrorText,
    task_id: TaskId,
    queue: QueueName,
    claimed_by: Schema.NullOr(Schema.String).pipe(describe("Who holds the task now; null when nobody does.")),
    reason: Schema.Literals([...LossReason.literals, "unnamed"]).pipe(
      describe(`${LossReasonText} \`unnamed\`: the call has to name the lease, and does not.`)
    )
  },
  {
    httpApiStatus: 409,
    description: "The lease of the fencing token is over, or the call needs a token and has none. Nothing was changed."
  }
) {
  /** The token is not that of the present lease, or the lease has ended. */
  static readonly of = (task: Lost, token: number, renewing = false) =>
    new LeaseLost({
      ...lossOf(task, token, renewing),
      task_id: task.id,
      queue: task.queue,
      claimed_by: task.claimed_by
    })
  /** The server requires a token for a held task. */
  static readonly unnamed = (task_id: TaskId, queue: QueueName, claimed_by: string | null) =>
    new LeaseLost({
      error: `${
        claimed_by === null
          ? `The last holder of task ${task_id} may still hand it in.`
          : `Task ${task_id} is held by ${claimed_by}.`
      } Send the fencing_token that the claim was answered with.`,
      reason: "unnamed",
      task_id,
      queue,
      claimed_by
    })
  /** The key may move only tasks that its caller holds, and the call does not prove that the caller holds this one. */
  static readonly unproven = (task_id: TaskId, queue: QueueName, claimed_by: string | null, rank: Rank) =>
    new LeaseLost({
      error: claimed_by === null
        ? `Nobody holds task ${task_id}, and a key of the rank "${rank}" moves only what its caller holds. Claim the task, or send a key of the rank "manage".`
        : `Task ${task_id} is held by ${claimed_by}, and a key of the rank "${rank}" moves only what its caller holds. Send the fencing_token that the claim was answered with.`,
      reason: "unnamed",
      task_id,
      queue,
      claimed_by
    })
}

export class NotLeased extends TaggedError<NotLeased>()(
  "NotLeased",
  { error: ErrorText, task_id: TaskId },
  { httpApiStatus: 409, description: "Nobody holds a lease on the task, so there is none to renew." }
) {
  static readonly of = (task_id: TaskId) =>
    new NotLeased({
      error: `Nobody holds a lease on task ${task_id}, so there is none to renew. Claim the task instead.`,
      task_id
    })
}

export class TaskBlocked extends TaggedError<TaskBlocked>()(
  "TaskBlocked",
  { error: ErrorText, task_id: TaskId },
  { httpApiStatus: 409, description: "The task has unmet blockers, so nobody can get it. Nothing was changed." }
) {
  static readonly of = (task_id: TaskId) =>
    new TaskBlocked({
      error:
        `Task ${task_id} waits for other tasks, so it cannot be given to anybody. Finish them, or clear blocked_by.`,
      task_id
    })
}

export class HookNotFound extends TaggedError<HookNotFound>()(
  "HookNotFound",
  { error: ErrorText, task_id: TaskId, hook: Schema.String.pipe(describe("The name asked for.")) },
  { httpApiStatus: 404, description: "The task has no hook of this name." }
) {
  static readonly of = (task_id: TaskId, hook: string) =>
    new HookNotFound({ error: `Hook '${hook}' not found on task`, task_id, hook })
}

/** The request fits the schema, but not the state machine or the records it refers to. */
export class InvalidTask extends TaggedError<InvalidTask>()(
  "InvalidTask",
  { error: ErrorText, field: Schema.String.pipe(describe("The field that does not fit.")) },
  {
    httpApiStatus: 400,
    description: "A field has the right type, but does not fit the task, the queues or the existing records."
  }
) {
  static readonly unknownProject = (project_id: string) =>
    new InvalidTask({ error: `project_id: there is no project ${project_id}. Create it first.`, field: "project_id" })
  static readonly unknownOrchestrator = (id: string) =>
    new InvalidTask({
      error: `orchestrator_id: there is no orchestrator ${id}. Register it with POST /api/v1/orchestrators/register.`,
      field: "orchestrator_id"
    })
  static readonly blockedByItself = (id: string) =>
    new InvalidTask({ error: `Task ${id} cannot wait for itself.`, field: "blocked_by" })
  static readonly unclaimable = (queue: string) =>
    new InvalidTask({
      error: `queue: no task is handed out from ${queue}. Claim from incoming, provisional or needs_continuation.`,
      field: "queue"
    })
  static readonly lease = (maximum: number) =>
    new InvalidTask({
      error: `lease_duration_seconds: a lease lasts from 1 to ${maximum} seconds.`,
      field: "lease_duration_seconds"
    })
  static readonly leaseEnd = (maximum: number) =>
    new InvalidTask({
      error: `lease_expires_at: a lease ends ${maximum} seconds from now at the latest.`,
      field: "lease_expires_at"
    })
  static readonly doneByPatch = () =>
    new InvalidTask({
      error: "Cannot set queue to \"done\" via PATCH. Use POST /api/v1/tasks/:id/accept instead.",
      field: "queue"
    })
  static readonly queue = (error: string) => new InvalidTask({ error, field: "queue" })
  static readonly role = (role: string, known: ReadonlyArray<string>, field: string) =>
    new InvalidTask({ error: `Unknown role '${role}'. Registered roles: ${known.join(", ")}`, field })
  static readonly branchRequired = () =>
    new InvalidTask({
      error: "Missing required field: branch. Caller must set branch explicitly.",
      field: "branch"
    })
  static readonly createdDone = () =>
    new InvalidTask({
      error: "queue: only the administrator may create a task in done. Create it in incoming, and accept its result.",
      field: "queue"
    })
  static readonly empty = (field: string) =>
    new InvalidTask({ error: `${field}: a task always has one, so it cannot be cleared.`, field })
  static readonly claimedAndBlocked = () =>
    new InvalidTask({ error: "blocked_by: a task that is claimed cannot wait for others.", field: "blocked_by" })
  static readonly heldWhenDone = () =>
    new InvalidTask({
      error: "claimed_by: the task is done, so nobody can hold it. Requeue it first.",
      field: "claimed_by"
    })
  static readonly tooManyBlockers = (maximum: number) =>
    new InvalidTask({ error: `blocked_by: a task waits for ${maximum} others at most.`, field: "blocked_by" })
  static readonly commaInBlocker = (id: string) =>
    new InvalidTask({
      error: `blocker: tasks show what they wait for joined by commas, so ${id} cannot be one.`,
      field: "blocker"
    })
  static readonly parkedTooLong = (millis: number) =>
    new InvalidTask({
      error: `until: an account is parked for ${millis / 86_400_000} days at most.`,
      field: "until"
    })
  static readonly noFields = () => new InvalidTask({ error: "No fields to update", field: "*" })
}

export class AtCapacity extends TaggedError<AtCapacity>()(
  "AtCapacity",
  {
    error: ErrorText,
    reason: Schema.Literal("at_capacity").pipe(describe("Why there is nothing for it.")),
    orchestrator_id: Schema.String.pipe(describe("The machine that claims.")),
    claimed: Schema.Int.pipe(describe("How many tasks it holds.")),
    max_claimed: Schema.Int.pipe(describe("How many it may hold at once.")),
    retry_after_seconds: Schema.Int.pipe(describe("When to ask again; also the `Retry-After` header."))
  },
  { httpApiStatus: 429, description: "The machine holds as many tasks as it may. Reviews do not count." }
) {
  static readonly of = (orchestrator_id: string, claimed: number, max_claimed: number, retry_after_seconds: number) =>
    new AtCapacity({
      error:
        `Orchestrator ${orchestrator_id} holds ${claimed} of the ${max_claimed} tasks it may hold at once. Finish one first.`,
      reason: "at_capacity",
      orchestrator_id,
      claimed,
      max_claimed,
      retry_after_seconds
    })
}

export const EmptyReason = Schema.Literals([
  "none_ready",
  "role_mismatch",
  "backing_off",
  "waiting_for_reply",
  "blocked",
  "held",
  "maintenance",
  "too_large",
  "capped",
  "account_parked",
  "breaker_open"
]).pipe(
  describe(
    "`none_ready`: the queue is empty. `role_mismatch`: tasks are ready, but none of the roles or types asked for. `backing_off`: the tasks wait after attempts that were given up or lost, and the first is due in `retry_after_seconds`, or in more than a minute. `waiting_for_reply`: the tasks wait for replies to questions. `blocked`: the tasks wait for other tasks. `held`: other agents hold the tasks. `maintenance`: the orchestrator gets no work until maintenance is lifted. `too_large`: the next task is larger than a record may be, and no other is ready for the claim: a PATCH that shortens it makes it claimable. `capped`: the next task, its project or the scope has used as much as it may, and no other task is ready for the claim: an operator raises the cap. `account_parked`: the account of the claim is parked until `parked_until`. `breaker_open`: the breaker of the scope or of the project of the next task is open, and no other task is ready for the claim: `breaker` says since when, why, and when a canary may be claimed."
  )
)

const waiting = (description: string) => Schema.Int.pipe(describe(description))

export class NoTasksAvailable extends TaggedError<NoTasksAvailable>()(
  "NoTasksAvailable",
  {
    message: Schema.Literal("No tasks available").pipe(describe("What clients of the old server look for.")),
    error: ErrorText,
    reason: EmptyReason,
    counts: Schema.Record(Schema.String, Schema.Int).pipe(describe("How many tasks each queue holds.")),
    waiting: Schema.Struct({
      ready: waiting("Ready for another claim."),
      held: waiting("Held by others."),
      blocked: waiting("Waiting for other tasks."),
      backing_off: waiting("Waiting for the end of their backoff."),
      waiting_for_reply: Schema.optionalKey(waiting("Waiting for replies to questions; absent if there are none."))
    }).pipe(
      describe(
        "A sample of the queue, of up to 20 tasks: the first 10 that are ready, and the first 10 that are not."
      )
    ),
    parked_until: Schema.optionalKey(Time).pipe(describe("Until when the account of the claim is parked, if it is.")),
    breaker: Schema.optionalKey(StoppedBy.pipe(describe("The breaker that stops the claim, if one does."))),
    retry_after_seconds: Schema.Int.pipe(describe("When to ask again; also the `Retry-After` header."))
  },
  { httpApiStatus: 404, description: "There is no task for this claim now." }
) {}
