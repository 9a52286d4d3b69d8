/** The endpoints that end a task before it is done, and bring it back: `/api/v1/tasks/:id/cancel` and `…/redrive` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { TaskId } from "../../domain/Identifier.ts"
import * as Ends from "../../domain/task/EndInput.ts"
import { Task } from "../../domain/task/Task.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: TaskId }
const errors = [Errors.TaskNotFound, Errors.InvalidTransition, Errors.LeaseLost, Errors.VersionConflict] as const

export const cancel = HttpApiEndpoint.post("cancel", "/:id/cancel", {
  params,
  query: scopeParameter,
  payload: [Schema.Null, scoped(Ends.Cancellation)],
  success: Task,
  error: errors
}).annotateMerge(OpenApi.annotations({
  summary: "Cancel a task",
  description:
    "A task that nobody holds is `cancelled` at once. One that is held gets `cancel_requested_at`: its holder learns it with the next renewal, and the task is cancelled when the lease ends, whether by a submit (the result is kept), a requeue, a reject or because it ran out. An accept still makes it `done`, and a fail `failed`. To ask again changes nothing. The body may be empty."
}))

export const redrive = HttpApiEndpoint.post("redrive", "/:id/redrive", {
  params,
  query: scopeParameter,
  payload: [Schema.Null, scoped(Ends.Redrive)],
  success: Task,
  error: [...errors, Errors.TaskExists]
}).annotateMerge(OpenApi.annotations({
  summary: "Redrive a task",
  description:
    "Brings a task that is `failed` or `cancelled` back to `incoming`, with its budgets as new: attempts, lost leases and rejections count from 0. What was tried stays on the task, for whoever takes it next. The body may be empty."
}))
