/** The endpoints about a task's lease, and about what its holders leave to each other: `/api/v1/tasks/:id/…` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { CheckpointTooLarge, Handoff } from "../../domain/lease/Handoff.ts"
import { TaskId } from "../../domain/Identifier.ts"
import { InvalidTask } from "../../domain/task/InvalidTask.ts"
import * as Renewals from "../../domain/lease/Renewal.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { Required } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: TaskId }

export const renew = HttpApiEndpoint.post("renew", "/:id/renew", {
  params,
  query: scopeParameter,
  payload: scoped(Renewals.Renewal),
  success: Renewals.Lease,
  error: [Errors.TaskNotFound, Errors.LeaseLost, InvalidTask, CheckpointTooLarge]
}).annotate(Required, [{ fields: ["fencing_token"], error: "Missing required field: fencing_token" }])
  .annotateMerge(OpenApi.annotations({
    summary: "Renew a lease",
    description:
      "Extends the lease, up to its deadline, and tells its holder whether to go on. It is no change of the task: its version stays. Also after the lease ran out and the task was taken back, until somebody else is granted the task or moves it: then the task is the holder's again, under the same token. A checkpoint is kept for whoever goes on with the task, and is written only while the lease holds."
  }))

export const handoff = HttpApiEndpoint.get("handoff", "/:id/handoff", {
  params,
  query: scopeParameter,
  success: Schema.Struct({ task_id: TaskId, ...Handoff.fields }),
  error: Errors.TaskNotFound
}).annotateMerge(OpenApi.annotations({
  summary: "Read what the next agent should know",
  description:
    "The last checkpoint, and the latest rejections, losses and attempts that were given up. A claim is answered with it too."
}))
