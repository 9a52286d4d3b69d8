/** `/api/v1/scheduler` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { Poll, pollParameters } from "../../domain/machine/Poll.ts"
import { Authorization } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { ScopeRequired } from "../InvalidRequest.ts"
import { scopeParameter } from "../Scoped.ts"

export class SchedulerApi extends HttpApiGroup.make("scheduler")
  .add(
    conditional(
      HttpApiEndpoint.get("poll", "/poll", {
        query: { ...pollParameters, ...scopeParameter },
        success: Poll,
        error: ScopeRequired
      }).annotateMerge(OpenApi.annotations({
        summary: "Poll",
        description:
          "Everything that an orchestrator needs to decide what to do next, in one request: counts, reviews and flows of its scope, and whether it is registered."
      }))
    )
  )
  .prefix("/api/v1/scheduler")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Scheduler", description: "The poll of an orchestrator." }))
{}
