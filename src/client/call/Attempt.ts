/** What a handler is given: a task, what is known about it, and the lease it is worked on under. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import type { Checkpoint, CheckpointTooLarge, ClaimedTask, Handoff, Lease, Submission } from "../../client.ts"

/** What the worker hands in for a task that was worked on. */
export type Outcome = Omit<Submission, "version" | "fencing_token">

/** What the worker says about a result that it claimed for review (`queue: "provisional"`). */
export type Verdict = { readonly verdict: "accept" } | { readonly verdict: "reject"; readonly reason: string }

export type Result = Outcome | Verdict

export interface Attempt {
  readonly task: ClaimedTask
  /** Names the lease. Send it with every call of your own about the task. */
  readonly fencing_token: number
  /** What earlier holders left to know: their last checkpoint, why results were rejected, what else went wrong. */
  readonly handoff: Handoff
  /** Keeps this for whoever goes on with the task. It is written with the next renewal, or when the work stops. */
  readonly checkpoint: (checkpoint: Checkpoint) => Effect.Effect<void, CheckpointTooLarge>
  /** Renews at once, at most every few seconds, and ends when that was answered: then the checkpoint is kept. */
  readonly renew: Effect.Effect<void>
  /** What the server wants: `continue`, `pause` while the machine is in maintenance, `cancel`. */
  readonly directive: SubscriptionRef.SubscriptionRef<Lease["directive"]>
  /** Aborts when the handler has to stop, with a `Stopped` as its reason: for processes and requests of your own. */
  readonly signal: AbortSignal
}

/** Why a handler was interrupted. */
export type Stop =
  | { readonly why: "lost"; readonly reason: string; readonly error: string }
  | { readonly why: "cancel"; readonly reason: string | null }
  | { readonly why: "drain" }

/** The reason of the attempt's signal, and an annotation of the cause its handler is interrupted with. */
export class Stopped extends Context.Service<Stopped, Stop>()("octopoid-server/client/Stopped") {}
