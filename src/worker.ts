/** The Worker on D1: serves requests, and every minute runs the duties of the cron. A D1 binding holds no I/O. */
import type { ExecutionContext } from "@cloudflare/workers-types"
import { env } from "cloudflare:workers"
import * as Context from "effect/Context"
import { AfterAnswer } from "./http/request/AfterAnswer.ts"
import * as Server from "./Server.ts"
import * as D1 from "./sql/engine/D1.ts"

const server = Server.make(D1.layer(env.DB), env)

export default {
  fetch: (request: Request, _: unknown, context: ExecutionContext) =>
    server.handler(request, Context.make(AfterAnswer, (work) => context.waitUntil(work)) as Context.Context<never>),
  scheduled: () => server.tick(Context.empty())
}
