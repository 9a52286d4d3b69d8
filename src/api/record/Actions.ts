/** `/api/v1/actions` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../../domain/Encoding.ts"
import { ActionId } from "../../domain/Identifier.ts"
import { InvalidCursor, pageEnvelope } from "../../domain/Page.ts"
import {
  Action,
  ActionCompletion,
  actionContent,
  ActionFailure,
  actionFilters,
  ActionNotExecutable,
  ActionNotFound,
  ActionPatch,
  ActionStatusConflict,
  InvalidActionStatus,
  NewAction
} from "../../domain/record/Action.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { Authorization, NeededRank } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: ActionId }

export class ActionsApi extends HttpApiGroup.make("actions")
  .add(
    conditional(
      HttpApiEndpoint.get("list", "/", {
        query: { ...actionFilters, ...scopeParameter },
        success: Schema.Struct({
          actions: Schema.Array(Action).pipe(describe("The actions of this page.")),
          ...pageEnvelope
        }),
        error: [ScopeRequired, InvalidCursor]
      }).annotateMerge(OpenApi.annotations({
        summary: "List actions",
        description:
          "A page of the actions of the scope, newest first. Every filter narrows it. Expired actions only on request."
      }))
    ),
    HttpApiEndpoint.post("propose", "/", {
      query: scopeParameter,
      payload: scoped(NewAction),
      success: Action.pipe(HttpApiSchema.status(201)),
      error: ScopeRequired
    }).annotate(Required, [{
      fields: ["entity_type", "entity_id", "label", "proposed_by"],
      error: "Missing required fields: entity_type, entity_id, label, proposed_by"
    }]).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
      summary: "Propose an action",
      description: "Proposes an action, for someone to approve."
    })),
    HttpApiEndpoint.get("get", "/:id", {
      params,
      query: { ...actionContent, ...scopeParameter },
      success: Action,
      error: ActionNotFound
    })
      .annotateMerge(OpenApi.annotations({ summary: "Read an action", description: "The action as it is now." })),
    HttpApiEndpoint.patch("patch", "/:id", {
      params,
      query: scopeParameter,
      payload: scoped(ActionPatch),
      success: Action,
      error: [ActionNotFound, InvalidActionStatus, NoFields, ActionStatusConflict]
    }).annotateMerge(OpenApi.annotations({
      summary: "Change an action",
      description:
        "Sets the status, the result or both. A finished action keeps its status. With `expected_status` it is a compare-and-set: before you carry an action out, send `executing` and expect `execute_requested`, so that nobody else carries it out too."
    })),
    HttpApiEndpoint.post("execute", "/:id/execute", {
      params,
      query: scopeParameter,
      payload: [Schema.Null, scoped(Schema.Struct({}))],
      success: Action,
      error: [ActionNotFound, ActionNotExecutable]
    }).annotateMerge(OpenApi.annotations({
      summary: "Approve an action",
      description:
        "Approves a proposed action: it becomes `execute_requested`. Of several simultaneous requests, one succeeds. The body may be empty."
    })),
    HttpApiEndpoint.post("complete", "/:id/complete", {
      params,
      query: scopeParameter,
      payload: [Schema.Null, scoped(ActionCompletion)],
      success: Action,
      error: [ActionNotFound, ActionStatusConflict]
    }).annotateMerge(OpenApi.annotations({
      summary: "Complete an action",
      description:
        "Reports that the action was carried out, with its result. A repeated request is answered with the action as it is. The body may be empty."
    })),
    HttpApiEndpoint.post("fail", "/:id/fail", {
      params,
      query: scopeParameter,
      payload: [Schema.Null, scoped(ActionFailure)],
      success: Action,
      error: [ActionNotFound, ActionStatusConflict]
    }).annotateMerge(OpenApi.annotations({
      summary: "Fail an action",
      description:
        "Reports that the action could not be carried out. The reason is kept as its `result`; if several fields have reasons, all are kept. A repeated request is answered with the action as it is. The body may be empty."
    }))
  )
  .prefix("/api/v1/actions")
  .middleware(Authorization)
  .annotateMerge(
    OpenApi.annotations({ title: "Actions", description: "Proposals that one actor approves and another carries out." })
  )
{}
