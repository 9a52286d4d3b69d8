/** How long leases last, and when to renew them. */
import * as DateTime from "effect/DateTime"
import { type Move, moves } from "../task/Moves.ts"
import type { TaskRow } from "../task/Task.ts"

/** The longest lease, in seconds: 24 hours. Real orchestrators ask for four. */
export const MaxLeaseSeconds = 86_400

/**
 * When to renew a lease, in seconds from now: after a third of the remaining time, as the client of etcd does. So two
 * renewals in a row may fail before the lease expires.
 */
export const renewAfterSeconds = (millisLeft: number): number => Math.max(1, Math.round(millisLeft / 3000))

/** The holder of a task that was put into `claimed` by hand, without a name. */
export const UnknownHolder = "unknown"

/**
 * A lease that ends at its deadline lasted as long as the attempt may last. That is a missed deadline and no expiry
 * (`sql/lease/Expiry.ts`).
 */
const exceedsDeadline = ({ deadline_at, lease_expires_at }: Pick<TaskRow, "deadline_at" | "lease_expires_at">) =>
  deadline_at !== null && lease_expires_at !== null
  && DateTime.toEpochMillis(lease_expires_at) >= DateTime.toEpochMillis(deadline_at)

/** The move by which the reaper takes the task back. */
export const expiryOf = (task: Pick<TaskRow, "queue" | "deadline_at" | "lease_expires_at">): Move =>
  task.queue !== "claimed" ? moves.expireReview : exceedsDeadline(task) ? moves.exceedDeadline : moves.expire
