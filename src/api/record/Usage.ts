/** `/api/v1/usage` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { DayCaps, InvalidDays, NewDayCaps, UsageList, usageParameters } from "../../domain/record/Usage.ts"
import { Authorization } from "../access/Authorization.ts"
import { ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

export class UsageApi extends HttpApiGroup.make("usage")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: { ...usageParameters, ...scopeParameter },
      success: UsageList,
      error: [InvalidDays, ScopeRequired]
    }).annotateMerge(OpenApi.annotations({
      summary: "Read what was used",
      description:
        "The sums of tokens, money and time that agents of the scope reported, by day, by model or by project, and the caps on its days. Days are those of UTC, at most 366. A task has its own sums."
    })),
    HttpApiEndpoint.put("cap", "/caps", {
      query: scopeParameter,
      payload: scoped(NewDayCaps),
      success: DayCaps,
      error: ScopeRequired
    }).annotateMerge(OpenApi.annotations({
      summary: "Set the caps on a scope's days",
      description:
        "What the scope may use on each day, also today. At a cap nothing more is claimed in the scope until the day ends or the cap is raised, and holders get the directive `pause`. A cap that is absent or null is none."
    }))
  )
  .prefix("/api/v1/usage")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Usage", description: "What agents use, and the caps on it." }))
{}
