/** The whole HTTP contract. The server, the client, `/openapi.json` and `/docs` are all derived from it. */
import * as HttpApi from "effect/http-api/HttpApi"
import * as OpenApi from "effect/http-api/OpenApi"
import { ActionsApi } from "./Actions.ts"
import { complete } from "./Document.ts"
import { DraftsApi } from "./Drafts.ts"
import { ExportApi } from "./Export.ts"
import { FlowsApi } from "./Flows.ts"
import { ImportApi } from "./Import.ts"
import { RequestErrors } from "./InvalidRequest.ts"
import { KeysApi } from "./Keys.ts"
import { MessagesApi } from "./Messages.ts"
import { OrchestratorsApi } from "./Orchestrators.ts"
import { ProjectsApi } from "./Projects.ts"
import { RolesApi } from "./Roles.ts"
import { SchedulerApi } from "./Scheduler.ts"
import { SystemApi, Version } from "./System.ts"
import { TasksApi } from "./Tasks.ts"

export class Api extends HttpApi.make("octopoid")
  .add(TasksApi)
  .add(OrchestratorsApi)
  .add(ProjectsApi)
  .add(DraftsApi)
  .add(KeysApi)
  .add(MessagesApi)
  .add(ActionsApi)
  .add(FlowsApi)
  .add(RolesApi)
  .add(SchedulerApi)
  .add(ImportApi)
  .add(ExportApi)
  .add(SystemApi)
  .middleware(RequestErrors)
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", reportInput: true })
  .annotate(HttpApi.QueryParseOptions, { errors: "all", reportInput: true })
  .annotateMerge(OpenApi.annotations({
    title: "Octopoid Server",
    version: Version,
    description:
      "Coordinates AI coding agents on many machines: tasks, leases, orchestrators, projects, drafts, messages and actions.",
    servers: [{ url: "/" }],
    transform: complete
  }))
{}
