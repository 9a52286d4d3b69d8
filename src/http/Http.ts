/** Every route the server answers. */
import * as Layer from "effect/Layer"
import { ActionsHandlers } from "./Actions.ts"
import { AuthorizationLayer } from "./Authorization.ts"
import { DocsLayer } from "./Docs.ts"
import { DraftsHandlers } from "./Drafts.ts"
import { FallbackLayer, RequestErrorsLayer } from "./Errors.ts"
import { ExportHandlers } from "./Export.ts"
import { FlowsHandlers } from "./Flows.ts"
import { ImportHandlers } from "./Import.ts"
import { KeysHandlers } from "./Keys.ts"
import { MessagesHandlers } from "./Messages.ts"
import { OrchestratorsHandlers } from "./Orchestrators.ts"
import { PlatformLayer } from "./Platform.ts"
import { ProjectsHandlers } from "./Projects.ts"
import { RequestsLayer } from "./Requests.ts"
import { RolesHandlers } from "./Roles.ts"
import { SchedulerHandlers } from "./Scheduler.ts"
import { SystemHandlers } from "./System.ts"
import { TasksHandlers } from "./Tasks.ts"

const ApiLayer = Layer.mergeAll(
  TasksHandlers,
  OrchestratorsHandlers,
  ProjectsHandlers,
  DraftsHandlers,
  MessagesHandlers,
  ActionsHandlers,
  KeysHandlers,
  FlowsHandlers,
  RolesHandlers,
  SchedulerHandlers,
  ImportHandlers,
  ExportHandlers,
  SystemHandlers
)

export const HttpLayer = Layer.mergeAll(ApiLayer, DocsLayer, FallbackLayer, RequestsLayer).pipe(
  Layer.provide([RequestErrorsLayer, AuthorizationLayer]),
  Layer.provide(PlatformLayer)
)
