/** The server as a function from a web request to its answer, for the Worker and the tests. */
import type * as Context from "effect/Context"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import type { Access } from "../services/access/Access.ts"
import type { Keys } from "../services/access/Keys.ts"
import type { Dependencies } from "../services/dependency/Dependencies.ts"
import type { D1Costs } from "../services/feed/D1Costs.ts"
import type { Deliveries } from "../services/feed/Deliveries.ts"
import type { Events } from "../services/feed/Events.ts"
import type { Metrics } from "../services/feed/Metrics.ts"
import type { Overviews } from "../services/feed/Overview.ts"
import type { Webhooks } from "../services/feed/Webhooks.ts"
import type { Flows } from "../services/flow/Flows.ts"
import type { Leases } from "../services/lease/Leases.ts"
import type { Parks } from "../services/lease/Parks.ts"
import type { Orchestrators } from "../services/machine/Orchestrators.ts"
import type { Roles } from "../services/machine/Roles.ts"
import type { Scheduler } from "../services/machine/Scheduler.ts"
import type { Actions } from "../services/record/Actions.ts"
import type { BreakerSwitches } from "../services/record/Breakers.ts"
import type { Drafts } from "../services/record/Drafts.ts"
import type { Messages } from "../services/record/Messages.ts"
import type { Projects } from "../services/record/Projects.ts"
import type { UsageSums } from "../services/record/Usage.ts"
import type { Settings } from "../services/Settings.ts"
import type { TaskQueue } from "../services/task/TaskQueue.ts"
import type { Export } from "../services/transfer/Export.ts"
import type { Import } from "../services/transfer/Import.ts"
import type { Database } from "../sql/Database.ts"
import { HttpLayer } from "./Http.ts"

/** The services that the routes use. */
type Services =
  | Access
  | Actions
  | D1Costs
  | Database
  | Deliveries
  | Dependencies
  | Drafts
  | Events
  | Export
  | Flows
  | Import
  | Keys
  | Leases
  | Messages
  | Metrics
  | Orchestrators
  | Overviews
  | Parks
  | Projects
  | UsageSums
  | BreakerSwitches
  | Roles
  | Scheduler
  | Settings
  | TaskQueue
  | Webhooks

export const make = <E>(services: Layer.Layer<Services, E>, memoMap?: Layer.MemoMap): {
  readonly handler: (request: Request, context?: Context.Context<never>) => Promise<Response>
  readonly dispose: () => Promise<void>
} => {
  const { dispose, handler } = HttpRouter.toWebHandler(HttpLayer.pipe(Layer.provideMerge(services)), {
    disableLogger: true,
    memoMap,
    // The schema of an id refuses an id that is too long, so the router accepts any length.
    routerConfig: { caseSensitive: true, maxParamLength: Number.MAX_SAFE_INTEGER }
  })
  return { handler, dispose }
}
