/** `/api/v1/tasks` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../domain/Encoding.ts"
import { HistoryEntry } from "../domain/History.ts"
import { TaskId } from "../domain/Identifier.ts"
import { InvalidTask } from "../domain/InvalidTask.ts"
import * as Moves from "../domain/MoveInput.ts"
import { pageEnvelope } from "../domain/Page.ts"
import { Task } from "../domain/Task.ts"
import * as Errors from "../domain/TaskErrors.ts"
import * as Inputs from "../domain/TaskInput.ts"
import { Authorization } from "./Authorization.ts"
import { preferringMinimal } from "./Document.ts"
import { Required, ScopeRequired } from "./InvalidRequest.ts"
import { scoped, scopeParameter } from "./Scoped.ts"

const params = { id: TaskId }
const moveErrors = [Errors.TaskNotFound, Errors.InvalidTransition, Errors.VersionConflict] as const

export class TasksApi extends HttpApiGroup.make("tasks")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: { ...Inputs.taskFilters, ...scopeParameter },
      success: Schema.Struct({
        tasks: Schema.Array(Task).pipe(describe("The tasks of this page.")),
        ...pageEnvelope
      }),
      error: ScopeRequired
    }).annotateMerge(OpenApi.annotations({
      summary: "List tasks",
      description:
        "A page of the scope's tasks, newest first unless sorted by priority: up to 500 of queues other than `done` and `failed`, unless a limit is given. Every filter narrows it."
    })),
    HttpApiEndpoint.post("create", "/", {
      query: scopeParameter,
      payload: scoped(Inputs.NewTask),
      success: Task.pipe(HttpApiSchema.status(201)),
      error: [Errors.TaskExists, InvalidTask, ScopeRequired]
    }).annotate(Required, [
      { fields: ["id", "file_path"], error: "Missing required fields: id, file_path" }
    ]).annotateMerge(OpenApi.annotations({
      summary: "Create a task",
      description: "Adds a task to a queue. A task of a project gets the project's branch."
    })),
    HttpApiEndpoint.post("claim", "/claim", {
      query: scopeParameter,
      payload: scoped(Moves.Claim),
      success: Task,
      error: [Errors.NoTasksAvailable, Errors.AtCapacity, InvalidTask, ScopeRequired]
    }).annotate(Required, [
      { fields: ["orchestrator_id", "agent_name"], error: "Missing required fields: orchestrator_id, agent_name" }
    ]).annotateMerge(OpenApi.annotations({
      summary: "Claim the next task",
      description:
        "Leases the most urgent task that is ready and matches: by priority, then age, then id. A task claimed from `provisional` stays there, for review. When there is none, a request with the header `Prefer: return=minimal` is answered 204 instead of 404.",
      transform: preferringMinimal
    })),
    HttpApiEndpoint.get("get", "/:id", {
      params,
      query: scopeParameter,
      success: Task,
      error: Errors.TaskNotFound
    }).annotateMerge(OpenApi.annotations({ summary: "Read a task", description: "The task as it is now." })),
    HttpApiEndpoint.patch("patch", "/:id", {
      params,
      query: scopeParameter,
      payload: scoped(Inputs.TaskPatch),
      success: Task,
      error: [Errors.TaskNotFound, InvalidTask, Errors.NotLeased, Errors.TaskBlocked, Errors.VersionConflict]
    }).annotateMerge(OpenApi.annotations({
      summary: "Change a task",
      description:
        "Changes the fields that are given. Moving a task or setting its claim fields is carried out as a transition, so that no contradiction is left. `done` is reached only by accept."
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
      description: "Deletes the task and keeps its history. Tasks that waited for it no longer do."
    })),
    HttpApiEndpoint.post("submit", "/:id/submit", {
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
        "Ends the lease and hands the task to review in `provisional`; an agent that ran out of turns hands it to `needs_continuation`. Also after the lease ran out, until somebody else takes or moves the task."
    })),
    HttpApiEndpoint.post("accept", "/:id/accept", {
      params,
      query: scopeParameter,
      payload: scoped(Moves.Acceptance),
      success: Task,
      error: moveErrors
    }).annotate(Required, [{ fields: ["accepted_by"], error: "Missing required field: accepted_by" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Accept a result",
        description: "Makes the task `done`, and claimable whichever tasks waited only for it."
      })),
    HttpApiEndpoint.post("reject", "/:id/reject", {
      params,
      query: scopeParameter,
      payload: scoped(Moves.Rejection),
      success: Task,
      error: moveErrors
    }).annotate(Required, [
      { fields: ["reason", "rejected_by"], error: "Missing required fields: reason, rejected_by" }
    ]).annotateMerge(OpenApi.annotations({
      summary: "Reject a result",
      description: "Sends the task back to `incoming` with a reason, which the next agent finds on the task."
    })),
    HttpApiEndpoint.post("requeue", "/:id/requeue", {
      params,
      query: scopeParameter,
      payload: [Schema.Null, scoped(Moves.Requeue)],
      success: Task,
      error: moveErrors
    }).annotateMerge(OpenApi.annotations({
      summary: "Requeue a task",
      description:
        "Gives up the work on the task and sends it back to the queue it was claimed from; from review, to `incoming`. The body may be empty."
    })),
    HttpApiEndpoint.post("fail", "/:id/fail", {
      params,
      query: scopeParameter,
      payload: scoped(Moves.Failure),
      success: Task,
      error: moveErrors
    }).annotate(Required, [{ fields: ["reason"], error: "Missing required field: reason" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Fail a task",
        description: "Gives the task up from wherever it is, ends its lease, and keeps the reason."
      })),
    HttpApiEndpoint.post("forceQueue", "/:id/force-queue", {
      params,
      query: scopeParameter,
      payload: scoped(Moves.ForcedMove),
      success: Task,
      error: [Errors.TaskNotFound, InvalidTask, Errors.NotLeased, Errors.TaskBlocked, Errors.VersionConflict]
    }).annotate(Required, [{ fields: ["queue", "reason"], error: "Missing required fields: queue, reason" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Force a task into a queue",
        description:
          "Puts the task into any queue from any other, also into `done`, whatever its flow says. Its lease ends, and who did it and why is kept in its history and sent as a message about it. On a server with a secret only the administrator may."
      })),
    HttpApiEndpoint.post("completeHook", "/:id/hooks/:hookName/complete", {
      params: {
        ...params,
        hookName: Schema.NonEmptyString.pipe(describe("The name of the hook."))
      },
      query: scopeParameter,
      payload: scoped(Moves.HookResult),
      success: Task,
      error: [Errors.TaskNotFound, Errors.HookNotFound]
    }).annotate(Required, [{ fields: ["status"], error: "status must be \"passed\" or \"failed\"" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Complete a hook",
        description: "Writes down how a hook of the task ended. Completions at the same time are all kept."
      })),
    HttpApiEndpoint.get("history", "/:id/history", {
      params,
      query: scopeParameter,
      success: Schema.Struct({
        task_id: TaskId,
        history: Schema.Array(HistoryEntry).pipe(describe("What happened, oldest first.")),
        total: Schema.Int.pipe(describe("How many entries there are."))
      }),
      error: Errors.TaskNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Read a task's history",
      description:
        "Everything that happened to the task, oldest first: one entry for each version. It outlives the task."
    }))
  )
  .prefix("/api/v1/tasks")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Tasks", description: "The queue." }))
{}
