/** What a PATCH does to the lease of a task: who holds the task afterwards, where it is, and until when. */
import { cut, MaxReason } from "../Size.ts"
import { ends, unclaimable } from "../task/Moves.ts"
import { column, type Columns, type TaskRow } from "../task/Task.ts"
import { InvalidTask, NotLeased, TaskBlocked } from "../task/TaskErrors.ts"
import type { TaskPatch } from "../task/TaskInput.ts"
import { MaxLeaseSeconds, UnknownHolder } from "./Lease.ts"

/** The ends that a PATCH may put a task into. A task there has no lease, even if the PATCH names a holder. */
export const endsByPatch: ReadonlySet<string> = new Set(["failed", "cancelled"])

/** The queue after the PATCH, and the holder. */
const placement = (task: TaskRow, patch: TaskPatch, forced: boolean) => {
  if (endsByPatch.has(patch.queue ?? "")) return { queue: patch.queue!, holder: undefined, released: true }
  const named = patch.claimed_by || undefined
  const released = ("claimed_by" in patch && named === undefined)
    || (named === undefined && patch.lease_expires_at === null)
  const asked = patch.queue ?? undefined
  const changesQueue = asked !== undefined && asked !== task.queue
  const holder = named
    ?? (released
      ? undefined
      : changesQueue && asked === "claimed"
      ? task.claimed_by ?? UnknownHolder
      : changesQueue
      ? undefined
      : task.claimed_by ?? undefined)
  const queue = asked
    // To give a waiting task to someone is to claim it for them. To take it from them is to put it back.
    ?? (holder !== undefined && task.queue === "incoming"
      ? "claimed"
      : holder === undefined && task.queue === "claimed"
      ? task.claimed_from ?? "incoming"
      : task.queue)
  // A holder that was asked to stop and returns the task, to any queue, has stopped.
  if (!forced && task.cancel_requested_at !== null && !keepsLease(queue, holder) && !ends.includes(queue)) {
    return { queue: "cancelled", holder: undefined, released }
  }
  return { queue, holder: queue === "claimed" ? holder ?? UnknownHolder : holder, released }
}

const keepsLease = (queue: string, holder: string | undefined) => queue === "claimed" || holder !== undefined

/** The reasons that a task at an end shows, as long as it is there. */
const endColumns = (task: TaskRow, patch: TaskPatch, queue: string, cancelRequested: boolean): Columns => {
  const said = patch.reason ?? patch.context ?? patch.execution_notes ?? null
  const reason = said && cut(said, MaxReason)
  return {
    failure_reason: queue !== "failed" ? null : task.queue === "failed" ? task.failure_reason : reason,
    cancel_reason: cancelRequested || (queue === "cancelled" && task.queue === "cancelled")
      ? task.cancel_reason
      : queue === "cancelled"
      ? task.cancel_reason ?? reason
      : null,
    // A database without the migration 0018 has no such column.
    ...(task.terminal === true && queue !== "failed" ? { terminal: 0 } : {})
  }
}

/** The terms of a lease that a PATCH grants. */
export interface Terms {
  /** Whether an administrator forces the move. Only then may it lead to `done` without an accept. */
  readonly forced: boolean
  /** The time, and the length of a lease that names none, in milliseconds. */
  readonly now: number
  readonly leaseMillis: number
  /** The limit of an attempt in seconds, if the task has none of its own; null means no limit. */
  readonly attemptSeconds: number | null
}

/** The columns of the lease after the PATCH. A new holder gets a new grant; a requested cancellation stays. */
export const leaseColumns = (
  task: TaskRow,
  patch: TaskPatch,
  { attemptSeconds, forced, leaseMillis, now }: Terms
): Columns => {
  const { holder, queue, released } = placement(task, patch, forced)
  if (holder === undefined) {
    return {
      queue,
      named_holder: !endsByPatch.has(queue)
        ? null
        : "claimed_by" in patch
        ? patch.claimed_by || null
        : queue === task.queue
        ? task.named_holder ?? null
        : null,
      claimed_by: null,
      claimed_at: null,
      claimed_from: null,
      orchestrator_id: null,
      lease_expires_at: null,
      lease_seconds: null,
      deadline_at: null,
      cancel_requested_at: null,
      ...endColumns(task, patch, queue, false),
      ...(queue === task.queue && !forced ? {} : { lapsed_token: null, available_at: null })
    }
  }
  const granted = released || holder !== task.claimed_by
  // Where the task goes if the lease expires. Never to an end: only a decision leads there.
  const origin = queue !== "claimed"
    ? queue
    : task.queue === "claimed"
    ? task.claimed_from
    : unclaimable.includes(task.queue)
    ? "incoming"
    : task.queue
  const attempt = task.max_attempt_seconds ?? attemptSeconds
  const deadline = granted
    ? queue === "claimed" && attempt !== null ? now + attempt * 1000 : null
    : column(task.deadline_at)
  const until = column(patch.lease_expires_at) ?? (granted ? now + leaseMillis : column(task.lease_expires_at))
  return {
    queue,
    named_holder: null,
    claimed_by: holder,
    claimed_at: column(patch.claimed_at) ?? (granted ? now : column(task.claimed_at)),
    claimed_from: origin,
    orchestrator_id: "orchestrator_id" in patch
      ? column(patch.orchestrator_id || null)
      : granted
      ? null
      : task.orchestrator_id,
    // An attempt ends at its deadline, however often its lease is renewed.
    lease_expires_at: deadline === null ? until : Math.min(Number(until), Number(deadline)),
    lease_seconds: granted ? null : task.lease_seconds,
    deadline_at: deadline,
    cancel_requested_at: forced ? null : column(task.cancel_requested_at),
    ...endColumns(task, patch, queue, !forced && task.cancel_requested_at !== null),
    grants: granted ? task.grants + 1 : task.grants,
    lapsed_token: null,
    available_at: null
  }
}

/** Why the lease that the PATCH asks for is refused, or undefined. */
export const leaseProblem = (task: TaskRow, patch: TaskPatch, lease: Columns, blocked: boolean, now: number) => {
  if (lease.claimed_by === null) {
    return patch.lease_expires_at || patch.claimed_at || patch.orchestrator_id ? NotLeased.of(task.id) : undefined
  }
  if (Number(lease.lease_expires_at) > now + MaxLeaseSeconds * 1000) return InvalidTask.leaseEnd(MaxLeaseSeconds)
  if (lease.grants === task.grants) return undefined
  return lease.queue === "done" ? InvalidTask.heldWhenDone() : blocked ? TaskBlocked.of(task.id) : undefined
}
