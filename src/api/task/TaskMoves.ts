/** The endpoints that move, cancel and redrive a task: `/api/v1/tasks/:id/…` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { DependencyCycle } from "../../domain/dependency/Dependency.ts"
import { describe } from "../../domain/Encoding.ts"
import { TaskId } from "../../domain/Identifier.ts"
import { TooManyParks } from "../../domain/lease/Park.ts"
import { EvidenceMissing } from "../../domain/task/Evidence.ts"
import * as Moves from "../../domain/task/MoveInput.ts"
import { Task } from "../../domain/task/Task.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { InvalidTask } from "../../domain/task/TaskErrors.ts"
import { NeededRank } from "../access/Authorization.ts"
import { Required } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: TaskId }
const moveErrors = [
  Errors.TaskNotFound,
  Errors.InvalidTransition,
  Errors.LeaseLost,
  Errors.TaskExists,
  Errors.VersionConflict
] as const

/** The errors of a change whose queue and fields the caller chooses. */
export const patchErrors = [
  Errors.TaskNotFound,
  InvalidTask,
  Errors.LeaseLost,
  Errors.NotLeased,
  Errors.TaskBlocked,
  Errors.TaskExists,
  Errors.VersionConflict,
  DependencyCycle
] as const

export const submit = HttpApiEndpoint.post("submit", "/:id/submit", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.Submission),
  success: Task,
  error: moveErrors
}).annotate(Required, [
  { fields: ["commits_count", "turns_used"], error: "Missing required fields: commits_count, turns_used" }
]).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
  summary: "Submit a result",
  description:
    "Ends the lease and hands the task to review in `provisional`. An agent that used up its turns hands it to `needs_continuation`, and a task with a requested cancellation is `cancelled`. Also after the lease expired, until someone else takes or moves the task. `evidence` says what was run on which commit, for the reviewer and for a project that requires it."
}))

export const accept = HttpApiEndpoint.post("accept", "/:id/accept", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.Acceptance),
  success: Task,
  error: [...moveErrors, EvidenceMissing]
}).annotate(Required, [{ fields: ["accepted_by"], error: "Missing required field: accepted_by" }])
  .annotateMerge(OpenApi.annotations({
    summary: "Accept a result",
    description:
      "Marks the task `done` and unblocks its dependents. If the project of the task requires evidence (`evidence_required`), the task has to have it for its `head_commit`: otherwise a 409 names what is missing, stale or failed."
  }))

export const reject = HttpApiEndpoint.post("reject", "/:id/reject", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.Rejection),
  success: Task,
  error: moveErrors
}).annotate(Required, [
  { fields: ["reason", "rejected_by"], error: "Missing required fields: reason, rejected_by" }
]).annotateMerge(OpenApi.annotations({
  summary: "Reject a result",
  description:
    "Sends the task back to `incoming` with a reason, which the next agent gets. The rejection that uses up `max_rejections`, or the `max_review_rounds` of its project, leads to `failed`."
}))

export const requeue = HttpApiEndpoint.post("requeue", "/:id/requeue", {
  params,
  query: scopeParameter,
  payload: [Schema.Null, scoped(Moves.Requeue)],
  success: Task,
  error: moveErrors
}).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
  summary: "Requeue a task",
  description:
    "Gives up the work and sends the task back to the queue it was claimed from; from review, to `incoming`. It counts as an attempt. The attempt that uses up `max_attempts` leads to `failed`. With `release` it does not count, and a review stays in its queue. The body may be empty."
}))

export const park = HttpApiEndpoint.post("park", "/:id/park", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.Parking),
  success: Task,
  error: [...moveErrors, InvalidTask, TooManyParks]
}).annotate(Required, [{ fields: ["account", "until"], error: "Missing required fields: account, until" }])
  .annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
    summary: "Park an account",
    description:
      "For the limit of a provider: no claim of the scope that names the account gets a task until then. The lease ends, and the task goes back to the queue it was claimed from. It counts as no attempt, and agents with other accounts may claim the task at once. An account that is parked for longer stays so. A scope has at most 200 parked accounts (`GET /parks`)."
  }))

export const fail = HttpApiEndpoint.post("fail", "/:id/fail", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.Failure),
  success: Task,
  error: moveErrors
}).annotate(Required, [{ fields: ["reason"], error: "Missing required field: reason" }])
  .annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
    summary: "Fail a task",
    description:
      "Fails the task in any queue, ends its lease, and keeps the reason. `redrive` brings it back. `terminal` marks a failure that no retry mends: then only a redrive with `terminal` brings the task back."
  }))

export const forceQueue = HttpApiEndpoint.post("forceQueue", "/:id/force-queue", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.ForcedMove),
  success: Task,
  error: patchErrors
}).annotate(Required, [{ fields: ["queue", "reason"], error: "Missing required fields: queue, reason" }])
  .annotateMerge(OpenApi.annotations({
    summary: "Force a task into a queue",
    description:
      "Puts the task into any queue from any other, also into `done`, against its flow. Its lease ends. The actor and the reason are kept in its history and sent as a message. On a server with a secret only the administrator may do this."
  }))

export const completeHook = HttpApiEndpoint.post("completeHook", "/:id/hooks/:hookName/complete", {
  params: {
    ...params,
    hookName: Schema.NonEmptyString.pipe(describe("The name of the hook."))
  },
  query: scopeParameter,
  payload: scoped(Moves.HookResult),
  success: Task,
  error: [Errors.TaskNotFound, Errors.HookNotFound, Errors.LeaseLost]
}).annotate(Required, [{ fields: ["status"], error: "status must be \"passed\" or \"failed\"" }])
  .annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
    summary: "Complete a hook",
    description: "Records the result of a hook of the task. Simultaneous completions are all kept."
  }))

const endErrors = [Errors.TaskNotFound, Errors.InvalidTransition, Errors.LeaseLost, Errors.VersionConflict] as const

export const cancel = HttpApiEndpoint.post("cancel", "/:id/cancel", {
  params,
  query: scopeParameter,
  payload: [Schema.Null, scoped(Moves.Cancellation)],
  success: Task,
  error: endErrors
}).annotateMerge(OpenApi.annotations({
  summary: "Cancel a task",
  description:
    "A task that nobody holds is `cancelled` at once. A held task gets `cancel_requested_at`: its holder learns that from the next renewal, and the task is cancelled when the lease ends, by a submit (the result is kept), a requeue, a reject or its expiry. An accept still leads to `done`, and a fail to `failed`. A second request changes nothing. The body may be empty."
}))

export const redrive = HttpApiEndpoint.post("redrive", "/:id/redrive", {
  params,
  query: scopeParameter,
  payload: [Schema.Null, scoped(Moves.Redrive)],
  success: Task,
  error: [...endErrors, Errors.TaskExists, Errors.TerminalFailure]
}).annotateMerge(OpenApi.annotations({
  summary: "Redrive a task",
  description:
    "Brings a `failed` or `cancelled` task back to `incoming`. Its attempts, lost leases and rejections count from 0 again. The setbacks stay on the task for the next holder. A failure that is `terminal` is redriven only by a request that says `terminal`. The body may be empty."
}))
