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
import { Authorization } from "../access/Authorization.ts"
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
          "A page of the scope's actions, newest first. Every filter narrows it; expired ones must be asked for."
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
    }]).annotateMerge(OpenApi.annotations({
      summary: "Propose an action",
      description: "Puts an action forward for somebody to approve."
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
        "Sets the status, the result or both. A finished action keeps its status. With `expected_status` it is a compare-and-set: send `executing`, expecting `execute_requested`, before carrying the action out, and nobody else will carry it out too."
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
        "Asks for a proposed action to be carried out: it becomes `execute_requested`. Of several requests at once, one succeeds. The body may be empty."
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
        "Says that the action was carried out, and what came of it. The same request again is answered with the action as it is. The body may be empty."
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
        "Says that the action could not be carried out. Why is kept as its `result`; of several fields that say so, all. The same request again is answered with the action as it is. The body may be empty."
    }))
  )
  .prefix("/api/v1/actions")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Actions", description: "Proposals that somebody approves." }))
{}
