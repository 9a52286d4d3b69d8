/** What becomes of a lease that ran out: the attempt is over, or only the lease, or it was a review. */
import * as DateTime from "effect/DateTime"
import type { Move } from "../task/Move.ts"
import type { TaskRow } from "../task/Task.ts"
import { moves } from "../task/Moves.ts"

/** A lease that ends with its deadline was as long as the attempt may be, and is not lost (`sql/lease/Deadline.ts`). */
const exceedsDeadline = ({ deadline_at, lease_expires_at }: Pick<TaskRow, "deadline_at" | "lease_expires_at">) =>
  deadline_at !== null && lease_expires_at !== null
  && DateTime.toEpochMillis(lease_expires_at) >= DateTime.toEpochMillis(deadline_at)

/** The move that takes the task back. */
export const expiryOf = (task: Pick<TaskRow, "queue" | "deadline_at" | "lease_expires_at">): Move =>
  task.queue !== "claimed" ? moves.expireReview : exceedsDeadline(task) ? moves.exceedDeadline : moves.expire
