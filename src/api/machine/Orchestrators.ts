/** `/api/v1/orchestrators` */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { KeyAmbiguous, KeyNotFound, Rotated, Rotation } from "../../domain/access/ApiKey.ts"
import { Unauthorized } from "../../domain/access/Caller.ts"
import { describe, maybe, Time } from "../../domain/Encoding.ts"
import { OrchestratorId, ScopeName } from "../../domain/Identifier.ts"
import { CheckpointTooLarge } from "../../domain/lease/Handoff.ts"
import { HeldLeases, Renewals } from "../../domain/lease/Renewal.ts"
import * as Orchestrators from "../../domain/machine/Orchestrator.ts"
import { InvalidCursor, nextCursor } from "../../domain/Page.ts"
import { InvalidTask } from "../../domain/task/TaskErrors.ts"
import { Authorization, KeyMissing, NeededRank } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: OrchestratorId }
const heard = { success: Schema.Literal(true).pipe(describe("It was heard.")), last_heartbeat: Time }
const error = Orchestrators.OrchestratorNotFound

export class OrchestratorsApi extends HttpApiGroup.make("orchestrators")
  .add(
    HttpApiEndpoint.post("register", "/register", {
      query: scopeParameter,
      payload: scoped(Orchestrators.Registration),
      // The first schema that fits encodes the answer, so the one with more fields comes first.
      success: [
        Schema.Struct({
          ...Orchestrators.Registered.fields,
          known: Schema.Literal(true).pipe(describe("It was registered before."))
        }),
        Orchestrators.Registered.pipe(HttpApiSchema.status(201))
      ],
      error: [Orchestrators.OrchestratorTaken, ScopeRequired]
    }).annotate(Required, [
      { fields: ["cluster", "machine_id"], error: "Missing required fields: cluster, machine_id, repo_url" }
    ]).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
      summary: "Register an orchestrator",
      description:
        "Registers a machine: 201 the first time, 200 with `known: true` if it was registered already. A scope without a key gets its first one."
    })),
    HttpApiEndpoint.post("heartbeat", "/:id/heartbeat", {
      params,
      query: scopeParameter,
      payload: [
        Schema.Null,
        scoped(Schema.Struct({
          timestamp: Schema.optionalKey(Schema.NullOr(Time)).pipe(
            describe("Tolerated: the server's own clock counts.")
          ),
          leases: maybe(
            HeldLeases,
            "The leases to renew, up to 200: by their tokens, so it does not matter which machine of the scope each was granted to. Of what names the same lease twice, the last counts."
          )
        }))
      ],
      // The first schema that fits encodes the answer, so the one with more fields comes first.
      success: [Schema.Struct({ ...heard, ...Renewals.fields }), Schema.Struct(heard)],
      error: [error, InvalidTask, CheckpointTooLarge]
    }).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
      summary: "Send a heartbeat",
      description:
        "Reports that the machine is alive. The body may be empty, or carry the leases of the machine: then all are renewed, and the answer says which go on, which are lost and why, and what to do about each."
    })),
    conditional(
      HttpApiEndpoint.get("list", "/", {
        query: { ...Orchestrators.orchestratorFilters, ...scopeParameter },
        success: Schema.Struct({
          orchestrators: Schema.Array(Orchestrators.Orchestrator).pipe(describe("The machines.")),
          total: Schema.Int.pipe(describe("How many there are.")),
          ...nextCursor
        }),
        error: InvalidCursor
      }).annotateMerge(OpenApi.annotations({
        summary: "List orchestrators",
        description:
          "All machines of the scope; without a scope, those of all scopes that the caller may see. The latest heartbeat comes first. With `limit`, a page by id."
      }))
    ),
    HttpApiEndpoint.get("get", "/:id", { params, query: scopeParameter, success: Orchestrators.Orchestrator, error })
      .annotateMerge(
        OpenApi.annotations({ summary: "Read an orchestrator", description: "The machine as it is registered." })
      ),
    HttpApiEndpoint.delete("delete", "/:id", {
      params,
      query: scopeParameter,
      success: Schema.Struct({
        message: Schema.Literal("Orchestrator deleted").pipe(describe("That it is gone.")),
        orchestrator_id: OrchestratorId
      }),
      error: [error, ScopeRequired]
    }).annotateMerge(OpenApi.annotations({
      summary: "Delete an orchestrator",
      description: "Deletes a machine and frees its id. Its tasks return to their queues when the leases expire."
    })),
    HttpApiEndpoint.patch("patch", "/:id", {
      params,
      query: scopeParameter,
      payload: scoped(Schema.Struct({ status: Orchestrators.OrchestratorStatus })),
      success: Orchestrators.Orchestrator,
      error: [error, ScopeRequired]
    }).annotate(Required, [{ fields: ["status"], error: "Missing field: status" }])
      .annotateMerge(OpenApi.annotations({
        summary: "Set an orchestrator's status",
        description: "`maintenance` gives it no work until it is set to `active` again."
      })),
    HttpApiEndpoint.post("rotateKey", "/scopes/:scope/rotate-key", {
      params: { scope: ScopeName },
      query: scopeParameter,
      payload: [Schema.Null, scoped(Rotation)],
      success: Rotated,
      error: [KeyNotFound, KeyAmbiguous]
    }).annotate(KeyMissing, Unauthorized.nothingToRotate)
      .annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
        summary: "Rotate a key",
        description:
          "Issues the successor of the key in the request. The old key works for a while. The administrator names the key in `key_id`, unless the scope has only one. The body may be empty."
      }))
  )
  .prefix("/api/v1/orchestrators")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Orchestrators", description: "The machines that run agents." }))
{}
