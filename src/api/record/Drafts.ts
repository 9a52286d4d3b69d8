/** `/api/v1/drafts` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { DependencyCycle } from "../../domain/dependency/Dependency.ts"
import { describe } from "../../domain/Encoding.ts"
import { DraftId } from "../../domain/Identifier.ts"
import { InvalidCursor, pageEnvelope } from "../../domain/Page.ts"
import { Draft, draftFilters, DraftNotFound, DraftPatch, NewDraft } from "../../domain/record/Draft.ts"
import { ProjectExists } from "../../domain/record/Project.ts"
import { DraftPromoted, InvalidPromotion, Promoted, Promotion } from "../../domain/record/Promotion.ts"
import { NoFields } from "../../domain/TaggedError.ts"
import { InvalidTask, TaskExists } from "../../domain/task/TaskErrors.ts"
import { Authorization } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

// Only digits: `1e0` is a number, but no id of a draft.
const params = {
  id: Schema.String.annotate({
    contentSchema: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER }
  }).check(Schema.isPattern(/^\d+$/, { message: "Draft ID must be an integer" })).pipe(
    Schema.decodeTo(DraftId, SchemaTransformation.numberFromString),
    describe("The draft's id, given by the server.")
  )
}

export class DraftsApi extends HttpApiGroup.make("drafts")
  .add(
    conditional(
      HttpApiEndpoint.get("list", "/", {
        query: { ...draftFilters, ...scopeParameter },
        success: Schema.Struct({
          drafts: Schema.Array(Draft).pipe(describe("The drafts of this page.")),
          ...pageEnvelope
        }),
        error: InvalidCursor
      }).annotateMerge(OpenApi.annotations({
        summary: "List drafts",
        description:
          "A page of the drafts, newest first: of the scope, or, without a scope, of all scopes that the caller may see. Every filter narrows it."
      }))
    ),
    HttpApiEndpoint.post("create", "/", {
      query: scopeParameter,
      payload: scoped(NewDraft),
      success: Draft.pipe(HttpApiSchema.status(201)),
      error: ScopeRequired
    }).annotate(Required, [{ fields: ["title", "author"], error: "Missing required fields: title, author" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Create a draft",
        description: "Creates a draft. The server gives it an id."
      })),
    HttpApiEndpoint.get("get", "/:id", { params, query: scopeParameter, success: Draft, error: DraftNotFound })
      .annotateMerge(OpenApi.annotations({ summary: "Read a draft", description: "The draft as it is now." })),
    HttpApiEndpoint.patch("patch", "/:id", {
      params,
      query: scopeParameter,
      payload: scoped(DraftPatch),
      success: Draft,
      error: [DraftNotFound, NoFields]
    }).annotateMerge(OpenApi.annotations({
      summary: "Change a draft",
      description: "Changes the given fields. Null clears an optional field."
    })),
    HttpApiEndpoint.post("promote", "/:id/promote", {
      params,
      query: scopeParameter,
      payload: scoped(Promotion),
      success: Promoted.pipe(HttpApiSchema.status(201)),
      error: [DraftNotFound, DraftPromoted, InvalidPromotion, TaskExists, InvalidTask, DependencyCycle, ProjectExists]
    }).annotateMerge(OpenApi.annotations({
      summary: "Promote a draft",
      description:
        "Creates the task or the project that the draft becomes, in the scope of the draft. The draft names it as `linked_task_id` or `linked_project_id` and gets the status `promoted`; the task or project names the draft as `draft_id`. A draft is promoted once: after that, the answer is a 409. A task that names neither a branch nor a project is on `main`."
    })),
    HttpApiEndpoint.delete("delete", "/:id", {
      params,
      query: scopeParameter,
      success: Schema.Struct({ message: Schema.String.pipe(describe("`Draft <id> deleted`")) }),
      error: DraftNotFound
    }).annotateMerge(OpenApi.annotations({
      summary: "Delete a draft",
      description: "Deletes the draft. Tasks that came from it stay."
    }))
  )
  .prefix("/api/v1/drafts")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Drafts", description: "Ideas that may become tasks." }))
{}
