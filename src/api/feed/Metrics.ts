/** `/metrics` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../../domain/Encoding.ts"
import { ContentType, MaxScopes } from "../../domain/feed/Metrics.ts"
import { Authorization } from "../access/Authorization.ts"
import { scopeParameter } from "../Scoped.ts"

export class MetricsApi extends HttpApiGroup.make("metrics")
  .add(
    HttpApiEndpoint.get("read", "/metrics", {
      query: scopeParameter,
      success: Schema.String.pipe(
        describe("Families of metrics, each with its HELP and TYPE."),
        HttpApiSchema.asText({ contentType: ContentType })
      )
    }).annotateMerge(OpenApi.annotations({
      summary: "Read metrics",
      description:
        `Metrics in the text format of Prometheus: tasks by queue, ready tasks and their age, leases, events, and what was used today. A key gets those of its scope. Other callers get those of all scopes, at most ${MaxScopes}, or of the one they name. Everything comes from the database, so it does not matter which isolate answers.`
    }))
  )
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Metrics", description: "For Prometheus." }))
{}
