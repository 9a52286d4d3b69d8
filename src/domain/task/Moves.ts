/**
 * The state machine of a task: from where to where each move leads, and what it does to the task.
 *
 * The endpoints read their moves from this table. What a claim and an expired lease do stands in SQL as well
 * (`sql/lease/Claim.ts`, the view `expiring`), and tests hold both together. A PATCH may put a task into any queue but
 * `done`, so it has no row; `PatchPlan.ts` plans it, and `domain/lease/LeasePatch.ts` says what it does to the lease.
 */
import type { QueueName } from "../Identifier.ts"
import { type Budget, type Limits, type Spending, spendsLast } from "../lease/Budget.ts"

export interface Move {
  /** The event in the history. */
  readonly event: string
  /**
   * The queues that the move starts in. `other` is every queue but `claimed`, `unfinished` every queue but the ends,
   * and `held` every queue, if someone holds the task.
   */
  readonly from: ReadonlyArray<QueueName> | "other" | "unfinished" | "held"
  /**
   * The destination: a queue; `origin`, the queue that the task was claimed from, or else `incoming`; `back`, the queue
   * that it was claimed from or is under review in; `same`, the queue that it is in.
   */
  readonly to: { readonly queue: QueueName } | "origin" | "back" | "same"
  /**
   * What a registered flow decides: `step`, it must have a step from the queue of the task to the destination; `submit`
   * and `burnOut`, it names the destination; `none`, nothing.
   */
  readonly flow: "step" | "submit" | "burnOut" | "none"
  /** Whether the move grants a lease, ends it, takes back an expired one, or re-attaches an expired one. */
  readonly lease: "grant" | "end" | "lapse" | "resume"
  /** The counters that the move raises by one. */
  readonly counts: ReadonlyArray<"attempt_count" | "rejection_count" | "lease_losses">
  /** Whether the task needs no intervention afterwards. */
  readonly clearsIntervention: boolean
  /**
   * Whether the holder of an expired lease may still make the move, if no one else was granted the task and no one
   * moved it.
   */
  readonly afterLapse: boolean
  /** The budget that the move draws on. If it uses up the rest, the destination is `failed`. */
  readonly budget?: Budget
  /**
   * Whether the destination is `cancelled` if a cancellation was requested: the move ends the lease without deciding
   * about the result.
   */
  readonly yields: boolean
  /** Whether the task waits afterwards (`Backoff.ts`). */
  readonly backsOff: boolean
  /**
   * Whether the move is a setback, which the handoff shows: the task lost its holder, or its result was not accepted.
   */
  readonly setback: boolean
  /** The actor in the history: the holder, the one whom the caller names, or the holder if the caller names nobody. */
  readonly actor: "holder" | "named" | "named or holder"
  /** Whether the move returns the task without a result. A blocker may have failed while the task was held. */
  readonly returns: boolean
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
  actor: "named",
  returns: false,
  ...rest
})

/** The holder gives the task back, and it was no attempt. */
const givenBack = { yields: true, clearsIntervention: false, actor: "named or holder", returns: true } as const

/** Every move but PATCH, whose caller chooses the destination (`PatchPlan.ts`). */
export const moves = {
  claim: move("claimed", "other", { queue: "claimed" }, { lease: "grant" }),
  claimReview: move("review_claimed", ["provisional"], "same", { lease: "grant" }),
  submit: move("submitted", ["claimed"], { queue: "provisional" }, {
    flow: "submit",
    afterLapse: true,
    yields: true,
    actor: "holder"
  }),
  burnOut: move("burnout_detected", ["claimed"], { queue: "needs_continuation" }, {
    flow: "burnOut",
    afterLapse: true,
    yields: true,
    actor: "holder"
  }),
  accept: move("accepted", ["provisional", "claimed"], { queue: "done" }, { flow: "step", afterLapse: true }),
  reject: move("rejected", ["provisional", "claimed"], { queue: "incoming" }, {
    flow: "step",
    counts: ["rejection_count"],
    budget: "max_rejections",
    yields: true,
    setback: true,
    returns: true
  }),
  requeue: move("requeued", ["provisional", "claimed"], "origin", {
    flow: "step",
    counts: ["attempt_count"],
    budget: "max_attempts",
    yields: true,
    backsOff: true,
    setback: true,
    actor: "named or holder",
    returns: true
  }),
  // The holder returns the task untried, so it counts as no attempt.
  release: move("released", "held", "back", givenBack),
  // The provider of the holder's account gives it no more work. Others may have the task, and it was no attempt.
  park: move("parked", "held", "back", givenBack),
  // The holder cannot go on before someone answers its question. That is no attempt either.
  ask: move("asked", "held", "back", givenBack),
  fail: move("failed", "unfinished", { queue: "failed" }, { setback: true, actor: "named or holder" }),
  expire: move("lease_expired", ["claimed"], "origin", {
    lease: "lapse",
    counts: ["attempt_count", "lease_losses"],
    budget: "max_lease_losses",
    yields: true,
    backsOff: true,
    setback: true
  }),
  // The attempt took too long. It counts as an attempt of the task, and its holder may not go on.
  exceedDeadline: move("deadline_exceeded", ["claimed"], "origin", {
    counts: ["attempt_count"],
    budget: "max_attempts",
    yields: true,
    backsOff: true,
    setback: true
  }),
  // No one else took the task, so its last holder gets it back under the same token.
  reattach: move("reattached", "unfinished", { queue: "claimed" }, { lease: "resume", afterLapse: true }),
  // An unfinished review is no fault of the task. It waits for the next reviewer, unchanged.
  expireReview: move("review_lease_expired", "other", "same", { clearsIntervention: false, yields: true }),
  // For a task that nobody holds. The holder of a held task is asked to stop (`services/task/change/cancel.ts`).
  cancel: move("cancelled", "unfinished", { queue: "cancelled" }),
  redrive: move("redriven", ["failed", "cancelled"], { queue: "incoming" })
} as const satisfies Record<string, Move>

/** The queues of finished tasks. Only a person brings a task back from here. */
export const ends: ReadonlyArray<QueueName> = ["done", "failed", "cancelled"]

/** The queues that no claim takes tasks from. */
export const unclaimable: ReadonlyArray<QueueName> = ["claimed", ...ends]

/** The move of a claim on this queue. A task under review stays in its queue. */
export const claimOf = (queue: QueueName): Move => queue === "provisional" ? moves.claimReview : moves.claim

/** The queue of tasks that need a person before they go on. */
export const intervention: QueueName = "requires-intervention"

/** The destination of a move, unless a flow or a budget changes it. */
export const destination = (
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

/** The queues that a move may start in, for the sentence of a refusal. */
export const sourcesOf = ({ from }: Pick<Move, "from">): string =>
  from === "other"
    ? "any queue but claimed"
    : from === "unfinished"
    ? "neither done, failed nor cancelled"
    : from === "held"
    ? "any queue and held by an agent"
    : from.join(" or ")

/** After so many turns without a commit, or turns in all, a submit counts as burnout. */
export interface BurnoutLimits {
  readonly idleTurns: number
  readonly totalTurns: number
}

/** Whether the agent used up its turns. */
export const burntOut = (
  work: { readonly commits_count: number; readonly turns_used: number },
  limits: BurnoutLimits
): boolean => (work.commits_count === 0 && work.turns_used >= limits.idleTurns) || work.turns_used >= limits.totalTurns

export type MoveEnd = "usual" | "cancelled" | "failed"

/** A requested cancellation comes before a spent budget: the task that someone gave up is cancelled, not failed. */
export const endOf = (
  { budget, yields }: Pick<Move, "budget" | "yields">,
  task: Spending & { readonly cancelRequested: boolean },
  limits: Limits
): MoveEnd =>
  yields && task.cancelRequested
    ? "cancelled"
    : budget !== undefined && spendsLast(budget, task, limits)
    ? "failed"
    : "usual"
