/** The bodies of requests that move a task: claims, results, verdicts, cancellations and redrives. */
import * as Schema from "effect/Schema"
import { describe, integer, listOf, maybe, natural, positive, Time } from "../Encoding.ts"
import { OrchestratorId, QueueName } from "../Identifier.ts"
import { session } from "../lease/Session.ts"
import { reported } from "../record/Usage.ts"
import {
  filled,
  Label,
  Line,
  LongText,
  MaxLabel,
  MaxLong,
  MaxReason,
  ReasonText,
  sizedJson,
  sizedJsonText
} from "../Size.ts"
import { Commit, EvidenceList, MaxEvidence } from "./Evidence.ts"

/** How long a claim may wait for a task. Clients and proxies end a request after 30 seconds. */
export const MaxWaitSeconds = 20

/** A filter of a claim as a list. It is empty if the claim does not filter. */
export const asList = (filter: string | ReadonlyArray<string> | null | undefined): ReadonlyArray<string> =>
  filter === null || filter === undefined || filter === "" ? [] : typeof filter === "string" ? [filter] : filter

export const Claim = Schema.Struct({
  orchestrator_id: OrchestratorId,
  agent_name: filled(MaxLabel).pipe(describe("The agent that will work on the task.")),
  queue: maybe(Label, "The queue to claim from; `incoming` unless given."),
  role_filter: maybe(
    Schema.Union([Schema.String, listOf(Schema.String)]),
    "Only tasks of this role, or one of these."
  ),
  type_filter: maybe(
    Schema.Union([Schema.String, listOf(Schema.String)]),
    "Only tasks of this type, or one of these."
  ),
  priority_order: maybe(
    Schema.Union([Schema.String, listOf(Schema.String)]),
    "The order of priorities to look through. Tasks with other priorities come after them. The most urgent come first unless given."
  ),
  max_claimed: maybe(
    natural,
    "How many tasks of the scope the machine may hold at once: 429 if it does. As it registered unless given; reviews do not count."
  ),
  lease_duration_seconds: maybe(
    Schema.Finite,
    "The length of the lease, from 1 to 86,400 seconds; the server's default if it is 0 or absent."
  ),
  max_attempt_seconds: maybe(
    positive,
    "How long the attempt may take, in seconds, however often its lease is renewed: the shorter of this and the task's own limit. The server's default if neither is set; reviews have no deadline."
  ),
  wait_seconds: maybe(
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: MaxWaitSeconds })),
    `How long the claim may wait for a task, in seconds, ${MaxWaitSeconds} at most; 0 unless given. A server on Durable Objects answers as soon as there is one. A server on D1 answers at once, and \`Retry-After\` says when to ask again. A repetition under the same \`Idempotency-Key\` ends the wait of the first request, and may have another \`wait_seconds\`.`
  ),
  account: maybe(
    filled(MaxLabel),
    "The account with a provider that the agent works with. While it is parked (`POST /tasks/:id/park`), the claim gets nothing."
  )
}).annotate({ identifier: "Claim" })
export type Claim = typeof Claim.Type

/** What a call may state about its task. If it does not hold, the call is refused with 409. */
export const expected = {
  version: maybe(Schema.Int, "The version that you expect the task to have: refused with 409 if it has another."),
  fencing_token: maybe(
    Schema.Int,
    "The token of the lease of this call: refused with 409 if that lease is over. Required for a held task if the server is configured so."
  )
}

export interface Expected {
  readonly version?: number | null
  readonly fencing_token?: number | null
}

export const Submission = Schema.Struct({
  commits_count: natural.pipe(describe("Commits made.")),
  turns_used: natural.pipe(describe("Turns the agent took.")),
  check_results: maybe(
    sizedJsonText(MaxLong),
    "The results of the checks: JSON, or JSON text. If it is absent, the task shows none; those of earlier submissions are in its history."
  ),
  execution_notes: maybe(
    LongText,
    "The notes of the agent about the work. If it is absent, the task shows none; those of earlier submissions are in its history."
  ),
  pr_number: maybe(integer, "The pull request's number."),
  pr_url: maybe(Line, "The pull request's address."),
  head_commit: maybe(Commit, "The commit of the result. Evidence of other commits does not count any more."),
  evidence: maybe(
    EvidenceList,
    `The evidence of the result: at most ${MaxEvidence} items and 16 KiB of JSON. It replaces the evidence before; if it is absent, that stays.`
  ),
  ...session,
  ...reported,
  ...expected
}).annotate({ identifier: "Submission" })
export type Submission = typeof Submission.Type

export const Acceptance = Schema.Struct({
  accepted_by: filled(MaxLabel).pipe(describe("Who accepts the result.")),
  completed_at: maybe(Time, "When it was done; now unless given."),
  ...expected
}).annotate({ identifier: "Acceptance" })
export type Acceptance = typeof Acceptance.Type

export const Rejection = Schema.Struct({
  reason: filled(MaxReason).pipe(describe("What is wrong with the result, for the next holder.")),
  rejected_by: filled(MaxLabel).pipe(describe("Who rejects it.")),
  ...expected
}).annotate({ identifier: "Rejection" })
export type Rejection = typeof Rejection.Type

export const Requeue = Schema.Struct({
  reason: maybe(ReasonText, "Why the work is given up: kept in the task's history."),
  requeued_by: maybe(Label, "Who gives it up; the holder of the lease unless given."),
  release: maybe(
    Schema.Boolean,
    "Whether the task is released: that counts as no attempt, and it may be claimed again at once."
  ),
  ...reported,
  ...expected
}).annotate({ identifier: "Requeue" })
export type Requeue = typeof Requeue.Type

export const Failure = Schema.Struct({
  reason: filled(MaxReason).pipe(
    describe("Why it failed: kept on the task as `failure_reason` and `execution_notes`, and in its history.")
  ),
  failed_by: maybe(Label, "Who says so; the holder of the lease unless given."),
  terminal: maybe(
    Schema.Boolean,
    "Whether no retry mends the reason. A redrive of the task then has to say `terminal` as well."
  ),
  ...reported,
  ...expected
}).annotate({ identifier: "Failure" })
export type Failure = typeof Failure.Type

export const Parking = Schema.Struct({
  account: filled(MaxLabel).pipe(describe("The account with a provider that has reached its limit.")),
  until: Time.pipe(
    describe(
      "An instant: when the limit is over, at most 31 days from now. An account that is parked for longer stays so."
    )
  ),
  reason: maybe(ReasonText, "What the provider said: kept in the task's history."),
  parked_by: maybe(Label, "Who parks it; the holder of the lease unless given."),
  ...reported,
  ...expected
}).annotate({ identifier: "Parking" })
export type Parking = typeof Parking.Type

export const ForcedMove = Schema.Struct({
  queue: QueueName,
  reason: filled(MaxReason).pipe(describe("Why: kept in the task's history, and sent as a message about it.")),
  actor: maybe(Label, "Who forces it; the key's name, or `administrator`, unless given."),
  ...expected
}).annotate({ identifier: "ForcedMove" })
export type ForcedMove = typeof ForcedMove.Type

export const HookResult = Schema.Struct({
  status: Schema.Literals(["passed", "failed"]).annotate({ message: "status must be \"passed\" or \"failed\"" }).pipe(
    describe("How the hook ended.")
  ),
  fencing_token: expected.fencing_token,
  evidence: maybe(sizedJson(MaxLong), "Evidence of the result: any JSON, kept with the hook.")
}).annotate({ identifier: "HookResult" })
export type HookResult = typeof HookResult.Type

export const Cancellation = Schema.Struct({
  reason: maybe(ReasonText, "Why: kept on the task as `cancel_reason`, and in its history."),
  cancelled_by: maybe(Label, "Who cancels it; the key's name unless given."),
  version: expected.version,
  fencing_token: maybe(
    Schema.Int,
    "The token of the lease that you mean: refused with 409 if that lease is over. Never required, because the caller is not the holder."
  )
}).annotate({ identifier: "Cancellation" })
export type Cancellation = typeof Cancellation.Type

export const Redrive = Schema.Struct({
  reason: maybe(ReasonText, "Why to try it again: kept in the task's history."),
  redriven_by: maybe(Label, "The actor; the key's name unless given."),
  terminal: maybe(
    Schema.Boolean,
    "Whether to redrive the task even if its failure is `terminal`; otherwise that is refused with 409."
  ),
  ...expected
}).annotate({ identifier: "Redrive" })
export type Redrive = typeof Redrive.Type
