/**
 * What a PATCH makes of a task. Clients of the old server move tasks by PATCH and set claim fields by hand, so what would
 * leave a contradiction is repaired where it can be. Refused is only what no repair makes true: `done` without an accept,
 * a lease on a task that is blocked or done, and a renewal of no lease.
 */
import * as DateTime from "effect/DateTime"
import type * as Schema from "effect/Schema"
import { MaxBlockers, parseBlockers } from "../dependency/Dependency.ts"
import { invalidQueue, type Rules } from "../flow/FlowRules.ts"
import { MaxLeaseSeconds, UnknownHolder } from "../lease/Lease.ts"
import { cut, MaxLine, MaxReason } from "../Size.ts"
import { ends, intervention, unclaimable } from "./Moves.ts"
import { DefaultPriority, rank } from "./Priority.ts"
import type { TaskRow } from "./Task.ts"
import { InvalidTask, NotLeased, TaskBlocked } from "./TaskErrors.ts"
import type { TaskPatch } from "./TaskInput.ts"

export interface Patched {
  /** The columns that change. Empty when the task already is as the PATCH wants it. */
  readonly columns: Columns
  /** Whether the change belongs to the protocol (queue, lease, counters, blockers) and not only to the description. */
  readonly protocol: boolean
  /** The changed fields, old and new, for the task's history; bodies are left out. */
  readonly changes: Record<string, ReadonlyArray<Schema.Json>>
  /** The blockers to wait for from now on, when they change. */
  readonly blockers: ReadonlyArray<string> | undefined
}

const protocolColumns: ReadonlySet<string> = new Set([
  "queue",
  "claimed_by",
  "claimed_at",
  "orchestrator_id",
  "lease_expires_at",
  "attempt_count",
  "rejection_count",
  "needs_intervention",
  "blocked_by",
  "completed_at",
  "submitted_at",
  "commits_count",
  "turns_used",
  "check_results",
  "hooks",
  "max_attempt_seconds",
  "max_attempts",
  "max_lease_losses",
  "max_rejections"
])

// Kept on the row, too long or too private to repeat in every history entry.
const bodies: ReadonlySet<string> = new Set([
  "content",
  "metadata",
  "execution_notes",
  "check_results",
  "hooks",
  "flow_overrides"
])
const internal: ReadonlySet<string> = new Set([
  "claimed_from",
  "named_holder",
  "intervention_from",
  "lapsed_token",
  "grants",
  "lease_seconds",
  "deadline_at",
  "cancel_requested_at",
  "available_at",
  "failure_reason",
  "cancel_reason",
  "priority_rank"
])

const completion = (task: TaskRow, patch: TaskPatch, queue: string, now: number): Columns =>
  queue !== "done" && task.queue === "done"
    ? { completed_at: null }
    : queue === "done" && task.queue !== "done"
    ? { completed_at: column(patch.completed_at) ?? now }
    : "completed_at" in patch && (queue !== "done" || patch.completed_at)
    ? { completed_at: column(patch.completed_at) }
    : {}

/** Where a task that now needs somebody's attention was when it came up. */
const cause = (task: TaskRow, queue: string): Columns =>
  queue !== intervention || task.queue === intervention || task.claimed_from === intervention
    ? {}
    : { intervention_from: task.queue }

const current = (task: TaskRow, name: string): string | number | null =>
  name === "metadata"
    ? task.metadata === null ? null : JSON.stringify(task.metadata)
    : name === "priority_rank"
    ? rank(task.priority)
    : column(task[name as keyof TaskRow])

/** What a PATCH has to be planned against. */
export interface Situation extends Terms {
  /** The blockers the task waits for. */
  readonly waitsFor: ReadonlyArray<string>
  /** What its flow says, if that is registered. */
  readonly rules: Rules | undefined
}

const nothing: Patched = { columns: {}, protocol: false, changes: {}, blockers: undefined }

/**
 * Plans a PATCH of `task`. Fails with `InvalidTask` when it asks for `done`, for a queue its flow does not have, for too
 * long a lease or for too many blockers; with `NotLeased` when it renews a lease that nobody holds; with `TaskBlocked`
 * when it gives a blocked task to somebody.
 */
export const plan = (
  task: TaskRow,
  asked: TaskPatch,
  { attemptSeconds, forced, leaseMillis, now, rules, waitsFor }: Situation
): Patched | InvalidTask | NotLeased | TaskBlocked => {
  const ending = !forced && endsLease(asked)
  if (ending && isOutdated(task, asked)) return nothing
  const patch = ending && asked.attempt_count != null
    ? { ...asked, attempt_count: Math.max(asked.attempt_count, task.attempt_count) }
    : asked
  if (patch.queue === "done" && task.queue !== "done" && !forced) return InvalidTask.doneByPatch()
  if (patch.queue != null && patch.queue !== task.queue) {
    const problem = invalidQueue(patch.queue, patch.flow || task.flow, rules)
    if (problem !== undefined) return InvalidTask.queue(problem)
  }
  const blockers = "blocked_by" in patch ? parseBlockers(patch.blocked_by) : undefined
  if (blockers?.includes(task.id)) return InvalidTask.blockedByItself(task.id)
  if ((blockers?.length ?? 0) > MaxBlockers) return InvalidTask.tooManyBlockers(MaxBlockers)
  const lease = leaseColumns(task, patch, { attemptSeconds, forced, leaseMillis, now })
  const blocked = blockers === undefined ? task.blocked_by !== null : blockers.length > 0
  const problem = leaseProblem(task, patch, lease, blocked, now)
  if (problem !== undefined) return problem
  const wanted: Columns = {
    ...described(task, patch),
    ...lease,
    ...cause(task, String(lease.queue)),
    ...completion(task, patch, String(lease.queue), now)
  }
  const columns = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== current(task, name)))
  const changes: Record<string, ReadonlyArray<Schema.Json>> = Object.fromEntries(
    Object.entries(columns)
      .filter(([name]) => !bodies.has(name) && !internal.has(name))
      .map(([name, value]) => [name, [told(name, current(task, name)), told(name, value)]])
  )
  // A task shows what it still waits for, so whoever sends that back as it was shown changes nothing.
  const waits = blockers !== undefined
    && ![waitsFor, parseBlockers(task.blocked_by)].some((known) => known.join(",") === blockers.join(","))
  if (waits) changes.blocked_by = [waitsFor.join(",") || null, blockers.join(",") || null]
  return {
    columns,
    protocol: waits || Object.keys(columns).some((name) => protocolColumns.has(name)),
    changes,
    blockers: waits ? blockers : undefined
  }
}

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

/** The fields that are written as they come, and those that cannot be cleared: null means their default. */
const plain = [
  "title",
  "complexity",
  "role",
  "type",
  "content",
  "turns_used",
  "plan_id",
  "pr_number",
  "pr_url",
  "checks",
  "check_results",
  "last_rebase_attempt_at",
  "staging_url",
  "submitted_at",
  "execution_notes",
  "hooks",
  "flow_overrides",
  "external_key",
  "max_attempt_seconds",
  "max_attempts",
  "max_lease_losses",
  "max_rejections"
] as const
const defaulted = {
  commits_count: 0,
  attempt_count: 0,
  rejection_count: 0,
  has_plan: 0,
  auto_accept: 0,
  needs_rebase: 0,
  needs_intervention: 0,
  flow: "default",
  priority: DefaultPriority
} as const

/** The columns of what the PATCH says about the task, apart from where it is and who holds it. */
export const described = (task: TaskRow, patch: TaskPatch): Columns => {
  const columns: Columns = {}
  for (const field of plain) if (field in patch) columns[field] = column(patch[field])
  for (const [field, fallback] of Object.entries(defaulted)) {
    if (field in patch) columns[field] = column(patch[field as keyof typeof defaulted]) ?? fallback
  }
  if ("title" in patch) columns.title = patch.title || task.id
  if ("priority" in patch) columns.priority_rank = rank(String(columns.priority))
  if ("branch" in patch) columns.branch = patch.branch || task.branch
  if ("project_id" in patch) columns.project_id = patch.project_id || null
  if ("metadata" in patch) columns.metadata = patch.metadata === null ? null : JSON.stringify(patch.metadata)
  // Where clients say why a check failed. Their notes, when they send any, say it better.
  if (patch.context && !("execution_notes" in patch)) columns.execution_notes = patch.context
  return columns
}

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
