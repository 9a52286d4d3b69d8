/** The reasons why nobody has a task, as the wire names them. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, Time } from "../../Encoding.ts"
import { OrchestratorId, QueueName } from "../../Identifier.ts"

/** How many tasks ahead of a task are counted. */
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
  "waiting_for_reply",
  "capped",
  "breaker_open",
  "account_parked",
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
  "`held`: an agent holds it.",
  "`cancel_requested`: its holder was asked to stop. Then it is cancelled.",
  "`lease_expired`: its lease expired, and the next claim takes it back.",
  "`finished`: it is done.",
  "`failed`, `cancelled`: it has ended. A redrive brings it back.",
  "`blocked`: it has unmet blockers.",
  "`backing_off`: it waits for the end of its backoff.",
  "`waiting_for_reply`: it waits for a reply to a question.",
  "`capped`: the task, its project or the scope has used as much as it may.",
  "`breaker_open`: the breaker of the scope or of its project is open: only a canary is claimed, at `until`.",
  "`account_parked`: the account of the claim is parked.",
  "`too_large`: it is larger than a record may be. Claims skip it until a PATCH shortens it.",
  "`other_queue`: only a claim that names its queue gets it.",
  "`awaiting_review`: only a review claim gets it.",
  "`role`: only a claim for its role, or for any, gets it.",
  "`unknown_role`: the scope does not know the role, so a claim that asks for it is refused.",
  "`maintenance`: the machine gets no work until its maintenance ends.",
  "`at_capacity`: the machine holds as many tasks as it may.",
  "`orchestrator_offline`: the machine is silent. A claim makes it active.",
  "`no_active_orchestrator`: no machine of the scope is active.",
  "`queued_behind`: others come first in the order of claims.",
  "`no_claim_yet`: it is the next task, and no suitable claim has come since."
].join(" ")))

const Blocker = Schema.Struct({
  task_id: Schema.String.pipe(describe("The blocker, as it was named.")),
  queue: Schema.NullOr(QueueName).pipe(describe("The queue of the blocker; null if the scope has no such task.")),
  on_failure: Schema.Literals(["wait", "skip", "fail"]).pipe(
    describe("What the failure of the blocker does to the task: it continues to wait, waits no longer, or fails too.")
  )
})
export type Blocker = typeof Blocker.Type

export const Reason = Schema.Struct({
  reason: ReasonCode,
  blocking: Schema.Boolean.pipe(
    describe("Whether it prevents the claim from getting the task. Other reasons only inform.")
  ),
  message: ErrorText,
  claimed_by: Schema.optionalKey(Schema.String).pipe(describe("Who holds the task, or held it.")),
  orchestrator_id: Schema.optionalKey(OrchestratorId).pipe(describe("The machine it is about.")),
  until: Schema.optionalKey(Time).pipe(
    describe("When the lease, the backoff or the parking ends, or ended, or when the next canary may be claimed.")
  ),
  message_id: Schema.optionalKey(Schema.String).pipe(describe("The question that the task waits for a reply to.")),
  cause: Schema.optionalKey(Schema.String).pipe(
    describe("Why the task failed or was cancelled, or why the breaker opened.")
  ),
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

/** A reason that prevents the claim. */
export const reason = (reason: Reason["reason"], message: string, about: Partial<Reason> = {}): Reason => ({
  reason,
  blocking: true,
  message,
  ...about
})

/** A reason that only informs. */
export const note = (code: Reason["reason"], message: string, about: Partial<Reason> = {}): Reason =>
  reason(code, message, { ...about, blocking: false })
