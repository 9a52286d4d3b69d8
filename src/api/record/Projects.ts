/** `/api/v1/projects` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { MaxEdges, MaxTasks, ProjectGraph } from "../../domain/dependency/ProjectGraph.ts"
import { describe } from "../../domain/Encoding.ts"
import { ProjectId } from "../../domain/Identifier.ts"
import { InvalidCursor, nextCursor, pageEnvelope } from "../../domain/Page.ts"
import {
  CountedProject,
  NewProject,
  Project,
  ProjectExists,
  projectFilters,
  ProjectHasTasks,
  ProjectNotFound,
  ProjectPatch,
  projectTasksParameters
} from "../../domain/record/Project.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { Task } from "../../domain/task/Task.ts"
import { Authorization } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: ProjectId }

export class ProjectsApi extends HttpApiGroup.make("projects")
  .add(
    conditional(
      HttpApiEndpoint.get("list", "/", {
        query: { ...projectFilters, ...scopeParameter },
        success: Schema.Struct({
          projects: Schema.Array(CountedProject).pipe(describe("The projects of this page.")),
          ...pageEnvelope
        }),
        error: InvalidCursor
      }).annotateMerge(OpenApi.annotations({
        summary: "List projects",
        description:
          "A page of the projects, newest first: of the scope, or, without a scope, of all scopes that the caller may see; up to 500 of one `status` unless a limit is given. Every filter narrows it. `counts` says how many tasks of each project are in each queue."
      }))
    ),
    HttpApiEndpoint.post("create", "/", {
      query: scopeParameter,
      payload: scoped(NewProject),
      success: Project.pipe(HttpApiSchema.status(201)),
      error: [ProjectExists, ScopeRequired]
    }).annotate(Required, [
      { fields: ["id", "title", "branch"], error: "Missing required fields: id, title, branch" }
    ]).annotateMerge(OpenApi.annotations({
      summary: "Create a project",
      description: "Tasks that name the project get its branch."
    })),
    HttpApiEndpoint.get("get", "/:id", {
      params,
      query: scopeParameter,
      success: CountedProject,
      error: ProjectNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Read a project",
      description: "The project as it is now. `counts` says how many of its tasks are in each queue."
    })),
    HttpApiEndpoint.get("graph", "/:id/graph", {
      params,
      query: scopeParameter,
      success: ProjectGraph,
      error: ProjectNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Read a project's graph",
      description:
        `The tasks of the project and what they wait for, also tasks of other projects: up to ${MaxTasks} tasks of the project and ${MaxEdges} dependencies. \`truncated\` says whether there are more.`
    })),
    conditional(
      HttpApiEndpoint.get("tasks", "/:id/tasks", {
        params,
        query: { ...projectTasksParameters, ...scopeParameter },
        success: Schema.Struct({
          project_id: ProjectId,
          tasks: Schema.Array(Task).pipe(describe("All tasks of the project.")),
          total: Schema.Int.pipe(describe("How many tasks the project has.")),
          ...nextCursor
        }),
        error: [ProjectNotFound, InvalidCursor]
      }).annotateMerge(OpenApi.annotations({
        summary: "List a project's tasks",
        description:
          "All tasks, most urgent first, then newest. Only a `cursor` asks for a page (`first` for the first); on pages, the oldest of equally urgent tasks come first."
      }))
    ),
    HttpApiEndpoint.patch("patch", "/:id", {
      params,
      query: scopeParameter,
      payload: scoped(ProjectPatch),
      success: Project,
      error: [ProjectNotFound, NoFields]
    }).annotateMerge(OpenApi.annotations({
      summary: "Change a project",
      description: "Changes the given fields. The status `completed` sets `completed_at`, once."
    })),
    HttpApiEndpoint.delete("delete", "/:id", {
      params,
      query: scopeParameter,
      success: Schema.Struct({ message: Schema.String.pipe(describe("`Project <id> deleted`")) }),
      error: [ProjectNotFound, ProjectHasTasks]
    }).annotateMerge(OpenApi.annotations({
      summary: "Delete a project",
      description: "Deletes a project without tasks. A project with tasks is not deleted."
    }))
  )
  .prefix("/api/v1/projects")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Projects", description: "Groups of tasks that share a branch." }))
{}
