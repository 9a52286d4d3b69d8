/** Every route of the server. */
import * as Layer from "effect/Layer"
import { AuthorizationLayer } from "./access/Authorization.ts"
import { KeysHandlers } from "./access/Keys.ts"
import { DocsLayer } from "./docs/Docs.ts"
import { FallbackLayer, RequestErrorsLayer } from "./Errors.ts"
import { EventsHandlers } from "./feed/Events.ts"
import { MetricsHandlers } from "./feed/Metrics.ts"
import { OverviewHandlers } from "./feed/Overview.ts"
import { WebhooksHandlers } from "./feed/Webhooks.ts"
import { FlowsHandlers } from "./Flows.ts"
import { OrchestratorsHandlers } from "./machine/Orchestrators.ts"
import { ParksHandlers } from "./machine/Parks.ts"
import { RolesHandlers } from "./machine/Roles.ts"
import { SchedulerHandlers } from "./machine/Scheduler.ts"
import { PlatformLayer } from "./Platform.ts"
import { ActionsHandlers } from "./record/Actions.ts"
import { BreakerHandlers } from "./record/Breakers.ts"
import { DraftsHandlers } from "./record/Drafts.ts"
import { MessagesHandlers } from "./record/Messages.ts"
import { ProjectsHandlers } from "./record/Projects.ts"
import { UsageHandlers } from "./record/Usage.ts"
import { RequestsLayer } from "./request/Requests.ts"
import { SystemHandlers } from "./System.ts"
import { TasksHandlers } from "./task/Tasks.ts"
import { ExportHandlers } from "./transfer/Export.ts"
import { ImportHandlers } from "./transfer/Import.ts"

const ApiLayer = Layer.mergeAll(
  TasksHandlers,
  EventsHandlers,
  WebhooksHandlers,
  OverviewHandlers,
  MetricsHandlers,
  OrchestratorsHandlers,
  ParksHandlers,
  ProjectsHandlers,
  DraftsHandlers,
  MessagesHandlers,
  ActionsHandlers,
  KeysHandlers,
  FlowsHandlers,
  RolesHandlers,
  SchedulerHandlers,
  UsageHandlers,
  BreakerHandlers,
  ImportHandlers,
  ExportHandlers,
  SystemHandlers
)

export const HttpLayer = Layer.mergeAll(ApiLayer, DocsLayer, FallbackLayer, RequestsLayer).pipe(
  Layer.provide([RequestErrorsLayer, AuthorizationLayer]),
  Layer.provide(PlatformLayer)
)
