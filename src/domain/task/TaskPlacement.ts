/** Where a PATCH leaves a task, and who holds it there: the lease is always whole or absent. */
import * as DateTime from "effect/DateTime"
import { InvalidTask } from "./InvalidTask.ts"
import { MaxLeaseSeconds, UnknownHolder } from "../lease/Lease.ts"
import { cut, MaxLine, MaxReason } from "../Size.ts"
import type { TaskRow } from "./Task.ts"
import { NotLeased, TaskBlocked } from "./TaskErrors.ts"
import type { TaskPatch } from "./TaskInput.ts"
import { ends, unclaimable } from "./Moves.ts"

/** Columns and the values to write to them. */
export type Columns = Record<string, string | number | null>

/** A value as a column holds it. */
export const column = (value: unknown): string | number | null =>
  value === null || value === undefined
    ? null
    : DateTime.isDateTime(value)
    ? DateTime.toEpochMillis(value)
    : typeof value === "boolean"
    ? Number(value)
    : value as string | number

/** A column's value as history tells it: instants travel as text, there too, and of a long text the beginning says enough. */
export const told = (name: string, value: string | number | null) =>
  typeof value === "number"
    ? name.endsWith("_at") ? DateTime.formatIso(DateTime.makeUnsafe(value)) : value
    : value && cut(value, MaxLine)

/** The ends that a PATCH may put a task into. A task there has no lease, whatever name the PATCH gives. */
export const endsByPatch: ReadonlySet<string> = new Set(["failed", "cancelled"])

/** Where the PATCH leaves the task, and who holds it there. */
const placement = (task: TaskRow, patch: TaskPatch, forced: boolean) => {
  if (endsByPatch.has(patch.queue ?? "")) return { queue: patch.queue!, holder: undefined, released: true }
  const named = patch.claimed_by || undefined
  const released = ("claimed_by" in patch && named === undefined)
    || (named === undefined && patch.lease_expires_at === null)
  const asked = patch.queue ?? undefined
  const moved = asked !== undefined && asked !== task.queue
  const holder = named
    ?? (released
      ? undefined
      : moved && asked === "claimed"
      ? task.claimed_by ?? UnknownHolder
      : moved
      ? undefined
      : task.claimed_by ?? undefined)
  const queue = asked
    // To give a waiting task to somebody is to claim it for them; to take it from them is to put it back.
    ?? (holder !== undefined && task.queue === "incoming"
      ? "claimed"
      : holder === undefined && task.queue === "claimed"
      ? task.claimed_from ?? "incoming"
      : task.queue)
  // Whoever was asked to stop and gives the task back, wherever to, has stopped.
  if (!forced && task.cancel_requested_at !== null && !keepsLease(queue, holder) && !ends.includes(queue)) {
    return { queue: "cancelled", holder: undefined, released }
  }
  return { queue, holder: queue === "claimed" ? holder ?? UnknownHolder : holder, released }
}

const keepsLease = (queue: string, holder: string | undefined) => queue === "claimed" || holder !== undefined

/** Why the task is at an end, or is to be, as long as it is. */
const endColumns = (task: TaskRow, patch: TaskPatch, queue: string, cancelRequested: boolean): Columns => {
  const said = patch.reason ?? patch.context ?? patch.execution_notes ?? null
  const reason = said && cut(said, MaxReason)
  return {
    failure_reason: queue !== "failed" ? null : task.queue === "failed" ? task.failure_reason : reason,
    cancel_reason: cancelRequested || (queue === "cancelled" && task.queue === "cancelled")
      ? task.cancel_reason
      : queue === "cancelled"
      ? task.cancel_reason ?? reason
      : null
  }
}

/** What a lease by PATCH is granted on. */
export interface Terms {
  /** Whether an administrator moves the task: only he may make it done without an accept. */
  readonly forced: boolean
  /** The time, and how long a lease is that does not say; in milliseconds. */
  readonly now: number
  readonly leaseMillis: number
  /** How long an attempt may take, in seconds, when the task does not say; null when nothing limits it. */
  readonly attemptSeconds: number | null
}

/** The lease columns for where the task is left. A new holder is a new grant, and is asked to stop as the old one was. */
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
  // Where it goes if the lease runs out: never back to an end, which is reached by a decision and not by silence.
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
    // An attempt ends at its deadline, whoever renews its lease.
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

/** Why a lease may not be as the PATCH wants it, if so. */
export const leaseProblem = (task: TaskRow, patch: TaskPatch, lease: Columns, blocked: boolean, now: number) => {
  if (lease.claimed_by === null) {
    return patch.lease_expires_at || patch.claimed_at || patch.orchestrator_id ? NotLeased.of(task.id) : undefined
  }
  if (Number(lease.lease_expires_at) > now + MaxLeaseSeconds * 1000) return InvalidTask.leaseEnd(MaxLeaseSeconds)
  if (lease.grants === task.grants) return undefined
  return lease.queue === "done" ? InvalidTask.heldWhenDone() : blocked ? TaskBlocked.of(task.id) : undefined
}
