/** Why nobody has a task. It changes nothing: an expired lease is treated as a claim would treat it. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { CommaList, describe, ErrorText, FlagParameter, IntegerParameter } from "../../Encoding.ts"
import { OrchestratorId, QueueName, TaskId } from "../../Identifier.ts"
import type { Policy } from "../../lease/Budget.ts"
import { takenBack } from "../../lease/Expiry.ts"
import { breakerSentence, causeOf, type Stopping } from "../../record/Breaker.ts"
import { type Cap, capSentence } from "../../record/Usage.ts"
import { MaxRecord } from "../../Size.ts"
import { claimOf, ends, moves } from "../Moves.ts"
import type { TaskRow } from "../Task.ts"
import { type Blocker, MaxAhead, note, Reason, reason } from "./Reason.ts"

export interface Facts {
  readonly task: TaskRow
  /** The unmet blockers, in the order in which they were named. */
  readonly blockers: ReadonlyArray<Blocker>
  /** The roles of the scope; empty if every name is a role. */
  readonly roles: ReadonlyArray<string>
  /** What the claim asks for; undefined where it asks for what suits the task. */
  readonly asked: {
    readonly queue: string | undefined
    readonly roles: ReadonlyArray<string> | undefined
    readonly account?: string | undefined
  }
  /** The size of the task in bytes, if it is larger than a record may be. */
  readonly oversize: number | undefined
  /** Which cap the task is at, if any. */
  readonly cap: Cap | undefined
  /** The breaker that stops claims of the task, if one does. */
  readonly breaker?: Stopping | undefined
  /** Until when the account of the claim is parked, if it is. */
  readonly parked: number | undefined
  /** How many tasks a claim takes before this one, up to `MaxAhead`. */
  readonly ahead: number
  /** The named machine, or an active one if none is named. */
  readonly machine: Claimant | undefined
  readonly anyActive: boolean
  readonly now: number
  /** The configuration for tasks that are given up or lost. */
  readonly policy: Policy
}

// A task may have many blockers, and a sentence should be short. The list beside it names them all.
const MaxNamed = 5

const iso = DateTime.formatIso
const because = (cause: string | null) => cause === null ? {} : { cause }
const quoted = (cause: string | null) => cause === null ? "." : `: ${cause.replace(/[.\s]+$/, "")}.`

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
      task.terminal === true
        ? `It failed for a reason that no retry mends${
          quoted(task.failure_reason)
        } Redrive it with \`terminal: true\` once the reason is gone.`
        : `It failed${quoted(task.failure_reason)} Redrive it to have it tried again.`,
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

const accountParked = (until: DateTime.Utc, account: string | undefined) =>
  reason(
    "account_parked",
    `The account ${account} is parked until ${iso(until)}. Claim with another account, or then.`,
    {
      until
    }
  )

const waiting = (facts: Facts, queue: QueueName): ReadonlyArray<Reason> => {
  const { ahead, asked, blockers, now, roles, task } = facts
  const until = task.available_at
  const question = task.waiting_for_reply ?? null
  const backsOff = question === null && until !== null && DateTime.toEpochMillis(until) > now
  const reasons = [
    ...(facts.oversize === undefined ? [] : [reason(
      "too_large",
      `It has ${facts.oversize} bytes, and a claim passes over what has more than ${MaxRecord}. Shorten its longest field with a PATCH.`
    )]),
    ...(facts.cap === undefined ? [] : [reason("capped", capSentence(facts.cap, task.id, task.project_id))]),
    ...(facts.breaker === undefined
      ? []
      : [reason("breaker_open", breakerSentence(facts.breaker), causeOf(facts.breaker))]),
    ...(facts.parked === undefined ? [] : [accountParked(DateTime.makeUnsafe(facts.parked), facts.asked.account)]),
    ...(blockers.length === 0 ? [] : [blocked(blockers)]),
    ...(question === null ? [] : [
      reason("waiting_for_reply", `It waits for a reply to the question ${question}: reply to that message.`, {
        message_id: question
      })
    ]),
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
      : [note("no_claim_yet", `It is the next in ${queue}: no machine that may take it has asked since.`, { queue })])
  ]
}

/** The reasons, and whether one of them prevents the claim in question. */
export const explanationOf = (facts: Facts): Explanation => {
  const { now, task } = facts
  const until = task.lease_expires_at
  const expired = until !== null && DateTime.toEpochMillis(until) <= now
  const back = takenBack(task, facts.policy)
  // A task that is not ready after its lease is taken back still waits for that to happen.
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

/** The machine that would claim. */
export interface Claimant {
  readonly id: OrchestratorId
  readonly maintenance: boolean
  readonly offline: boolean
  readonly claimed: number
  readonly max_claimed: number | null
}

/** The reasons about the queue of the task and the queue of the claim. */
export const place = (queue: QueueName, asked: string | undefined): ReadonlyArray<Reason> =>
  asked !== undefined && asked !== queue
    ? [reason("other_queue", `It is in ${queue}, and the claim is for ${asked}.`, { queue })]
    : queue === "provisional"
    ? [note("awaiting_review", "It waits for a review: a claim that names the queue provisional gets it.", { queue })]
    : queue === "incoming"
    ? []
    : [note("other_queue", `Only a claim that names the queue ${queue}, or whose role claims from it, gets it.`, {
      queue
    })]

/** The reasons about the role of the task and the roles of the claim. */
export const roleReasons = (role: string | null, wanted: ReadonlyArray<string>, known: ReadonlyArray<string>) => {
  const isKnown = (name: string) => known.length === 0 || known.includes(name)
  const stranger = wanted.find((name) => !isKnown(name)) ?? (role && !isKnown(role) ? role : undefined)
  return [
    ...(stranger === undefined ? [] : [reason(
      "unknown_role",
      `The role ${stranger} is not registered, so a claim that asks for it is refused. Register it, or use one of: ${
        known.join(", ")
      }.`,
      { role: stranger, blocking: wanted.includes(stranger) }
    )]),
    ...(wanted.length > 0 && !wanted.includes(role ?? "")
      ? [reason(
        "role",
        `It is for ${role ? `the role ${role}` : "no role"}, and the claim asks for ${wanted.join(" or ")}.`,
        { role }
      )]
      : role
      ? [note("role", `Only a claim for the role ${role}, or for any role, gets it.`, { role })]
      : known.length > 0
      ? [note("role", "It has no role, so only a claim for any role gets it.", { role: null })]
      : [])
  ]
}

/** The reasons about the machine that claims, or that there is none. */
export const machineReasons = (
  machine: Claimant | undefined,
  anyActive: boolean,
  queue: QueueName
): ReadonlyArray<Reason> => {
  if (machine === undefined) {
    return anyActive ? [] : [note("no_active_orchestrator", "No orchestrator of the scope is active to claim it.")]
  }
  const { claimed, id, max_claimed } = machine
  const about = { orchestrator_id: id }
  return [
    ...(machine.maintenance
      ? [reason("maintenance", `Orchestrator ${id} is in maintenance and gets no work until that is lifted.`, about)]
      : []),
    ...(machine.offline
      ? [
        note("orchestrator_offline", `Orchestrator ${id} has been silent. A claim or heartbeat brings it back.`, about)
      ]
      : []),
    ...(claimOf(queue) === moves.claim && max_claimed !== null && claimed >= max_claimed
      ? [reason(
        "at_capacity",
        `Orchestrator ${id} holds ${claimed} of the ${max_claimed} tasks it may hold at once. Finish one first.`,
        { ...about, claimed, max_claimed }
      )]
      : [])
  ]
}

/** The claim in question. What it leaves out is taken to suit the task. */
export const explainParameters = {
  orchestrator_id: Schema.optionalKey(OrchestratorId).pipe(
    describe("The machine that would claim. Without it, no reason about a machine is given.")
  ),
  queue: Schema.optionalKey(Schema.String).pipe(
    describe("The queue it would claim from; that of the task unless given.")
  ),
  role: Schema.optionalKey(CommaList).pipe(
    describe("The roles it would ask for, joined by commas; that of the task unless given.")
  ),
  any_role: Schema.optionalKey(FlagParameter).pipe(describe("Whether it would ask for any role.")),
  account: Schema.optionalKey(Schema.String).pipe(
    describe("The account that the claim would name. Without it, no reason about an account is given.")
  ),
  max_claimed: Schema.optionalKey(IntegerParameter).pipe(
    describe("How many tasks the machine may hold, as the claim would say; by default as it registered.")
  )
}
export const AskedClaim = Schema.Struct(explainParameters)
export type AskedClaim = typeof AskedClaim.Type

export const Explanation = Schema.Struct({
  task_id: TaskId,
  queue: QueueName.pipe(
    describe("The queue of the task, or the one to which the next claim returns it if its lease has expired.")
  ),
  claimed_by: Schema.NullOr(Schema.String).pipe(describe("The holder; null if there is none.")),
  claimable: Schema.Boolean.pipe(
    describe("Whether nothing prevents the claim. It gets the task after those ahead of it.")
  ),
  summary: ErrorText,
  reasons: Schema.Array(Reason).pipe(
    describe("The reasons why nobody has the task: at least one, those that prevent a claim first.")
  )
}).annotate({ identifier: "Explanation" })
export type Explanation = typeof Explanation.Type
