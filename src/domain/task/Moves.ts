/**
 * The state machine of a task: which move leads from where to where, and what it does to the task.
 *
 * This table is the only place that knows. The endpoints and the lease reaper read their moves from it. A PATCH may put a
 * task anywhere but into `done`, so it has no row; what it does to the lease on the way is in `TaskPatch.ts`.
 */
import type { QueueName } from "../Identifier.ts"
import { type Budget, type Limits, type Spending, spendsLast } from "../lease/Budget.ts"

export interface Move {
  /** What history calls it. */
  readonly event: string
  /**
   * The queues it leads from; `other` is every queue but `claimed`, `unfinished` every one where work may still be done,
   * `held` wherever somebody holds the task.
   */
  readonly from: ReadonlyArray<QueueName> | "other" | "unfinished" | "held"
  /**
   * Where it leads: a queue, the queue the task was claimed from or else `incoming` (`origin`), the queue it was claimed
   * from or is under review in (`back`), or nowhere else (`same`).
   */
  readonly to: { readonly queue: QueueName } | "origin" | "back" | "same"
  /**
   * What a registered flow has to say: it must have a step from where the task is to where the move leads (`step`), or it
   * says itself where a result goes (`submit`, `burnOut`), or nothing (`none`).
   */
  readonly flow: "step" | "submit" | "burnOut" | "none"
  /** Whether it grants a lease, ends the one there is, takes it back because it ran out, or gives that one back. */
  readonly lease: "grant" | "end" | "lapse" | "resume"
  /** The counters it raises by one. */
  readonly counts: ReadonlyArray<"attempt_count" | "rejection_count" | "lease_losses">
  /** Whether the task no longer needs a person's attention. */
  readonly clearsIntervention: boolean
  /** Whether the holder of a lease that ran out may still make it, as long as nobody else took or moved the task. */
  readonly afterLapse: boolean
  /** The budget it draws on: spending the last of it lands in `failed`, wherever the move leads. */
  readonly budget?: Budget
  /** Whether it lands in `cancelled` where that was asked for: it ends the lease, and says nothing about the result. */
  readonly yields: boolean
  /** Whether the task waits a while before it is handed out again (`Backoff.ts`). */
  readonly backsOff: boolean
  /** Whether whoever takes the task next is told of it: work was taken or given back, and not accepted. */
  readonly setback: boolean
}

const move = (event: string, from: Move["from"], to: Move["to"], rest?: Partial<Move>): Move => ({
  event,
  from,
  to,
  flow: "none",
  lease: "end",
  counts: [],
  clearsIntervention: true,
  afterLapse: false,
  yields: false,
  backsOff: false,
  setback: false,
  ...rest
})

/** Every move but PATCH, whose target is the caller's to choose (`TaskPatch.ts`). */
export const moves = {
  claim: move("claimed", "other", { queue: "claimed" }, { lease: "grant" }),
  claimReview: move("review_claimed", ["provisional"], "same", { lease: "grant" }),
  submit: move("submitted", ["claimed"], { queue: "provisional" }, { flow: "submit", afterLapse: true, yields: true }),
  burnOut: move("burnout_detected", ["claimed"], { queue: "needs_continuation" }, {
    flow: "burnOut",
    afterLapse: true,
    yields: true
  }),
  accept: move("accepted", ["provisional", "claimed"], { queue: "done" }, { flow: "step", afterLapse: true }),
  reject: move("rejected", ["provisional", "claimed"], { queue: "incoming" }, {
    flow: "step",
    counts: ["rejection_count"],
    budget: "max_rejections",
    yields: true,
    setback: true
  }),
  requeue: move("requeued", ["provisional", "claimed"], "origin", {
    flow: "step",
    counts: ["attempt_count"],
    budget: "max_attempts",
    yields: true,
    backsOff: true,
    setback: true
  }),
  // Given back by whoever found that it is not theirs to do: that is nothing the task did.
  release: move("released", "held", "back", { yields: true, clearsIntervention: false }),
  fail: move("failed", "unfinished", { queue: "failed" }, { setback: true }),
  expire: move("lease_expired", ["claimed"], "origin", {
    lease: "lapse",
    counts: ["attempt_count", "lease_losses"],
    budget: "max_lease_losses",
    yields: true,
    backsOff: true,
    setback: true
  }),
  // The attempt took too long, whoever renewed its lease: it was the task's own, and nobody may go on with it.
  exceedDeadline: move("deadline_exceeded", ["claimed"], "origin", {
    counts: ["attempt_count"],
    budget: "max_attempts",
    yields: true,
    backsOff: true,
    setback: true
  }),
  // Nobody else took the task, so whoever lost its lease has it back under the same token.
  reattach: move("reattached", "unfinished", { queue: "claimed" }, { lease: "resume", afterLapse: true }),
  // A review that nobody finished is nothing the task did: it waits for the next reviewer as it was.
  expireReview: move("review_lease_expired", "other", "same", { clearsIntervention: false, yields: true }),
  // Of a task that nobody holds. The holder of one is asked to stop (`services/task/cancel.ts`).
  cancel: move("cancelled", "unfinished", { queue: "cancelled" }),
  redrive: move("redriven", ["failed", "cancelled"], { queue: "incoming" })
} as const satisfies Record<string, Move>

/** The queues in which a task has come to an end; only a person brings it back. */
export const ends: ReadonlyArray<QueueName> = ["done", "failed", "cancelled"]

/** The queues no task is handed out from: somebody works on it, or nobody should. */
export const unclaimable: ReadonlyArray<QueueName> = ["claimed", ...ends]

/** What a claim on this queue does: a task under review stays where it is. */
export const claimOf = (queue: QueueName): Move => queue === "provisional" ? moves.claimReview : moves.claim

/** The queue in which a task waits for whoever settles what is wrong with it, before it goes on from where it was. */
export const intervention: QueueName = "requires-intervention"

/** Where a move leads a task that is in `queue` and was claimed from `claimed_from`, as long as no flow says otherwise. */
export const landing = (
  { to }: Pick<Move, "to">,
  task: { readonly queue: QueueName; readonly claimed_from: QueueName | null }
): QueueName =>
  to === "same"
    ? task.queue
    : to === "origin"
    ? (task.queue === "claimed" ? task.claimed_from : null) ?? "incoming"
    : to === "back"
    ? (task.queue === "claimed" ? task.claimed_from : null) ?? task.queue
    : to.queue

/** Whether a move may start in `queue`. */
export const startsIn = ({ from }: Pick<Move, "from">, queue: QueueName): boolean =>
  from === "other"
    ? queue !== "claimed"
    : from === "unfinished"
    ? !ends.includes(queue)
    : from === "held" || from.includes(queue)

/** The queues a move may start in, as a refusal names them. */
export const sourcesOf = ({ from }: Pick<Move, "from">): string =>
  from === "other"
    ? "any queue but claimed"
    : from === "unfinished"
    ? "neither done, failed nor cancelled"
    : from === "held"
    ? "somebody's hands"
    : from.join(" or ")

/** Turns without a commit, and turns at all, after which a submitted task needs another agent to go on. */
export interface BurnoutLimits {
  readonly idleTurns: number
  readonly totalTurns: number
}

/** Whether the agent ran out of turns before it got anywhere. */
export const burntOut = (
  work: { readonly commits_count: number; readonly turns_used: number },
  limits: BurnoutLimits
): boolean => (work.commits_count === 0 && work.turns_used >= limits.idleTurns) || work.turns_used >= limits.totalTurns

export type Outcome = "usual" | "cancelled" | "failed"

/** A cancellation somebody asked for comes first: nobody has to hear that what they gave up has failed. */
export const outcome = (
  { budget, yields }: Pick<Move, "budget" | "yields">,
  task: Spending & { readonly cancelRequested: boolean },
  limits: Limits
): Outcome =>
  yields && task.cancelRequested
    ? "cancelled"
    : budget !== undefined && spendsLast(budget, task, limits)
    ? "failed"
    : "usual"
