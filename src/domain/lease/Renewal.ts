/**
 * Renewals: what a holder sends, for one task or with a heartbeat, and what the server answers. Also why a lease is
 * lost.
 */
import * as Schema from "effect/Schema"
import { describe, ErrorText, listOf, maybe, text, Time } from "../Encoding.ts"
import { QueueName, TaskId } from "../Identifier.ts"
import { reported } from "../record/Usage.ts"
import type { TaskRow } from "../task/Task.ts"
import { Checkpoint } from "./Handoff.ts"
import { session } from "./Session.ts"

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
  "`taken`: another lease holds the task. `finished`: the task is done. `failed`, `cancelled`: it was given up. `moved`: it is in another queue. `expired`: the lease expired and nobody has taken the task, so a renewal still re-attaches it. `deadline_exceeded`: the attempt missed its deadline."

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

const token = Schema.Int.pipe(describe("The token of the lease, from the answer to the claim."))

export const Renewal = Schema.Struct({
  fencing_token: token,
  lease_duration_seconds: maybe(
    Schema.Finite,
    "The length of the lease from now on, from 1 to 86,400 seconds. If it is 0 or absent, the length that the claim asked for. A lease is never shortened, and never goes beyond its deadline."
  ),
  checkpoint: maybe(Checkpoint, "What to save for the next holder of the task: at most 16 KiB of JSON."),
  ...session,
  ...reported
}).annotate({ identifier: "Renewal" })
export type Renewal = typeof Renewal.Type

export const HeldLease = Schema.Struct({ task_id: TaskId, ...Renewal.fields }).annotate({ identifier: "HeldLease" })
export type HeldLease = typeof HeldLease.Type

export const HeldLeases = listOf(HeldLease, MaxLeases)

export const Directive = Schema.Literals(["continue", "cancel", "pause"]).pipe(
  describe(
    "`continue`: continue. `cancel`: stop and give the task back, because it is to be cancelled. `pause`: the machine is in maintenance, or the task, its project or the scope has used as much as it may. So begin nothing new and write a checkpoint; the lease continues."
  )
)

export const PauseKind = Schema.Literals(["maintenance", "task", "project", "scope"])
export type PauseKind = typeof PauseKind.Type

// A server of release 2.0.0 does not send it.
const pauseKind = {
  pause_kind: Schema.optionalKey(
    Schema.NullOr(PauseKind).pipe(
      describe(
        "What the directive `pause` is about: `maintenance` of the machine, or the cap of the `task`, its `project` or the `scope`. At the cap of a task or a project, other tasks may still be claimed. Null if the directive is another."
      )
    )
  )
}

export const RenewedLease = Schema.Struct({
  task_id: TaskId,
  fencing_token: token,
  lease_expires_at: Time.pipe(describe("When the lease expires unless it is renewed.")),
  deadline_at: Schema.NullOr(Time).pipe(
    describe("When the attempt has to end, however often the lease is renewed; null if there is no limit.")
  ),
  renew_after_seconds: Schema.Int.pipe(describe("When to renew it next: after a third of the lease.")),
  checkpoint_version: Schema.NullOr(Schema.Int).pipe(
    describe("The version of the task's checkpoint; null if there is none.")
  ),
  reattached: Schema.Boolean.pipe(
    describe("Whether the lease had expired and was re-attached.")
  )
}).annotate({ identifier: "RenewedLease" })

export const Lease = Schema.Struct({
  ...RenewedLease.fields,
  directive: Directive,
  cancel_reason: text(`Why the task is to be cancelled, ${MaxRepeatedReason} bytes of it; null unless it is.`),
  // A server of release 2.0.0 does not send it.
  pause_reason: Schema.optionalKey(text("Why the directive is `pause`; null if it is another.")),
  ...pauseKind
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
  reason: text(`The reason, if there is one: at most ${MaxRepeatedReason} bytes of it.`),
  ...pauseKind
}).annotate({ identifier: "DirectiveFor" })

/** The answer to the leases of a heartbeat. */
export const Renewals = Schema.Struct({
  renewed: Schema.Array(RenewedLease).pipe(describe("The leases that go on.")),
  refused: Schema.Array(Schema.Struct({ task_id: TaskId, fencing_token: token, error: ErrorText })).pipe(
    describe(
      "Parts of renewals that could not be used, such as a checkpoint that is too large: the lease is renewed without it, for the length that the claim asked for. Also each entry whose lease a later entry names again with other values: the last entry counts."
    )
  ),
  lost: Schema.Array(LostLease).pipe(describe("The lost leases: stop working on these tasks.")),
  directives: Schema.Array(DirectiveFor).pipe(describe("What to do about each task with a renewed lease.")),
  renew_after_seconds: Schema.NullOr(Schema.Int).pipe(
    describe("When to renew next: the smallest value of the renewed leases; null if none was renewed.")
  )
}).annotate({ identifier: "Renewals" })
export type Renewals = typeof Renewals.Type
