/** `/api/v1/flows` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../domain/Encoding.ts"
import { Flow, FlowNotFound, FlowWarnings, InvalidFlow, NewFlow, RegisteredFlow } from "../domain/flow/Flow.ts"
import { FlowName, ScopeName } from "../domain/Identifier.ts"
import { InvalidCursor, nextCursor, wholeParameters } from "../domain/Page.ts"
import { Authorization } from "./access/Authorization.ts"
import { conditional } from "./Conditional.ts"
import { Required, ScopeRequired } from "./InvalidRequest.ts"
import { scoped, scopeParameter } from "./Scoped.ts"

const params = { name: FlowName }
const error = [FlowNotFound, ScopeRequired] as const

export class FlowsApi extends HttpApiGroup.make("flows")
  .add(
    HttpApiEndpoint.put("register", "/:name", {
      params,
      query: scopeParameter,
      payload: scoped(NewFlow),
      success: RegisteredFlow,
      error: [InvalidFlow, ScopeRequired]
    }).annotate(Required, [
      { fields: ["states"], error: "Missing required field: states (array)" },
      { fields: ["transitions"], error: "Missing required field: transitions (array)" }
    ]).annotateMerge(OpenApi.annotations({
      summary: "Register a flow",
      description:
        "Registers the flow or a new version of it: 200 in both cases. `states` and `transitions` are answered as JSON text, `child_flow` as an object. `warnings` names the tasks that this version leads nowhere."
    })),
    conditional(
      HttpApiEndpoint.get("list", "/", {
        query: { ...wholeParameters, ...scopeParameter },
        success: Schema.Struct({
          flows: Schema.Array(Flow).pipe(describe("The scope's flows, by name.")),
          ...nextCursor
        }),
        error: [ScopeRequired, InvalidCursor]
      }).annotateMerge(OpenApi.annotations({ summary: "List flows", description: "All flows of the scope, by name." }))
    ),
    HttpApiEndpoint.get("get", "/:name", { params, query: scopeParameter, success: Flow, error })
      .annotateMerge(OpenApi.annotations({
        summary: "Read a flow",
        description: "The flow as it is registered. Without a scope, the only flow of that name."
      })),
    HttpApiEndpoint.delete("delete", "/:name", {
      params,
      query: scopeParameter,
      success: Schema.Struct({
        message: Schema.Literal("Flow deleted").pipe(describe("It is gone.")),
        name: FlowName,
        scope: ScopeName,
        warnings: FlowWarnings
      }),
      error
    }).annotateMerge(OpenApi.annotations({
      summary: "Delete a flow",
      description:
        "Deletes the flow; its tasks follow the default one from then on, and `warnings` names those that it leads nowhere. Without a scope, the only flow of that name."
    }))
  )
  .prefix("/api/v1/flows")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Flows", description: "State machines that replace the default one." }))
{}
