/** The PATCHes by which clients end leases on their own, from lists that may be old by the time they arrive. */
import type { TaskRow } from "./Task.ts"
import type { TaskPatch } from "./TaskInput.ts"

const expiryFields = ["attempt_count", "claimed_by", "lease_expires_at", "needs_intervention", "queue"].join()

/** Whether the PATCH is the one by which clients take back a lease that has run out, as they last saw it. */
export const takesBack = (patch: TaskPatch): boolean =>
  Object.keys(patch).filter((field) => field !== "scope").toSorted().join() === expiryFields
  && patch.queue === "incoming" && patch.claimed_by === null && patch.lease_expires_at === null
  && patch.needs_intervention === false

const endingFields = new Set([
  "attempt_count",
  "claimed_by",
  "lease_expires_at",
  "needs_intervention",
  "queue",
  "scope"
])

/** Whether the PATCH only ends a lease, and says where the task goes then. */
export const endsLease = (patch: TaskPatch): boolean =>
  Object.keys(patch).every((field) => endingFields.has(field)) && patch.queue != null
  && patch.claimed_by === null && patch.lease_expires_at === null

/**
 * Clients end leases from lists that may be old. Work that is done by then stays done; a review that was rejected, and may
 * be in other hands, does not come back; and what was counted meanwhile is not forgotten.
 */
export const isOutdated = (task: TaskRow, { queue }: TaskPatch): boolean =>
  task.queue === "done" || (queue === "provisional" && (task.queue === "incoming" || task.queue === "claimed"))
