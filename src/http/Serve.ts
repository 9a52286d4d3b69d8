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
import { type Database, noCost } from "../sql/Database.ts"
import { HttpLayer } from "./Http.ts"
import { timing } from "./Timing.ts"

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

const decodable = (url: string): boolean => {
  try {
    decodeURIComponent(new URL(url).pathname)
    return true
  } catch {
    return false
  }
}

const message = "The path is not valid percent-encoded UTF-8."
const unreadablePath = { _tag: "InvalidRequest", error: message, issues: [{ path: ["path"], message }] }

// The router drops what it does not know before any route or middleware sees it.
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
const refused = (status: number, body: object, method: string) =>
  new Response(method === "HEAD" ? null : JSON.stringify(body), {
    status,
    headers: {
      "access-control-allow-origin": "*",
      "content-type": "application/json",
      "server-timing": timing(noCost(), false)
    }
  })

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
  return {
    handler: (request, context) =>
      !methods.has(request.method)
        ? Promise.resolve(
          refused(405, { _tag: "MethodNotAllowed", error: "The server knows no such method." }, request.method)
        )
        : decodable(request.url)
        ? handler(request, context)
        : Promise.resolve(refused(400, unreadablePath, request.method)),
    dispose
  }
}
