/** `/api/v1/scopes/:scope/import` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import { ScopeName } from "../../domain/Identifier.ts"
import { ImportBatch, ImportReport } from "../../domain/transfer/Import.ts"
import { Authorization } from "../access/Authorization.ts"

export class ImportApi extends HttpApiGroup.make("import")
  .add(
    HttpApiEndpoint.post("run", "/:scope/import", {
      params: { scope: ScopeName },
      payload: ImportBatch,
      success: ImportReport
    }).annotateMerge(OpenApi.annotations({
      summary: "Import records into a scope",
      description:
        "Copies the records of another server, as it lists them, with their ids and times. Only records that the scope does not have are written, so a repeated import changes nothing. A record that cannot be written is listed under `conflicts`; the others are written together or not at all. With `dry_run` nothing is written, and the report is that of a real import: a task may refer to a project in the same request. A valid lease is kept; a claimed task without one goes back to `incoming`. On a server with a secret only for the administrator."
    }))
  )
  .prefix("/api/v1/scopes")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Import", description: "Moving from another server." }))
{}
