/** What a move of a task is: the columns of the table of moves (`Moves.ts`). */
import type { QueueName } from "../Identifier.ts"
import type { Budget } from "../lease/Budget.ts"

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
