/** What a handler gets: a task, its handoff, and its lease. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type {
  Checkpoint,
  CheckpointTooLarge,
  ClaimedTask,
  Handoff,
  Lease,
  NewMessage,
  Parking,
  Submission,
  Usage
} from "../../client.ts"
import type { Session } from "../../domain/lease/Session.ts"

/** The result of a task, as the worker submits it. */
export type TaskResult = Omit<Submission, "version" | "fencing_token">

/** The verdict on a result that was claimed for review (`queue: "provisional"`). */
export type Verdict = { readonly verdict: "accept" } | { readonly verdict: "reject"; readonly reason: string }

export type Result = TaskResult | Verdict

/** A question that holds the task until someone replies. */
export type Question = Pick<NewMessage, "content" | "to_actor">

/** The limit of a provider. */
export interface Limit extends Pick<Parking, "until" | "reason"> {
  /** The account that has reached it; that of the worker unless given. */
  readonly account?: string
}

export interface Attempt {
  readonly task: ClaimedTask
  /** The token of the lease. Send it with every call of your own about the task. */
  readonly fencing_token: number
  /** What earlier holders left: the last checkpoint, and the setbacks with their reasons. */
  readonly handoff: Handoff
  /** Saves this for the next holder of the task, with the next renewal or when the work stops. */
  readonly checkpoint: (checkpoint: Checkpoint) => Effect.Effect<void, CheckpointTooLarge>
  /**
   * Names the session of the agent, so that a person can get into it. It goes with each renewal and with the result.
   */
  readonly session: (session: Session) => Effect.Effect<void>
  /** Reports what was used since the last report. It goes with the next renewal, and counts once. */
  readonly use: (usage: Usage) => Effect.Effect<void>
  /**
   * Asks a question and ends the attempt, which counts as none. Nobody may claim the task until someone replies. The
   * next attempt has the question and the answer in `handoff.answers`. The handler is interrupted, so write the
   * checkpoint before.
   */
  readonly ask: (question: Question) => Effect.Effect<never>
  /**
   * Parks the account until the limit of its provider is over, and ends the attempt, which counts as none. Others may
   * claim the task at once. The handler is interrupted, so write the checkpoint before.
   */
  readonly park: (limit: Limit) => Effect.Effect<never>
  /** Renews now, at most every few seconds, and ends when the server has answered. Then the checkpoint is saved. */
  readonly renew: Effect.Effect<void>
  /** The directive of the server: `continue`, `cancel`, or `pause` while the machine is in maintenance. */
  readonly directive: SubscriptionRef.SubscriptionRef<Lease["directive"]>
  /** Aborts when the handler has to stop, with a `Stopped` as reason: for your own processes and requests. */
  readonly signal: AbortSignal
}

/** Why a handler was interrupted. */
export type Stop =
  | { readonly why: "lost"; readonly reason: string; readonly error: string }
  | { readonly why: "cancel"; readonly reason: string | null }
  | { readonly why: "drain" }
  /** It asked a question, or parked an account. */
  | { readonly why: "ask" | "park" }

/** The reason of the attempt's signal, and an annotation of the cause that interrupts the handler. */
export class Stopped extends Context.Service<Stopped, Stop>()("octopoid-server/client/Stopped") {}
