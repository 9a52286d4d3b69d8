/**
 * What a PATCH makes of a task. Clients of the old server move tasks by PATCH and set claim fields by hand, so what would
 * leave a contradiction is repaired where it can be. Refused is only what no repair makes true: `done` without an accept,
 * a lease on a task that is blocked or done, and a renewal of no lease.
 */
import type * as Schema from "effect/Schema"
import { MaxBlockers, parseBlockers } from "../dependency/Dependency.ts"
import { invalidQueue, type Rules } from "../flow/FlowRules.ts"
import { InvalidTask } from "./InvalidTask.ts"
import { rank } from "./Priority.ts"
import { endsLease, isOutdated } from "./StalePatch.ts"
import type { TaskRow } from "./Task.ts"
import { described } from "./TaskColumns.ts"
import { type NotLeased, type TaskBlocked } from "./TaskErrors.ts"
import type { TaskPatch } from "./TaskInput.ts"
import { column, type Columns, leaseColumns, leaseProblem, type Terms, told } from "./TaskPlacement.ts"
import { intervention } from "./Moves.ts"

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
