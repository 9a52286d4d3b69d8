/** `/api/v1/export` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { ExportPage, exportParameters } from "../../domain/transfer/Export.ts"
import { Authorization } from "../access/Authorization.ts"
import { scopeParameter } from "../Scoped.ts"

export class ExportApi extends HttpApiGroup.make("export")
  .add(
    HttpApiEndpoint.get("page", "/export", {
      query: { ...exportParameters, ...scopeParameter },
      success: ExportPage
    }).annotateMerge(OpenApi.annotations({
      summary: "Export",
      description:
        "A page of all records of the scope, for a backup or a move: `octopoid-server export` reads all pages. A key exports its scope. A caller that reaches all scopes and names none exports the server, with the idempotency keys, and, as the administrator, with the hashes of the API keys. A task comes with its dependencies and history, as they were at one moment."
    }))
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Export", description: "All records, for a backup or a move." }))
{}
