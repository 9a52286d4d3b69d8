/** The HTTP contract. The server, the client, `/openapi.json` and `/docs` are derived from it. */
import * as HttpApi from "effect/http-api/HttpApi"
import type * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as OpenApi from "effect/http-api/OpenApi"
import type { Rank } from "../domain/access/Rank.ts"
import { rankNeeded } from "./access/Authorization.ts"
import { KeysApi } from "./access/Keys.ts"
import { complete } from "./Document.ts"
import { EventsApi } from "./feed/Events.ts"
import { MetricsApi } from "./feed/Metrics.ts"
import { OverviewApi } from "./feed/Overview.ts"
import { WebhooksApi } from "./feed/Webhooks.ts"
import { FlowsApi } from "./Flows.ts"
import { parsing, RequestErrors } from "./InvalidRequest.ts"
import { OrchestratorsApi } from "./machine/Orchestrators.ts"
import { ParksApi } from "./machine/Parks.ts"
import { RolesApi } from "./machine/Roles.ts"
import { SchedulerApi } from "./machine/Scheduler.ts"
import { ActionsApi } from "./record/Actions.ts"
import { BreakersApi } from "./record/Breakers.ts"
import { DraftsApi } from "./record/Drafts.ts"
import { MessagesApi } from "./record/Messages.ts"
import { ProjectsApi } from "./record/Projects.ts"
import { UsageApi } from "./record/Usage.ts"
import { SystemApi, Version } from "./System.ts"
import { TasksApi } from "./task/Tasks.ts"
import { ExportApi } from "./transfer/Export.ts"
import { ImportApi } from "./transfer/Import.ts"

export class Api extends HttpApi.make("octopoid")
  .add(TasksApi)
  .add(EventsApi)
  .add(WebhooksApi)
  .add(OverviewApi)
  .add(MetricsApi)
  .add(OrchestratorsApi)
  .add(ParksApi)
  .add(ProjectsApi)
  .add(DraftsApi)
  .add(KeysApi)
  .add(MessagesApi)
  .add(ActionsApi)
  .add(FlowsApi)
  .add(RolesApi)
  .add(SchedulerApi)
  .add(UsageApi)
  .add(BreakersApi)
  .add(ImportApi)
  .add(ExportApi)
  .add(SystemApi)
  .middleware(RequestErrors)
  .annotateMerge(parsing)
  .annotateMerge(OpenApi.annotations({
    title: "Octopoid Server",
    version: Version,
    description:
      "Coordinates AI coding agents on many machines: tasks, leases, orchestrators, projects, drafts, messages and actions.",
    servers: [{ url: "/" }],
    transform: published
  }))
{}

// A function, because the class refers to it before it is made.
function published(document: Record<string, any>): Record<string, any> {
  const ranks = new Map<string, Rank>(
    Object.entries(Api.groups).flatMap(([group, { endpoints }]) =>
      Object.entries(endpoints as Record<string, HttpApiEndpoint.Top>).map((
        [name, endpoint]
      ) => [`${group}.${name}`, rankNeeded(endpoint)])
    )
  )
  return complete(document, (operationId) => ranks.get(operationId))
}
