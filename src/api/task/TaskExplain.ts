/** The endpoint that says why nobody has a task: `/api/v1/tasks/:id/explain` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import { TaskId } from "../../domain/Identifier.ts"
import { InvalidTask } from "../../domain/task/InvalidTask.ts"
import { explainParameters, Explanation } from "../../domain/task/Reason.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { scopeParameter } from "../Scoped.ts"

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
