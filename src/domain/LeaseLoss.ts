/** What became of a task, for whoever names a lease of it that is over. */
import * as Schema from "effect/Schema"
import type { TaskRow } from "./Task.ts"

export const LossReason = Schema.Literals(["taken", "finished", "failed", "cancelled", "moved", "deadline_exceeded"])
export type LossReason = typeof LossReason.Type

/** What each of them means. */
export const LossReasonText =
  "`taken`: another lease holds the task. `finished`: it is done. `failed`, `cancelled`: it was given up. `moved`: it is in some other queue. `deadline_exceeded`: the attempt took longer than it may."

/** What of a task's row tells. */
export type Lost = Pick<TaskRow, "id" | "queue" | "claimed_by" | "fencing_token" | "lapsed_token" | "setbacks">

const reasonOf = ({ claimed_by, fencing_token, lapsed_token, queue, setbacks }: Lost, token: number): LossReason =>
  claimed_by !== null && fencing_token !== token
    ? "taken"
    : queue === "done"
    ? "finished"
    : queue === "failed" || queue === "cancelled"
    ? queue
    // What is still held under the token, or may still be handed in under it, can only be out of time.
    : fencing_token === token || lapsed_token === token ||
        setbacks?.findLast((setback) => setback.fencing_token === token)?.event === "deadline_exceeded"
    ? "deadline_exceeded"
    : "moved"

const told = ({ claimed_by, queue }: Lost, reason: LossReason): string => {
  switch (reason) {
    case "taken":
      return `${claimed_by} holds the task now. Stop working on it, and claim again.`
    case "finished":
      return "the task is done. Stop working on it, and claim another."
    case "failed":
      return "the task has failed. Stop working on it, and claim another."
    case "cancelled":
      return "the task was cancelled. Stop working on it, and claim another."
    case "deadline_exceeded":
      return `the attempt has exceeded its deadline, and the task is in ${queue}. Stop working on it, and claim again.`
    case "moved":
      return `the task is in ${queue}, and nobody holds it. Stop working on it, and claim again.`
  }
}

/** Why the lease that `token` names is over, and what its holder can do. */
export const lossOf = (task: Lost, token: number): { readonly reason: LossReason; readonly error: string } => {
  const reason = reasonOf(task, token)
  return { reason, error: `The lease ${token} of task ${task.id} is over: ${told(task, reason)}` }
}
