/** `/api/v1/parks` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../../domain/Encoding.ts"
import { ScopeName } from "../../domain/Identifier.ts"
import { Account, NotParked, Park, Parks } from "../../domain/lease/Park.ts"
import { Authorization } from "../access/Authorization.ts"
import { ScopeRequired } from "../InvalidRequest.ts"
import { scopeParameter } from "../Scoped.ts"

export class ParksApi extends HttpApiGroup.make("parks")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: scopeParameter,
      success: Parks,
      error: ScopeRequired
    }).annotateMerge(OpenApi.annotations({
      summary: "List parked accounts",
      description:
        "The accounts of the scope that are parked (`POST /tasks/:id/park`), the first to end first. No claim that names one of them gets a task until then."
    })),
    HttpApiEndpoint.delete("end", "/:account", {
      params: { account: Account },
      query: scopeParameter,
      success: Schema.Struct({
        message: Schema.Literal("Account unparked").pipe(describe("It may claim again.")),
        scope: ScopeName,
        ...Park.fields
      }),
      error: [NotParked, ScopeRequired]
    }).annotateMerge(OpenApi.annotations({
      summary: "Unpark an account",
      description:
        "Claims that name the account get tasks again at once. The answer is the park that it had. An account that is not parked is a 404."
    }))
  )
  .prefix("/api/v1/parks")
  .middleware(Authorization)
  .annotateMerge(
    OpenApi.annotations({ title: "Parks", description: "Accounts that are at a limit of their provider." })
  )
{}
