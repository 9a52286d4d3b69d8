/** `/api/v1/overview` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { Overview, overviewParameters } from "../../domain/feed/Overview.ts"
import { Authorization } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { ScopeRequired } from "../InvalidRequest.ts"
import { scopeParameter } from "../Scoped.ts"

export class OverviewApi extends HttpApiGroup.make("overview")
  .add(
    conditional(
      HttpApiEndpoint.get("read", "/", {
        query: { ...overviewParameters, ...scopeParameter },
        success: Overview,
        error: ScopeRequired
      }).annotateMerge(OpenApi.annotations({
        summary: "Read the overview of a scope",
        description:
          "What a page about the scope shows, in one request: queues, projects, machines, held tasks, reviews, questions to people, failures, tasks done per hour, and usage. Lists are short and have totals. Ask twice a minute, with `If-None-Match`."
      }))
    )
  )
  .prefix("/api/v1/overview")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Overview", description: "The state of a scope at a glance." }))
{}
