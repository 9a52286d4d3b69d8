/** `/api/v1/tasks` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { DependencyCycle } from "../../domain/dependency/Dependency.ts"
import { describe } from "../../domain/Encoding.ts"
import { TaskId } from "../../domain/Identifier.ts"
import { InvalidCursor, nextCursor, pageEnvelope } from "../../domain/Page.ts"
import { HistoryEntry, historyParameters } from "../../domain/task/History.ts"
import * as Moves from "../../domain/task/MoveInput.ts"
import { ClaimedTask, ExistingTask, Task } from "../../domain/task/Task.ts"
import * as Errors from "../../domain/task/TaskErrors.ts"
import { AtCapacity, InvalidTask, NoTasksAvailable } from "../../domain/task/TaskErrors.ts"
import { taskContent, taskFilters } from "../../domain/task/TaskFilter.ts"
import * as Inputs from "../../domain/task/TaskInput.ts"
import { Authorization, NeededRank } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { preferringMinimal } from "../Document.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"
import { bulk } from "./Bulk.ts"
import * as Depending from "./TaskDependencies.ts"
import * as Leasing from "./TaskLeases.ts"
import { explain } from "./TaskLeases.ts"
import * as Moving from "./TaskMoves.ts"

const params = { id: TaskId }

export class TasksApi extends HttpApiGroup.make("tasks")
  .add(
    conditional(
      HttpApiEndpoint.get("list", "/", {
        query: { ...taskFilters, ...scopeParameter },
        success: Schema.Struct({
          tasks: Schema.Array(Task).pipe(describe("The tasks of this page.")),
          looked_at: Schema.optionalKey(Schema.Int).pipe(
            describe(
              "At how many tasks a search (`q`) looked for this page. `total` is then the number found up to its end."
            )
          ),
          ...pageEnvelope
        }),
        error: [ScopeRequired, InvalidCursor]
      }).annotateMerge(OpenApi.annotations({
        summary: "List tasks",
        description:
          "A page of the scope's tasks, newest first unless sorted by priority: up to 500 of queues other than `done`, `failed` and `cancelled`, unless a limit is given. Every filter narrows it. `q` searches: a page then looks at a bounded number of tasks, and a cursor goes on."
      }))
    ),
    HttpApiEndpoint.post("create", "/", {
      query: scopeParameter,
      payload: scoped(Inputs.NewTask),
      // The first schema that fits encodes the answer, so the one with more fields comes first.
      success: [ExistingTask, Task.pipe(HttpApiSchema.status(201))],
      error: [Errors.TaskExists, InvalidTask, DependencyCycle, ScopeRequired]
    }).annotate(Required, [
      { fields: ["id", "file_path"], error: "Missing required fields: id, file_path" }
    ]).annotateMerge(OpenApi.annotations({
      summary: "Create a task",
      description:
        "Adds a task to a queue. A task of a project gets the branch of the project. If an open task of the scope has the `external_key`, nothing is created: the answer is that task, unchanged, with 200 and `existing: true`."
    })),
    bulk,
    HttpApiEndpoint.post("claim", "/claim", {
      query: scopeParameter,
      payload: scoped(Moves.Claim),
      success: ClaimedTask,
      error: [
        NoTasksAvailable,
        AtCapacity,
        Errors.LeaseLost,
        Errors.TaskNotFound,
        InvalidTask,
        ScopeRequired
      ]
    }).annotate(Required, [
      { fields: ["orchestrator_id", "agent_name"], error: "Missing required fields: orchestrator_id, agent_name" }
    ]).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
      summary: "Claim the next task",
      description:
        "Leases the most urgent task that is ready and matches: by priority, then age, then id. A task claimed from `provisional` stays there, for review. The answer says when to renew the lease, and what earlier holders left. If there is no task, a request with the header `Prefer: return=minimal` gets 204 instead of 404. A repetition under the same `Idempotency-Key` gets the same task and token while that lease is held, with the present state of the task; afterwards it gets 409, or 404 if the task was deleted. A claim that got nothing is tried again.",
      transform: preferringMinimal
    })),
    HttpApiEndpoint.get("get", "/:id", {
      params,
      query: { ...taskContent, ...scopeParameter },
      success: Task,
      error: Errors.TaskNotFound
    }).annotateMerge(OpenApi.annotations({ summary: "Read a task", description: "The task as it is now." })),
    HttpApiEndpoint.patch("patch", "/:id", {
      params,
      query: scopeParameter,
      payload: scoped(Inputs.TaskPatch),
      success: Task,
      error: Moving.patchErrors
    }).annotateMerge(OpenApi.annotations({
      summary: "Change a task",
      description:
        "Changes the given fields. To move a task or set its claim fields is a transition, so no contradiction is left. Only an accept leads to `done`."
    })),
    HttpApiEndpoint.delete("delete", "/:id", {
      params,
      query: scopeParameter,
      success: Schema.Struct({
        message: Schema.Literal("Task deleted").pipe(describe("That it is gone.")),
        task_id: TaskId
      }),
      error: Errors.TaskNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Delete a task",
      description: "Deletes the task and keeps its history. Its dependents wait for it no longer."
    })),
    Moving.submit,
    Moving.accept,
    Moving.reject,
    Moving.requeue,
    Moving.fail,
    Moving.cancel,
    Moving.park,
    Moving.redrive,
    Moving.forceQueue,
    Moving.completeHook,
    Leasing.renew,
    Leasing.fence,
    Leasing.handoff,
    explain,
    Depending.dependencies,
    Depending.replaceDependencies,
    Depending.putDependency,
    Depending.removeDependency,
    Depending.clearDependencies,
    Depending.graph,
    conditional(
      HttpApiEndpoint.get("history", "/:id/history", {
        params,
        query: { ...historyParameters, ...scopeParameter },
        success: Schema.Struct({
          task_id: TaskId,
          history: Schema.Array(HistoryEntry).pipe(describe("What happened, oldest first.")),
          total: Schema.Int.pipe(describe("How many entries there are.")),
          ...nextCursor
        }),
        error: [Errors.TaskNotFound, InvalidCursor]
      }).annotateMerge(OpenApi.annotations({
        summary: "Read a task's history",
        description:
          "The history of the task, oldest entry first: one entry for each version, all of them unless a `limit` is given. It outlives the task."
      }))
    )
  )
  .prefix("/api/v1/tasks")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Tasks", description: "The queue." }))
{}
