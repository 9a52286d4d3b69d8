/** The routes as a function from a web request to its answer: what the Worker and the tests call. */
import type * as Context from "effect/Context"
import * as HttpRouter from "effect/http/HttpRouter"
import * as Layer from "effect/Layer"
import type { Access } from "../services/Access.ts"
import type { Actions } from "../services/Actions.ts"
import type { Dependencies } from "../services/Dependencies.ts"
import type { Drafts } from "../services/Drafts.ts"
import type { Export } from "../services/Export.ts"
import type { Flows } from "../services/Flows.ts"
import type { Import } from "../services/Import.ts"
import type { Keys } from "../services/Keys.ts"
import type { Leases } from "../services/Leases.ts"
import type { Messages } from "../services/Messages.ts"
import type { Orchestrators } from "../services/Orchestrators.ts"
import type { Projects } from "../services/Projects.ts"
import type { Roles } from "../services/Roles.ts"
import type { Scheduler } from "../services/Scheduler.ts"
import type { Settings } from "../services/Settings.ts"
import type { TaskQueue } from "../services/TaskQueue.ts"
import type { Database } from "../sql/Database.ts"
import { HttpLayer } from "./Http.ts"

/** What the routes are made of. */
type Services =
  | Access
  | Actions
  | Database
  | Dependencies
  | Drafts
  | Export
  | Flows
  | Import
  | Keys
  | Leases
  | Messages
  | Orchestrators
  | Projects
  | Roles
  | Scheduler
  | Settings
  | TaskQueue

export const make = <E>(services: Layer.Layer<Services, E>, memoMap?: Layer.MemoMap): {
  readonly handler: (request: Request, context?: Context.Context<never>) => Promise<Response>
  readonly dispose: () => Promise<void>
} => {
  const { dispose, handler } = HttpRouter.toWebHandler(HttpLayer.pipe(Layer.provideMerge(services)), {
    disableLogger: true,
    memoMap,
    // However long an id is, it is its schema that refuses it.
    routerConfig: { caseSensitive: true, maxParamLength: Number.MAX_SAFE_INTEGER }
  })
  return { handler, dispose }
}
