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
  description: "All blockers of the task, whether each still blocks it, and what its failure means."
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
      "Replaces the blockers of the task by these. A list that closes a circle is refused. The holder keeps the task. An unchanged list changes nothing."
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
    "Adds a blocker, which need not exist yet, or changes what its failure means. The body may be empty. With `fail`, the task fails at once if the blocker has failed already."
}))

export const removeDependency = HttpApiEndpoint.delete("removeDependency", "/:id/dependencies/:blocker", {
  params: blockerParams,
  query: removing,
  success: Dependencies,
  error: [...errors, DependencyNotFound]
}).annotateMerge(OpenApi.annotations({
  summary: "Remove a dependency",
  description: "Removes the blocker. If the task has no other, it may be claimed."
}))

export const clearDependencies = HttpApiEndpoint.delete("clearDependencies", "/:id/dependencies", {
  params,
  query: removing,
  success: Dependencies,
  error: errors
}).annotateMerge(OpenApi.annotations({
  summary: "Remove all dependencies",
  description: "Removes all blockers of the task, so that it may be claimed."
}))

export const graph = HttpApiEndpoint.get("graph", "/:id/graph", {
  params,
  query: { ...depthParameter, ...scopeParameter },
  success: Graph,
  error: Errors.TaskNotFound
}).annotateMerge(OpenApi.annotations({
  summary: "Read the graph around a task",
  description:
    "The blockers and dependents of the task, their blockers and dependents, and so on, as nodes and edges: nearest first, within limits. A blocker that does not exist yet is a node without a queue."
}))
