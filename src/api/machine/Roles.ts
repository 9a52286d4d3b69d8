/** `/api/v1/roles` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../../domain/Encoding.ts"
import { RoleName, ScopeName } from "../../domain/Identifier.ts"
import { Role, RoleNotFound, RoleRegistration, TooManyRoles, UnknownOrchestrator } from "../../domain/machine/Role.ts"
import { InvalidCursor, nextCursor, wholeParameters } from "../../domain/Page.ts"
import { Authorization, NeededRank } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { name: RoleName }
const roles = (description: string) => Schema.Struct({ roles: Schema.Array(Role).pipe(describe(description)) })

export class RolesApi extends HttpApiGroup.make("roles")
  .add(
    HttpApiEndpoint.post("register", "/register", {
      query: scopeParameter,
      payload: scoped(RoleRegistration),
      success: roles("All roles this orchestrator registered last, by name, as many as fit into about 4 MB."),
      error: [UnknownOrchestrator, ScopeRequired, TooManyRoles]
    }).annotate(Required, [
      { fields: ["orchestrator_id", "roles"], error: "Missing required fields: orchestrator_id, roles" }
    ]).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
      summary: "Register roles",
      description:
        "Registers roles in the scope of the orchestrator, or changes them. From then on the scope accepts no task with another role. A scope has at most 200."
    })),
    conditional(
      HttpApiEndpoint.get("list", "/", {
        query: { ...wholeParameters, ...scopeParameter },
        success: Schema.Struct({ ...roles("The roles, by name.").fields, ...nextCursor }),
        error: InvalidCursor
      })
        .annotateMerge(OpenApi.annotations({
          summary: "List roles",
          description: "The roles of the scope by name; without a scope, of all that the caller reaches."
        }))
    ),
    HttpApiEndpoint.get("get", "/:name", { params, query: scopeParameter, success: Role, error: RoleNotFound })
      .annotateMerge(OpenApi.annotations({
        summary: "Read a role",
        description: "The role. Without a scope, the newest of that name."
      })),
    HttpApiEndpoint.delete("delete", "/:name", {
      params,
      query: scopeParameter,
      success: Schema.Struct({
        message: Schema.Literal("Role deleted").pipe(describe("It is gone.")),
        name: RoleName,
        scope: ScopeName
      }),
      error: [RoleNotFound, ScopeRequired]
    }).annotateMerge(OpenApi.annotations({
      summary: "Delete a role",
      description: "Deletes the role; tasks keep its name. Without a scope, the only role of that name."
    }))
  )
  .prefix("/api/v1/roles")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Roles", description: "What the agents of a scope may do." }))
{}
