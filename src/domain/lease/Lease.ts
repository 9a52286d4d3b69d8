/** How long leases last, and when to renew them. */
import * as DateTime from "effect/DateTime"
import { type Move, moves } from "../task/Moves.ts"
import type { TaskRow } from "../task/Task.ts"

/** The longest lease there is, in seconds: 24 hours. Real orchestrators ask for four. */
export const MaxLeaseSeconds = 86_400

/**
 * When a lease is to be renewed, in seconds from now: after a third of what is left, as the client of etcd does it, so that
 * two renewals in a row may be lost before the lease is.
 */
export const renewAfterSeconds = (millisLeft: number): number => Math.max(1, Math.round(millisLeft / 3000))

/** The holder's name when a task was put into `claimed` by hand and nobody said for whom. */
export const UnknownHolder = "unknown"

/** A lease that ends with its deadline was as long as the attempt may be, and is not lost (`sql/lease/Deadline.ts`). */
const exceedsDeadline = ({ deadline_at, lease_expires_at }: Pick<TaskRow, "deadline_at" | "lease_expires_at">) =>
  deadline_at !== null && lease_expires_at !== null
  && DateTime.toEpochMillis(lease_expires_at) >= DateTime.toEpochMillis(deadline_at)

/** The move that takes the task back. */
export const expiryOf = (task: Pick<TaskRow, "queue" | "deadline_at" | "lease_expires_at">): Move =>
  task.queue !== "claimed" ? moves.expireReview : exceedsDeadline(task) ? moves.exceedDeadline : moves.expire
