/** What the server says about itself. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { ErrorText, Time } from "../domain/Encoding.ts"

// Clients of the old server look for this version.
export const Version = "2.0.0"

const version = Schema.Literal(Version).annotate({ description: "The version of the API." })

export const Health = Schema.Struct({
  status: Schema.Literal("healthy"),
  version,
  timestamp: Time,
  database: Schema.Literal("connected"),
  access: Schema.Literal("open").annotate({ description: "`open`: every request is served, whoever sends it." })
}).annotate({ identifier: "Health" })

export class Unhealthy extends Schema.TaggedError<Unhealthy>()(
  "Unhealthy",
  {
    error: ErrorText,
    status: Schema.Literal("unhealthy"),
    version,
    timestamp: Time,
    database: Schema.Literals(["disconnected", "unmigrated"]).annotate({
      description: "`unmigrated`: D1 answers, but has not got this server's tables."
    })
  },
  { httpApiStatus: 503, description: "The database cannot be used." }
) {}

export class SystemApi extends HttpApiGroup.make("system", { topLevel: true })
  .add(
    HttpApiEndpoint.get("info", "/", {
      success: Schema.Struct({
        name: Schema.Literal("Octopoid Server"),
        version,
        documentation: Schema.String.annotate({ description: "Where the API is described." }),
        endpoints: Schema.Array(Schema.String).annotate({ description: "`METHOD /path` of every endpoint." })
      })
    }).annotateMerge(
      OpenApi.annotations({ summary: "Describe the server", description: "Its version and endpoints." })
    ),
    HttpApiEndpoint.get("health", "/api/health", { success: Health, error: Unhealthy }).annotateMerge(
      OpenApi.annotations({
        summary: "Check the server",
        description: "Whether the server and its database can serve requests."
      })
    )
  )
  .annotateMerge(OpenApi.annotations({ title: "System", description: "What the server says about itself." }))
{}
