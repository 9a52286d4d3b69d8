/** The endpoints about the lease, checkpoint and handoff of a task: `/api/v1/tasks/:id/…` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { TaskId } from "../../domain/Identifier.ts"
import { CheckpointTooLarge, Handoff } from "../../domain/lease/Handoff.ts"
import * as Renewals from "../../domain/lease/Renewal.ts"
import { explainParameters, Explanation } from "../../domain/task/Explanation.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
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
      "Extends the lease, up to its deadline, and answers whether the holder should go on. It is no change of the task: its version stays. Also after the lease ran out and the task was taken back, until somebody else is granted the task or moves it: then the task is the holder's again, under the same token. A checkpoint is kept for whoever goes on with the task, and is written only while the lease holds."
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

export const explain = HttpApiEndpoint.get("explain", "/:id/explain", {
  params: { id: TaskId },
  query: { ...explainParameters, ...scopeParameter },
  success: Explanation,
  error: [TaskNotFound, InvalidTask]
}).annotateMerge(OpenApi.annotations({
  summary: "Explain why nobody has a task",
  description:
    "Says what stands in the way of a claim for the task, and what else there is to know: by any machine, or by the one that is named. Changes nothing: a lease that ran out, or a backoff that is over, counts as what the next claim makes of it."
}))
