/**
 * Renewals: what a holder sends, for one task or with a heartbeat, and what the server answers. Also why a lease is
 * lost.
 */
import * as Schema from "effect/Schema"
import { describe, ErrorText, listOf, maybe, text, Time } from "../Encoding.ts"
import { QueueName, TaskId } from "../Identifier.ts"
import type { TaskRow } from "../task/Task.ts"
import { Checkpoint } from "./Handoff.ts"

export const LossReason = Schema.Literals([
  "taken",
  "finished",
  "failed",
  "cancelled",
  "moved",
  "expired",
  "deadline_exceeded"
])
export type LossReason = typeof LossReason.Type

/** The meaning of each reason, for the OpenAPI document. */
export const LossReasonText =
  "`taken`: another lease holds the task. `finished`: it is done. `failed`, `cancelled`: it was given up. `moved`: it is in some other queue. `expired`: the lease ran out, and nobody has taken the task, so that renewing it still brings it back. `deadline_exceeded`: the attempt took longer than it may."

/** The columns that show what became of a lease. */
export type Lost = Pick<TaskRow, "id" | "queue" | "claimed_by" | "fencing_token" | "lapsed_token" | "setbacks">

const reasonOf = (
  { claimed_by, fencing_token, lapsed_token, queue, setbacks }: Lost,
  token: number,
  renewing: boolean
): LossReason =>
  claimed_by !== null && fencing_token !== token
    ? "taken"
    : queue === "done"
    ? "finished"
    : queue === "failed" || queue === "cancelled"
    ? queue
    : lapsed_token === token && !renewing
    ? "expired"
    // The task is still held under the token, or a late call under it is still accepted. Then only the deadline can
    // forbid a renewal.
    : fencing_token === token || lapsed_token === token ||
        setbacks?.findLast((setback) => setback.fencing_token === token)?.event === "deadline_exceeded"
    ? "deadline_exceeded"
    : "moved"

const description = ({ claimed_by, queue }: Lost, reason: LossReason): string => {
  switch (reason) {
    case "taken":
      return `${claimed_by} holds the task now. Stop working on it, and claim again.`
    case "finished":
      return "the task is done. Stop working on it, and claim another."
    case "failed":
      return "the task has failed. Stop working on it, and claim another."
    case "cancelled":
      return "the task was cancelled. Stop working on it, and claim another."
    case "expired":
      return `it ran out, and the task is in ${queue}. Renew it to have the task back, unless somebody else is faster.`
    case "deadline_exceeded":
      return `the attempt has exceeded its deadline, and the task is in ${queue}. Stop working on it, and claim again.`
    case "moved":
      return `the task is in ${queue}, and nobody holds it. Stop working on it, and claim again.`
  }
}

/** Why the lease of `token` is over, and what its holder can do. `renewing`: whether the call was a renewal. */
export const lossOf = (
  task: Lost,
  token: number,
  renewing: boolean
): { readonly reason: LossReason; readonly error: string } => {
  const reason = reasonOf(task, token, renewing)
  return { reason, error: `The lease ${token} of task ${task.id} is over: ${description(task, reason)}` }
}

/** How many leases a heartbeat may carry. */
export const MaxLeases = 200

/**
 * How much of the reason of a cancellation an answer repeats for each lease, in bytes. As JSON it may be six times as
 * long.
 */
export const MaxRepeatedReason = 600

const token = Schema.Int.pipe(describe("The token of the lease, as the claim was answered with."))

export const Renewal = Schema.Struct({
  fencing_token: token,
  lease_duration_seconds: maybe(
    Schema.Finite,
    "How long the lease lasts from now on, from 1 to 86,400 seconds; as long as the claim asked for when 0 or not given. It is never shortened, and never reaches past the deadline."
  ),
  checkpoint: maybe(Checkpoint, "What to keep for whoever goes on with the task; 16 KiB of JSON at most.")
}).annotate({ identifier: "Renewal" })
export type Renewal = typeof Renewal.Type

export const HeldLease = Schema.Struct({ task_id: TaskId, ...Renewal.fields }).annotate({ identifier: "HeldLease" })
export type HeldLease = typeof HeldLease.Type

export const HeldLeases = listOf(HeldLease, MaxLeases)

export const Directive = Schema.Literals(["continue", "cancel", "pause"]).pipe(
  describe(
    "`continue`: go on. `cancel`: stop and hand the task back, somebody wants it cancelled. `pause`: its machine is in maintenance, so begin nothing new and write a checkpoint; the lease goes on."
  )
)

export const RenewedLease = Schema.Struct({
  task_id: TaskId,
  fencing_token: token,
  lease_expires_at: Time.pipe(describe("When the lease runs out unless it is renewed.")),
  deadline_at: Schema.NullOr(Time).pipe(
    describe("When the attempt has to end, however often it is renewed; null when nothing limits it.")
  ),
  renew_after_seconds: Schema.Int.pipe(describe("When to renew it next: after a third of the lease.")),
  checkpoint_version: Schema.NullOr(Schema.Int).pipe(describe("The version of the task's checkpoint; null without.")),
  reattached: Schema.Boolean.pipe(
    describe("Whether the lease had been taken back, and the task is in its holder's hands again.")
  )
}).annotate({ identifier: "RenewedLease" })

export const Lease = Schema.Struct({
  ...RenewedLease.fields,
  directive: Directive,
  cancel_reason: text(`Why the task is to be cancelled, ${MaxRepeatedReason} bytes of it; null unless it is.`)
}).annotate({ identifier: "Lease" })
export type Lease = typeof Lease.Type

export const LostLease = Schema.Struct({
  task_id: TaskId,
  fencing_token: Schema.Int.pipe(describe("The token that was sent.")),
  reason: Schema.Literals([...LossReason.literals, "not_found"]).pipe(
    describe(`${LossReasonText} \`not_found\`: no such task is in reach.`)
  ),
  error: ErrorText,
  queue: Schema.NullOr(QueueName).pipe(describe("Where the task is now.")),
  claimed_by: text("Who holds it now.")
}).annotate({ identifier: "LostLease" })

export const DirectiveFor = Schema.Struct({
  task_id: TaskId,
  directive: Directive,
  reason: text(`Why, where there is something to say, ${MaxRepeatedReason} bytes of it.`)
}).annotate({ identifier: "DirectiveFor" })

/** The answer to the leases of a heartbeat. */
export const Renewals = Schema.Struct({
  renewed: Schema.Array(RenewedLease).pipe(describe("The leases that go on.")),
  refused: Schema.Array(Schema.Struct({ task_id: TaskId, fencing_token: token, error: ErrorText })).pipe(
    describe(
      "What was sent with a lease and could not be used, as a checkpoint that is too large: the lease is renewed without it, for as long as the claim asked for. Also each entry whose lease a later entry names again, if it asks for something else: the last entry counts."
    )
  ),
  lost: Schema.Array(LostLease).pipe(describe("The leases that are over: stop working on these tasks.")),
  directives: Schema.Array(DirectiveFor).pipe(describe("What to do about each task whose lease was renewed.")),
  renew_after_seconds: Schema.NullOr(Schema.Int).pipe(
    describe("When the first of the renewed leases is to be renewed next; null when none was.")
  )
}).annotate({ identifier: "Renewals" })
export type Renewals = typeof Renewals.Type
