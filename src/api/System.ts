/** The endpoints about the server itself. */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe, ErrorText, Time } from "../domain/Encoding.ts"
import { TaggedError } from "../domain/TaggedError.ts"

// Clients of the old server expect this version.
export const Version = "2.0.0"

const version = Schema.Literal(Version).pipe(describe("The version of the API."))

export const Health = Schema.Struct({
  status: Schema.Literal("healthy").pipe(describe("Requests can be served.")),
  version,
  timestamp: Time,
  database: Schema.Literal("connected").pipe(describe("D1 answers, and has the migrations this release needs.")),
  access: Schema.Literals(["open", "keys"]).pipe(
    describe("`open`: requests without a key are served too. `keys`: only requests with a key or the server's secret.")
  ),
  push: Schema.optionalKey(
    Schema.Literal("websocket").pipe(
      describe("Given if the server sends the feed on a WebSocket: `GET /api/v1/events` with `Upgrade: websocket`.")
    )
  )
}).annotate({ identifier: "Health" })

export class Unhealthy extends TaggedError<Unhealthy>()(
  "Unhealthy",
  {
    error: ErrorText,
    status: Schema.Literal("unhealthy").pipe(describe("Requests cannot be served.")),
    version,
    timestamp: Time,
    database: Schema.Literals(["disconnected", "unmigrated"]).pipe(
      describe("`unmigrated`: D1 answers, but lacks a migration that this release needs.")
    )
  },
  { httpApiStatus: 503, description: "The database cannot be used." }
) {}

export class SystemApi extends HttpApiGroup.make("system", { topLevel: true })
  .add(
    HttpApiEndpoint.get("info", "/", {
      success: Schema.Struct({
        name: Schema.Literal("Octopoid Server").pipe(describe("What this is.")),
        version,
        documentation: Schema.String.pipe(describe("Where the API is described.")),
        endpoints: Schema.Array(Schema.String).pipe(describe("`METHOD /path` of every endpoint."))
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
