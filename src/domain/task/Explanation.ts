/** Why nobody has a task, from the facts. It changes nothing: an expired lease is taken for what a claim makes of it. */
import * as DateTime from "effect/DateTime"
import type { QueueName } from "../Identifier.ts"
import { MaxRecord } from "../Size.ts"
import type { Policy } from "../lease/Budget.ts"
import { expiryOf } from "../lease/Lease.ts"
import { type Claimant, machineReasons, note, place, reason, roleReasons } from "./ClaimReasons.ts"
import { ends, landing, moves } from "./Moves.ts"
import { outcome } from "./Outcome.ts"
import { type Blocker, type Explanation, MaxAhead, type Reason } from "./Reason.ts"
import type { TaskRow } from "./Task.ts"

export interface Facts {
  readonly task: TaskRow
  /** The blockers that still count, in the order they were named. */
  readonly blockers: ReadonlyArray<Blocker>
  /** The roles that are registered; none where every name is one. */
  readonly roles: ReadonlyArray<string>
  /** What the claim asks for, where that is not what suits the task. */
  readonly asked: { readonly queue: string | undefined; readonly roles: ReadonlyArray<string> | undefined }
  /** How large it is, in bytes, where that is more than a record may have. */
  readonly oversize: number | undefined
  /** How many tasks a claim takes before this one, up to `MaxAhead`. */
  readonly ahead: number
  /** The machine that was named, or whether any is active, as far as that is known. */
  readonly machine: Claimant | undefined
  readonly anyActive: boolean
  readonly now: number
  /** What the server's configuration makes of tasks that are given up. */
  readonly policy: Policy
}

// A task may wait for many, and whoever reads the sentence for few: the list beside it has them all.
const MaxNamed = 5

const iso = DateTime.formatIso
const because = (cause: string | null) => cause === null ? {} : { cause }
const quoted = (cause: string | null) => cause === null ? "." : `: ${cause.replace(/[.\s]+$/, "")}.`

/** What the end of its lease makes of the task, which is when it is taken back. */
const takenBack = (task: TaskRow, { backoff, limits }: Policy) => {
  const move = expiryOf(task)
  const became = outcome(move, { ...task, cancelRequested: task.cancel_requested_at !== null }, limits)
  return {
    queue: became === "usual" ? landing(move, task) : became,
    backsOff: became === "usual" && move.backsOff && backoff.baseSeconds > 0,
    overdue: move === moves.exceedDeadline
  }
}

const becoming = ({ backsOff, queue }: ReturnType<typeof takenBack>) =>
  queue === "failed"
    ? "failed, since its budget is spent,"
    : queue === "cancelled"
    ? "cancelled, as was asked for,"
    : `in ${queue}${backsOff ? ", backing off," : ""}`

const ended = (task: TaskRow, queue: QueueName): Reason =>
  queue === "done"
    ? reason("finished", "It is done.")
    : queue === "failed"
    ? reason(
      "failed",
      `It failed${quoted(task.failure_reason)} Redrive it to have it tried again.`,
      because(task.failure_reason)
    )
    : reason(
      "cancelled",
      `It is cancelled${quoted(task.cancel_reason)} Redrive it if it is wanted after all.`,
      because(task.cancel_reason)
    )

const blocked = (blockers: ReadonlyArray<Blocker>): Reason => {
  const named = blockers.slice(0, MaxNamed).map(({ queue, task_id }) =>
    `${task_id} (${queue === null ? "not created in this scope yet" : ends.includes(queue) ? queue : `in ${queue}`})`
  )
  const more = blockers.length > MaxNamed ? ` and ${blockers.length - MaxNamed} more` : ""
  return reason(
    "blocked",
    `It waits for ${named.join(", ")}${more}. Finish what it waits for, or take it out of blocked_by.`,
    { blockers }
  )
}

const waiting = (facts: Facts, queue: QueueName): ReadonlyArray<Reason> => {
  const { ahead, asked, blockers, now, roles, task } = facts
  const until = task.available_at
  const backsOff = until !== null && DateTime.toEpochMillis(until) > now
  const reasons = [
    ...(facts.oversize === undefined ? [] : [reason(
      "too_large",
      `It has ${facts.oversize} bytes, and a claim passes over what has more than ${MaxRecord}. Shorten its longest field with a PATCH.`
    )]),
    ...(blockers.length === 0 ? [] : [blocked(blockers)]),
    ...(backsOff
      ? [reason("backing_off", `It backs off until ${iso(until)}, after an attempt that was given up.`, { until })]
      : []),
    ...place(queue, asked.queue || undefined),
    ...roleReasons(task.role, asked.roles ?? (task.role ? [task.role] : []), roles),
    ...machineReasons(facts.machine, facts.anyActive, queue)
  ]
  const count = ahead >= MaxAhead ? `${MaxAhead} or more tasks` : ahead === 1 ? "1 task" : `${ahead} tasks`
  return [
    ...reasons,
    ...(ahead > 0
      ? [note("queued_behind", `${count} in ${queue} will be claimed before it.`, { ahead, queue })]
      : reasons.some(({ blocking }) => blocking)
      ? []
      : [note("no_claim_yet", `It is the next in ${queue}: nobody who may have it has asked since.`, { queue })])
  ]
}

/** The reasons, and whether any of them stands in the way of the claim that is asked about. */
export const explanationOf = (facts: Facts): Explanation => {
  const { now, task } = facts
  const until = task.lease_expires_at
  const expired = until !== null && DateTime.toEpochMillis(until) <= now
  const back = takenBack(task, facts.policy)
  // What its end makes of it other than a task that is ready at once has not happened yet.
  const waits = expired && (ends.includes(back.queue) || back.backsOff)
  const queue = expired && !waits ? back.queue : task.queue
  const holder = task.claimed_by
  const lease = {
    ...(holder === null ? {} : { claimed_by: holder }),
    ...(task.orchestrator_id === null ? {} : { orchestrator_id: task.orchestrator_id }),
    ...(until === null ? {} : { until })
  }
  const found = until !== null && !expired
    ? [
      reason("held", `${holder} holds it until ${iso(until)}, unless the lease is renewed.`, lease),
      ...(task.cancel_requested_at === null ? [] : [note(
        "cancel_requested",
        `It is to be cancelled${quoted(task.cancel_reason)} Its holder learns that with the next renewal.`,
        because(task.cancel_reason)
      )])
    ]
    : [
      ...(until === null ? [] : [
        reason(
          "lease_expired",
          `The ${back.overdue ? "attempt" : "lease"} of ${holder} is over since ${iso(until)}, and the task will be ${
            becoming(back)
          } when it is taken back: with the next claim, or within a minute.`,
          { ...lease, blocking: waits }
        )
      ]),
      ...(waits ? [] : ends.includes(queue) ? [ended(task, queue)] : waiting(facts, queue))
    ]
  const obstacles = found.filter(({ blocking }) => blocking)
  const notes = found.filter(({ blocking }) => !blocking)
  const claimable = obstacles.length === 0
  return {
    task_id: task.id,
    queue,
    claimed_by: expired ? null : holder,
    claimable,
    summary: claimable
      ? `Task ${task.id} can be claimed. ${notes.at(-1)?.message}`
      : `Task ${task.id} cannot be claimed. ${obstacles.map(({ message }) => message).join(" ")}`,
    reasons: [...obstacles, ...notes]
  }
}
