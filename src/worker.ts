/** The Worker on D1: serves requests, and every minute runs the duties of the cron. A D1 binding holds no I/O. */
import type { ExecutionContext } from "@cloudflare/workers-types"
import { env } from "cloudflare:workers"
import * as Server from "./Server.ts"
import * as D1 from "./sql/engine/D1.ts"

const server = Server.make(D1.layer(env.DB), env)

export default {
  fetch: (request: Request, _: unknown, context: ExecutionContext) =>
    server.handler(request, (work) => context.waitUntil(work)),
  scheduled: (_: unknown, __: unknown, context: ExecutionContext) => server.tick((work) => context.waitUntil(work))
}
