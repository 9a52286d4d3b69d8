/** The endpoints about the dependencies of a task: `/api/v1/tasks/:id/dependencies` and `/graph`. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import {
  Dependencies,
  DependencyChange,
  DependencyCycle,
  DependencyList,
  DependencyNotFound,
  expectedParameters
} from "../../domain/dependency/Dependency.ts"
import { depthParameter, Graph } from "../../domain/dependency/DependencyGraph.ts"
import { describe } from "../../domain/Encoding.ts"
import { TaskId } from "../../domain/Identifier.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { InvalidTask } from "../../domain/task/TaskErrors.ts"
import { Required } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: TaskId }
const blockerParams = {
  ...params,
  blocker: TaskId.pipe(describe("The task it waits for; `TASK-` in front makes no difference to one that is listed."))
}
const errors = [Errors.TaskNotFound, InvalidTask, Errors.LeaseLost, Errors.VersionConflict, DependencyCycle] as const
const removing = { ...expectedParameters, ...scopeParameter }

export const dependencies = HttpApiEndpoint.get("dependencies", "/:id/dependencies", {
  params,
  query: scopeParameter,
  success: Dependencies,
  error: Errors.TaskNotFound
}).annotateMerge(OpenApi.annotations({
  summary: "List dependencies",
  description: "Everything the task waits for, whether it still does, and what becomes of it when one of them fails."
}))

export const replaceDependencies = HttpApiEndpoint.put("replaceDependencies", "/:id/dependencies", {
  params,
  query: scopeParameter,
  payload: scoped(DependencyList),
  success: Dependencies,
  error: errors
}).annotate(Required, [{ fields: ["depends_on"], error: "Missing required field: depends_on" }])
  .annotateMerge(OpenApi.annotations({
    summary: "Replace dependencies",
    description:
      "Makes the task wait for these and no others. A list by which tasks would wait for each other is refused. Whoever holds the task keeps it. Where nothing would change, nothing does."
  }))

export const putDependency = HttpApiEndpoint.put("putDependency", "/:id/dependencies/:blocker", {
  params: blockerParams,
  query: scopeParameter,
  payload: [Schema.Null, scoped(DependencyChange)],
  success: Dependencies,
  error: errors
}).annotateMerge(OpenApi.annotations({
  summary: "Add or change a dependency",
  description:
    "Makes the task wait for one more task, which need not exist yet, or changes what that one's failure means. The body may be empty. A task that waits with `fail` for one that has failed already fails at once."
}))

export const removeDependency = HttpApiEndpoint.delete("removeDependency", "/:id/dependencies/:blocker", {
  params: blockerParams,
  query: removing,
  success: Dependencies,
  error: [...errors, DependencyNotFound]
}).annotateMerge(OpenApi.annotations({
  summary: "Remove a dependency",
  description: "Makes the task wait for this one no longer. If it waits for nothing else, it may be claimed."
}))

export const clearDependencies = HttpApiEndpoint.delete("clearDependencies", "/:id/dependencies", {
  params,
  query: removing,
  success: Dependencies,
  error: errors
}).annotateMerge(OpenApi.annotations({
  summary: "Remove all dependencies",
  description: "Makes the task wait for nothing, so that it may be claimed."
}))

export const graph = HttpApiEndpoint.get("graph", "/:id/graph", {
  params,
  query: { ...depthParameter, ...scopeParameter },
  success: Graph,
  error: Errors.TaskNotFound
}).annotateMerge(OpenApi.annotations({
  summary: "Read the graph around a task",
  description:
    "What the task waits for, what waits for it, and so on in both directions, as nodes and edges: nearest first, within bounds. A task that others wait for and that does not exist yet is a node without a queue."
}))
