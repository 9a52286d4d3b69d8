/** An orchestrator: a registered machine that runs agents. */
import * as Schema from "effect/Schema"
import { ApiKeyText } from "../access/ApiKey.ts"
import { CommaList, describe, ErrorText, MaxItems, maybe, text, Time, TimeColumn } from "../Encoding.ts"
import { OrchestratorId, ScopeName } from "../Identifier.ts"
import { wholeParameters } from "../Page.ts"
import { Label, Line, MaxShort, sizedJsonList } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

export const OrchestratorStatus = Schema.Literals(["active", "offline", "maintenance"]).pipe(
  describe("`active`: it called recently. `offline`: it is silent. `maintenance`: it gets no work until that ends.")
)

const fields = <T extends Schema.Top>(time: T) => ({
  id: OrchestratorId,
  scope: ScopeName,
  cluster: Schema.String.pipe(describe("The cluster the machine belongs to.")),
  machine_id: Schema.String.pipe(describe("The machine's name in its cluster.")),
  hostname: text("The machine's host name."),
  repo_url: text("The repository its agents work on."),
  version: text("The version of the orchestrator."),
  capabilities: text("What it can do, as JSON text."),
  max_agents: Schema.NullOr(Schema.Int).pipe(describe("How many agents it runs at once.")),
  max_claimed: Schema.NullOr(Schema.Int).pipe(
    describe("How many tasks it may hold at once, when its claims do not say.")
  ),
  status: OrchestratorStatus,
  registered_at: time,
  last_heartbeat: time
})

export const Orchestrator = Schema.Struct(fields(Time)).annotate({ identifier: "Orchestrator" })
export type Orchestrator = typeof Orchestrator.Type
export const OrchestratorRow = Schema.Struct(fields(TimeColumn))

const name = (description: string) =>
  Schema.NonEmptyString.check(Schema.isMaxLength(90), Schema.isPattern(/^[^\p{Cc}\p{Cs}]*$/u)).pipe(
    describe(description)
  )

const natural = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

export const Registration = Schema.Struct({
  cluster: name("The cluster the machine belongs to."),
  machine_id: name("The machine's name in its cluster."),
  id: maybe(
    Schema.Union([OrchestratorId, Schema.Literal("")]),
    "The id of the machine; `<cluster>-<machine_id>` unless given."
  ),
  repo_url: maybe(Line, "The repository its agents work on."),
  hostname: maybe(Label, "The machine's host name."),
  version: maybe(Label, "The version of the orchestrator."),
  capabilities: maybe(sizedJsonList(MaxShort), `What it can do: any JSON, a list of at most ${MaxItems}.`),
  max_agents: maybe(natural, "How many agents it runs at once."),
  max_claimed: maybe(natural, "How many tasks it may hold at once, when its claims do not say.")
}).annotate({ identifier: "Registration" })
export type Registration = typeof Registration.Type

export const Registered = Schema.Struct({
  orchestrator_id: OrchestratorId,
  registered_at: Time.pipe(describe("When it registered first.")),
  status: OrchestratorStatus,
  api_key: Schema.optionalKey(ApiKeyText).pipe(
    describe("A key of the scope, if the scope had none. It is shown this once: keep it.")
  )
}).annotate({ identifier: "Registered" })
export type Registered = typeof Registered.Type

export const orchestratorFilters = {
  cluster: Schema.optionalKey(Schema.String).pipe(describe("Only machines of this cluster.")),
  status: Schema.optionalKey(CommaList).pipe(describe("Only those with one of these statuses.")),
  ...wholeParameters
}
export const OrchestratorFilter = Schema.Struct(orchestratorFilters)
export type OrchestratorFilter = typeof OrchestratorFilter.Type

export class OrchestratorNotFound extends TaggedError<OrchestratorNotFound>()(
  "OrchestratorNotFound",
  { error: ErrorText, orchestrator_id: Schema.String.pipe(describe("The id asked for.")) },
  { httpApiStatus: 404, description: "No orchestrator with this id is in reach." }
) {
  static readonly of = (orchestrator_id: string) =>
    new OrchestratorNotFound({ error: `Orchestrator not found: ${orchestrator_id}. Register it.`, orchestrator_id })
}

export class OrchestratorTaken extends TaggedError<OrchestratorTaken>()(
  "OrchestratorTaken",
  { error: ErrorText, orchestrator_id: Schema.String.pipe(describe("The id asked for.")) },
  { httpApiStatus: 409, description: "The id belongs to another machine." }
) {
  static readonly of = (orchestrator_id: string) =>
    new OrchestratorTaken({
      error: `The id ${orchestrator_id} belongs to another machine of this scope. Register with an id of its own.`,
      orchestrator_id
    })
}
