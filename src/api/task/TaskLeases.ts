/** The endpoints about the lease, checkpoint and handoff of a task: `/api/v1/tasks/:id/…` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { TaskId } from "../../domain/Identifier.ts"
import { CheckpointTooLarge, Handoff } from "../../domain/lease/Handoff.ts"
import { Push, pushParameters } from "../../domain/lease/Push.ts"
import * as Renewals from "../../domain/lease/Renewal.ts"
import { explainParameters, Explanation } from "../../domain/task/explain/Explanation.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { NeededRank } from "../access/Authorization.ts"
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
  .annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
    summary: "Renew a lease",
    description:
      "Extends the lease, up to its deadline, and answers whether the holder should go on. It is no change of the task: its version stays. An expired lease is re-attached under the same token, if no one else was granted the task and no one moved it. A checkpoint is saved for the next holder, but only while the lease holds."
  }))

export const fence = HttpApiEndpoint.get("fence", "/:id/fence", {
  params,
  query: { ...pushParameters, ...scopeParameter },
  success: Push,
  error: Errors.TaskNotFound
}).annotate(NeededRank, "fence").annotateMerge(OpenApi.annotations({
  summary: "Ask whether a token may still push",
  description:
    "Says whether the holder of a token may still push. It may if the token is that of the present lease, or of an expired lease of a task that nobody was granted or moved since. A hook of git asks this, so an agent that lost its lease pushes nothing. It changes nothing and reads one row. A key of the rank `fence` may ask only this."
}))

export const handoff = HttpApiEndpoint.get("handoff", "/:id/handoff", {
  params,
  query: scopeParameter,
  success: Schema.Struct({ task_id: TaskId, ...Handoff.fields }),
  error: Errors.TaskNotFound
}).annotateMerge(OpenApi.annotations({
  summary: "Read what the next agent should know",
  description: "The last checkpoint and the latest setbacks. The answer to a claim has it too."
}))

export const explain = HttpApiEndpoint.get("explain", "/:id/explain", {
  params: { id: TaskId },
  query: { ...explainParameters, ...scopeParameter },
  success: Explanation,
  error: [TaskNotFound, InvalidTask]
}).annotateMerge(OpenApi.annotations({
  summary: "Explain why nobody has a task",
  description:
    "Says what prevents a claim for the task, by any machine or by the named one, and gives further information. Changes nothing: an expired lease or a finished backoff is treated as the next claim would treat it."
}))
