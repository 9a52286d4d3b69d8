/** The endpoints that move, cancel and redrive a task: `/api/v1/tasks/:id/…` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { DependencyCycle } from "../../domain/dependency/Dependency.ts"
import { describe } from "../../domain/Encoding.ts"
import { TaskId } from "../../domain/Identifier.ts"
import * as Moves from "../../domain/task/MoveInput.ts"
import { Task } from "../../domain/task/Task.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { InvalidTask } from "../../domain/task/TaskErrors.ts"
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
]).annotateMerge(OpenApi.annotations({
  summary: "Submit a result",
  description:
    "Ends the lease and hands the task to review in `provisional`; an agent that ran out of turns hands it to `needs_continuation`, and a task that was to be cancelled is `cancelled`. Also after the lease ran out, until somebody else takes or moves the task."
}))

export const accept = HttpApiEndpoint.post("accept", "/:id/accept", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.Acceptance),
  success: Task,
  error: moveErrors
}).annotate(Required, [{ fields: ["accepted_by"], error: "Missing required field: accepted_by" }])
  .annotateMerge(OpenApi.annotations({
    summary: "Accept a result",
    description: "Makes the task `done`, and claimable whichever tasks waited only for it."
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
    "Sends the task back to `incoming` with a reason, which the next agent finds on the task. The rejection that spends the budget of `max_rejections` lands in `failed`."
}))

export const requeue = HttpApiEndpoint.post("requeue", "/:id/requeue", {
  params,
  query: scopeParameter,
  payload: [Schema.Null, scoped(Moves.Requeue)],
  success: Task,
  error: moveErrors
}).annotateMerge(OpenApi.annotations({
  summary: "Requeue a task",
  description:
    "Gives up the work on the task and sends it back to the queue it was claimed from; from review, to `incoming`. That counts as an attempt, and the one that spends the budget of `max_attempts` lands in `failed`; with `release` it does not count, and a review stays under review. The body may be empty."
}))

export const fail = HttpApiEndpoint.post("fail", "/:id/fail", {
  params,
  query: scopeParameter,
  payload: scoped(Moves.Failure),
  success: Task,
  error: moveErrors
}).annotate(Required, [{ fields: ["reason"], error: "Missing required field: reason" }])
  .annotateMerge(OpenApi.annotations({
    summary: "Fail a task",
    description:
      "Gives the task up from wherever it is, ends its lease, and keeps the reason. `redrive` brings it back."
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
      "Puts the task into any queue from any other, also into `done`, whatever its flow says. Its lease ends, and who did it and why is kept in its history and sent as a message about it. On a server with a secret only the administrator may."
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
  .annotateMerge(OpenApi.annotations({
    summary: "Complete a hook",
    description: "Writes down how a hook of the task ended. Completions at the same time are all kept."
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
    "A task that nobody holds is `cancelled` at once. One that is held gets `cancel_requested_at`: its holder learns it with the next renewal, and the task is cancelled when the lease ends, whether by a submit (the result is kept), a requeue, a reject or because it ran out. An accept still makes it `done`, and a fail `failed`. To ask again changes nothing. The body may be empty."
}))

export const redrive = HttpApiEndpoint.post("redrive", "/:id/redrive", {
  params,
  query: scopeParameter,
  payload: [Schema.Null, scoped(Moves.Redrive)],
  success: Task,
  error: [...endErrors, Errors.TaskExists]
}).annotateMerge(OpenApi.annotations({
  summary: "Redrive a task",
  description:
    "Brings a task that is `failed` or `cancelled` back to `incoming`, with its budgets as new: attempts, lost leases and rejections count from 0. What was tried stays on the task, for whoever takes it next. The body may be empty."
}))
