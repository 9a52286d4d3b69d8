/** A role: what an agent may do. A scope that registered roles accepts no others. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, listOf, maybe, text, Time, TimeColumn } from "../Encoding.ts"
import { OrchestratorId, QueueName, RoleName, ScopeName } from "../Identifier.ts"
import { ReasonText } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"
import { unclaimable } from "../task/Moves.ts"

/** How many roles a scope may have. A claim may have to look through all of them. */
export const MaxRoles = 200

const fields = <T extends Schema.Top>(time: T) => ({
  name: RoleName,
  scope: ScopeName,
  description: text("What its agents do."),
  claims_from: QueueName.pipe(describe("The queue its agents claim from when they name none.")),
  orchestrator_id: OrchestratorId.pipe(describe("The machine that registered it last.")),
  created_at: time.pipe(describe("When it was first registered."))
})

export const Role = Schema.Struct(fields(Time)).annotate({ identifier: "Role" })
export type Role = typeof Role.Type
export const RoleRow = Schema.Struct(fields(TimeColumn))

/** A queue that agents may claim from. */
export const ClaimQueue = QueueName.check(
  Schema.makeFilter((queue) => !unclaimable.includes(queue), {
    expected: `a queue tasks are handed out from, which ${unclaimable.join(", ")} are not`
  })
)

const orEmpty = <S extends Schema.Top>(schema: S) => Schema.Union([schema, Schema.Literal("")])

const NewRole = Schema.Struct({
  name: maybe(orEmpty(RoleName), "The role's name. An item without one is skipped."),
  claims_from: maybe(
    orEmpty(ClaimQueue),
    "The queue its agents claim from when they name none; `incoming` unless given."
  ),
  description: maybe(ReasonText, "What its agents do.")
})

export const RoleRegistration = Schema.Struct({
  orchestrator_id: OrchestratorId.pipe(
    describe("The registered machine whose agents these are. The roles are of its scope.")
  ),
  roles: listOf(NewRole, MaxRoles).pipe(describe("The roles of its agents."))
}).annotate({ identifier: "RoleRegistration" })
export type RoleRegistration = typeof RoleRegistration.Type

export class RoleNotFound extends TaggedError<RoleNotFound>()(
  "RoleNotFound",
  { error: ErrorText, role: Schema.String.pipe(describe("The name asked for.")) },
  { httpApiStatus: 404, description: "No role of this name is in reach: it is not registered, or is in another scope." }
) {
  static readonly of = (role: string) => new RoleNotFound({ error: `Role not found: ${role}. Register it.`, role })
}

export class UnknownOrchestrator extends TaggedError<UnknownOrchestrator>()(
  "UnknownOrchestrator",
  { error: ErrorText, orchestrator_id: Schema.String.pipe(describe("The id given.")) },
  {
    httpApiStatus: 400,
    description: "The request names an orchestrator that is not registered, or is in another scope."
  }
) {
  static readonly of = (orchestrator_id: string) =>
    new UnknownOrchestrator({
      error: `Orchestrator '${orchestrator_id}' not found. Register it with POST /api/v1/orchestrators/register.`,
      orchestrator_id
    })
}

export class TooManyRoles extends TaggedError<TooManyRoles>()(
  "TooManyRoles",
  { error: ErrorText, limit: Schema.Int.pipe(describe("How many roles a scope may have.")) },
  { httpApiStatus: 409, description: "The scope would have too many roles. None was registered." }
) {
  static readonly of = (scope: string) =>
    new TooManyRoles({
      error:
        `The scope ${scope} would have more than ${MaxRoles} roles, so none was registered. Delete those it no longer needs.`,
      limit: MaxRoles
    })
}
