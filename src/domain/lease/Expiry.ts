/** What becomes of a task whose lease has expired. */
import { destination, endOf, moves } from "../task/Moves.ts"
import type { TaskRow } from "../task/Task.ts"
import type { Policy } from "./Budget.ts"
import { expiryOf } from "./Lease.ts"

/** The task after its expired lease is taken back. */
export const takenBack = (task: TaskRow, { backoff, limits }: Policy) => {
  const move = expiryOf(task)
  const became = endOf(move, { ...task, cancelRequested: task.cancel_requested_at !== null }, limits)
  return {
    queue: became === "usual" ? destination(move, task) : became,
    backsOff: became === "usual" && move.backsOff && backoff.baseSeconds > 0,
    overdue: move === moves.exceedDeadline
  }
}
