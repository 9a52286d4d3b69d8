/** Why nobody has a task: the answer of `explain`, in reasons that stand in the way and reasons that inform. */
import * as Schema from "effect/Schema"
import { CommaList, describe, ErrorText, FlagParameter, IntegerParameter, Time } from "../Encoding.ts"
import { OrchestratorId, QueueName, TaskId } from "../Identifier.ts"

/** The claim that is asked about. What it does not say is what suits the task. */
export const explainParameters = {
  orchestrator_id: Schema.optionalKey(OrchestratorId).pipe(
    describe("The machine that would claim. Without one, what stands in the way of a machine is left out.")
  ),
  queue: Schema.optionalKey(Schema.String).pipe(
    describe("The queue it would claim from; the task's own unless given.")
  ),
  role: Schema.optionalKey(CommaList).pipe(
    describe("The roles it would ask for, joined by commas; the task's own unless given.")
  ),
  any_role: Schema.optionalKey(FlagParameter).pipe(describe("Whether it would ask for no roles, and so for any.")),
  max_claimed: Schema.optionalKey(IntegerParameter).pipe(
    describe("How many tasks it would say the machine may hold; what the machine registered with unless given.")
  )
}
export const AskedClaim = Schema.Struct(explainParameters)
export type AskedClaim = typeof AskedClaim.Type

/** How many tasks ahead of one are counted. */
export const MaxAhead = 100

const ReasonCode = Schema.Literals([
  "held",
  "cancel_requested",
  "lease_expired",
  "finished",
  "failed",
  "cancelled",
  "blocked",
  "backing_off",
  "too_large",
  "other_queue",
  "awaiting_review",
  "role",
  "unknown_role",
  "maintenance",
  "at_capacity",
  "orchestrator_offline",
  "no_active_orchestrator",
  "queued_behind",
  "no_claim_yet"
]).pipe(describe([
  "`held`: somebody holds it.",
  "`cancel_requested`: its holder is to stop, and then it is cancelled.",
  "`lease_expired`: somebody held it, and the next claim takes it back.",
  "`finished`: it is done.",
  "`failed`, `cancelled`: it has come to an end, from which a person brings it back.",
  "`blocked`: it waits for other tasks.",
  "`backing_off`: it waits after an attempt that was given up.",
  "`too_large`: it is larger than a record may be, so claims pass over it until a PATCH shortens it.",
  "`other_queue`: only a claim that names its queue gets it.",
  "`awaiting_review`: only a claim for review gets it.",
  "`role`: only a claim for its role, or for any, gets it.",
  "`unknown_role`: the scope does not know the role, so a claim that asks for it is refused.",
  "`maintenance`: the machine gets no work until that is lifted.",
  "`at_capacity`: the machine holds as many tasks as it may.",
  "`orchestrator_offline`: the machine has been silent; its claim brings it back.",
  "`no_active_orchestrator`: no machine of the scope has been heard of lately.",
  "`queued_behind`: others come first in the order of claims.",
  "`no_claim_yet`: it is first in line, and nobody who may have it has asked since."
].join(" ")))

const Blocker = Schema.Struct({
  task_id: Schema.String.pipe(describe("The blocker, as it was named.")),
  queue: Schema.NullOr(QueueName).pipe(describe("Where it is; null while the scope has no such task.")),
  on_failure: Schema.Literals(["wait", "skip", "fail"]).pipe(
    describe("What becomes of the waiting task when this one fails: it waits on, waits for it no longer, or fails too.")
  )
})
export type Blocker = typeof Blocker.Type

export const Reason = Schema.Struct({
  reason: ReasonCode,
  blocking: Schema.Boolean.pipe(describe("Whether it keeps the claim from getting the task. The others inform.")),
  message: ErrorText,
  claimed_by: Schema.optionalKey(Schema.String).pipe(describe("Who holds the task, or held it.")),
  orchestrator_id: Schema.optionalKey(OrchestratorId).pipe(describe("The machine it is about.")),
  until: Schema.optionalKey(Time).pipe(describe("When the lease or the backoff ends, or ended.")),
  cause: Schema.optionalKey(Schema.String).pipe(describe("Why the task failed or was cancelled.")),
  blockers: Schema.optionalKey(Schema.Array(Blocker)).pipe(describe("What it waits for.")),
  queue: Schema.optionalKey(QueueName).pipe(describe("The queue a claim has to name.")),
  role: Schema.optionalKey(Schema.NullOr(Schema.String)).pipe(
    describe("The role it is about; null where the task has none.")
  ),
  ahead: Schema.optionalKey(Schema.Int).pipe(describe(`How many tasks come first; counted up to ${MaxAhead}.`)),
  claimed: Schema.optionalKey(Schema.Int).pipe(describe("How many tasks the machine holds.")),
  max_claimed: Schema.optionalKey(Schema.Int).pipe(describe("How many it may hold at once."))
}).annotate({ identifier: "Reason" })
export type Reason = typeof Reason.Type

export const Explanation = Schema.Struct({
  task_id: TaskId,
  queue: QueueName.pipe(describe("Where it is, or where the next claim takes it back to if its lease has run out.")),
  claimed_by: Schema.NullOr(Schema.String).pipe(describe("Who holds it; null when nobody does.")),
  claimable: Schema.Boolean.pipe(
    describe("Whether nothing stands in the way of the claim. It gets the task when those ahead are taken.")
  ),
  summary: ErrorText,
  reasons: Schema.Array(Reason).pipe(describe("Why nobody has it: at least one, those in the way first."))
}).annotate({ identifier: "Explanation" })
export type Explanation = typeof Explanation.Type
