/** What became of a task, for whoever names a lease of it that is over. */
import * as Schema from "effect/Schema"
import type { TaskRow } from "../task/Task.ts"

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

/** What each of them means. */
export const LossReasonText =
  "`taken`: another lease holds the task. `finished`: it is done. `failed`, `cancelled`: it was given up. `moved`: it is in some other queue. `expired`: the lease ran out, and nobody has taken the task, so that renewing it still brings it back. `deadline_exceeded`: the attempt took longer than it may."

/** What of a task's row tells. */
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
    // What is still held under the token, or may still be handed in under it, is not renewed only when its time is up.
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
    case "expired":
      return `it ran out, and the task is in ${queue}. Renew it to have the task back, unless somebody else is faster.`
    case "deadline_exceeded":
      return `the attempt has exceeded its deadline, and the task is in ${queue}. Stop working on it, and claim again.`
    case "moved":
      return `the task is in ${queue}, and nobody holds it. Stop working on it, and claim again.`
  }
}

/** Why the lease that `token` names is over, and what its holder can do; `renewing` it was just tried, or not. */
export const lossOf = (
  task: Lost,
  token: number,
  renewing: boolean
): { readonly reason: LossReason; readonly error: string } => {
  const reason = reasonOf(task, token, renewing)
  return { reason, error: `The lease ${token} of task ${task.id} is over: ${told(task, reason)}` }
}
