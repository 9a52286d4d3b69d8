/**
 * Plans a PATCH. Clients of the old server move tasks by PATCH and set claim fields by hand. Contradictions are
 * repaired where possible. Only what cannot be repaired is refused: `done` without an accept, a lease on a blocked or
 * finished task, and the renewal of a lease that nobody has.
 */
import * as DateTime from "effect/DateTime"
import type * as Schema from "effect/Schema"
import { MaxBlockers, parseBlockers } from "../dependency/Dependency.ts"
import { invalidQueue, type Rules } from "../flow/FlowRules.ts"
import { leaseColumns, leaseProblem, type Terms } from "../lease/LeasePatch.ts"
import { capOf } from "../record/Usage.ts"
import { cut, MaxLine } from "../Size.ts"
import { intervention } from "./Moves.ts"
import { DefaultPriority, rank } from "./Priority.ts"
import { column, type Columns, type TaskRow } from "./Task.ts"
import { InvalidTask, type NotLeased, type TaskBlocked } from "./TaskErrors.ts"
import type { TaskPatch } from "./TaskInput.ts"

export interface Patched {
  /** The columns that change. Empty if the task already is as the PATCH wants it. */
  readonly columns: Columns
  /** Whether the change concerns the protocol (queue, lease, counters, blockers) and not only the description. */
  readonly protocol: boolean
  /** The changed fields, old and new, for the history. Long texts are left out. */
  readonly changes: Record<string, ReadonlyArray<Schema.Json>>
  /** The new blockers, if they change. */
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
  "max_rejections",
  "max_cost_usd",
  "max_tokens"
])

// Too long or too private for every history entry. The row has them.
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

/** The queue in which a task was when its intervention became necessary. */
const cause = (task: TaskRow, queue: string): Columns =>
  queue !== intervention || task.queue === intervention || task.claimed_from === intervention
    ? {}
    : { intervention_from: task.queue }

const current = (task: TaskRow, name: string): string | number | null =>
  name === "metadata"
    ? task.metadata === null ? null : JSON.stringify(task.metadata)
    : name === "priority_rank"
    ? rank(task.priority)
    : name === "max_cost_usd"
    ? capOf(task.max_cost_usd)
    : column(task[name as keyof TaskRow])

/** What the plan depends on besides the task and the PATCH. */
export interface Situation extends Terms {
  /** The present blockers of the task. */
  readonly waitsFor: ReadonlyArray<string>
  /** The rules of its flow, if that is registered. */
  readonly rules: Rules | undefined
}

const nothing: Patched = { columns: {}, protocol: false, changes: {}, blockers: undefined }

/**
 * Plans a PATCH of `task`. Fails with `InvalidTask` if it asks for `done`, for a queue that its flow does not have, for
 * a lease that is too long or for too many blockers; with `NotLeased` if it renews a lease that nobody has; with
 * `TaskBlocked` if it gives a blocked task to someone.
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
      .map(([name, value]) => [name, [forHistory(name, current(task, name)), forHistory(name, value)]])
  )
  // A task shows its unmet blockers only. A client that sends these back changes nothing.
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

/** A value for the history: money in dollars, times as text, and of a long text the beginning. */
export const forHistory = (name: string, value: string | number | null) =>
  typeof value === "number"
    ? name === "max_cost_usd"
      ? value / 1_000_000
      : name.endsWith("_at")
      ? DateTime.formatIso(DateTime.makeUnsafe(value))
      : value
    : value && cut(value, MaxLine)

/** Fields that are written as they come, and fields that cannot be cleared: null means their default. */
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
  "max_rejections",
  "max_tokens"
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

/** The columns that describe the task, apart from its queue and its lease. */
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
  if ("max_cost_usd" in patch) columns.max_cost_usd = capOf(patch.max_cost_usd)
  if ("metadata" in patch) columns.metadata = patch.metadata === null ? null : JSON.stringify(patch.metadata)
  // Clients say here why a check failed. `execution_notes`, if they send any, come first.
  if (patch.context && !("execution_notes" in patch)) columns.execution_notes = patch.context
  return columns
}

const expiryFields = ["attempt_count", "claimed_by", "lease_expires_at", "needs_intervention", "queue"]

/** Whether this is the PATCH by which clients take back an expired lease, as they last saw it. */
export const takesBack = (patch: TaskPatch): boolean =>
  Object.keys(patch).filter((field) => field !== "scope").toSorted().join() === expiryFields.join()
  && patch.queue === "incoming" && patch.claimed_by === null && patch.lease_expires_at === null
  && patch.needs_intervention === false

const endingFields = new Set([...expiryFields, "scope"])

/** Whether the PATCH only ends a lease, and names the next queue. */
export const endsLease = (patch: TaskPatch): boolean =>
  Object.keys(patch).every((field) => endingFields.has(field)) && patch.queue != null
  && patch.claimed_by === null && patch.lease_expires_at === null

/**
 * Whether the PATCH comes too late. Clients end leases from lists that may be old. A task that is done by then stays
 * done, a rejected review stays rejected, and counters are not set back.
 */
export const isOutdated = (task: TaskRow, { queue }: TaskPatch): boolean =>
  task.queue === "done" || (queue === "provisional" && (task.queue === "incoming" || task.queue === "claimed"))
