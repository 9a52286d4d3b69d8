/** `/api/v1/breakers` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { Breaker, BreakerClosing, BreakerList, BreakerNotFound, BreakerSettings } from "../../domain/record/Breaker.ts"
import { ProjectNotFound } from "../../domain/record/Project.ts"
import { Authorization } from "../access/Authorization.ts"
import { ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

export class BreakersApi extends HttpApiGroup.make("breakers")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: scopeParameter,
      success: BreakerList,
      error: ScopeRequired
    }).annotateMerge(OpenApi.annotations({
      summary: "Read the breakers",
      description: "The breakers of the scope and of its projects that are on, and their states."
    })),
    HttpApiEndpoint.put("set", "/", {
      query: scopeParameter,
      payload: scoped(BreakerSettings),
      success: Breaker,
      error: [ProjectNotFound, ScopeRequired]
    }).annotateMerge(OpenApi.annotations({
      summary: "Set a breaker",
      description:
        "The breaker of the scope, or of one of its projects. It opens when `threshold` different tasks have failed alike within the window: then nothing is claimed there until a canary succeeds or someone closes it. Breakers are off unless set."
    })),
    HttpApiEndpoint.post("close", "/close", {
      query: scopeParameter,
      payload: scoped(BreakerClosing),
      success: Breaker,
      error: [BreakerNotFound, ScopeRequired]
    }).annotateMerge(OpenApi.annotations({
      summary: "Close a breaker",
      description:
        "Has claims go on at once. The failures so far are forgotten. A breaker that is closed stays as it is."
    }))
  )
  .prefix("/api/v1/breakers")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({
    title: "Breakers",
    description: "What stops claims when many tasks fail alike."
  }))
{}
