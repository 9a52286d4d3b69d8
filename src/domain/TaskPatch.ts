/**
 * What a PATCH makes of a task. Clients of the old server move tasks by PATCH and set claim fields by hand, so what would
 * leave a contradiction is repaired where it can be. Refused is only what no repair makes true: `done` without an accept,
 * a lease on a task that is blocked or done, and a renewal of no lease.
 */
import type * as Schema from "effect/Schema"
import { DefaultPriority, rank } from "./Priority.ts"
import type { TaskRow } from "./Task.ts"
import { InvalidTask, type NotLeased, type TaskBlocked } from "./TaskErrors.ts"
import type { TaskPatch } from "./TaskInput.ts"
import { column, type Columns, leaseColumns, leaseProblem } from "./TaskPlacement.ts"

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

/** The blockers a caller names in `blocked_by`. */
export const parseBlockers = (blocked_by: string | null | undefined): ReadonlyArray<string> => [
  ...new Set((blocked_by ?? "").split(",").map((id) => id.trim()).filter((id) => id !== ""))
]

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
  "completed_at"
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
const internal: ReadonlySet<string> = new Set(["claimed_from", "lapsed_token", "grants", "priority_rank"])

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
  "flow_overrides"
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

const describe = (task: TaskRow, patch: TaskPatch): Columns => {
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
  return columns
}

const completion = (task: TaskRow, patch: TaskPatch, queue: string): Columns =>
  queue !== "done" && task.queue === "done"
    ? { completed_at: null }
    : "completed_at" in patch && (queue !== "done" || patch.completed_at)
    ? { completed_at: column(patch.completed_at) }
    : {}

const current = (task: TaskRow, name: string): string | number | null =>
  name === "metadata"
    ? task.metadata === null ? null : JSON.stringify(task.metadata)
    : name === "priority_rank"
    ? rank(task.priority)
    : column(task[name as keyof TaskRow])

/** The blockers a task may be given at once. */
export const MaxBlockers = 100

/**
 * Plans a PATCH of `task`, which waits for `waitsFor`, at the time `now`, in milliseconds. Fails with `InvalidTask` when
 * it asks for `done`, for too long a lease or for too many blockers; with `NotLeased` when it renews a lease that nobody
 * holds; with `TaskBlocked` when it gives a blocked task to somebody.
 */
export const plan = (
  task: TaskRow,
  waitsFor: ReadonlyArray<string>,
  patch: TaskPatch,
  now: number,
  leaseMillis: number
): Patched | InvalidTask | NotLeased | TaskBlocked => {
  if (patch.queue === "done" && task.queue !== "done") return InvalidTask.doneByPatch()
  const blockers = "blocked_by" in patch ? parseBlockers(patch.blocked_by) : undefined
  if (blockers?.includes(task.id)) return InvalidTask.blockedByItself(task.id)
  if ((blockers?.length ?? 0) > MaxBlockers) return InvalidTask.tooManyBlockers(MaxBlockers)
  const lease = leaseColumns(task, patch, now, leaseMillis)
  const blocked = blockers === undefined ? task.blocked_by !== null : blockers.length > 0
  const problem = leaseProblem(task, patch, lease, blocked, now)
  if (problem !== undefined) return problem
  const wanted: Columns = { ...describe(task, patch), ...lease, ...completion(task, patch, String(lease.queue)) }
  const columns = Object.fromEntries(Object.entries(wanted).filter(([name, value]) => value !== current(task, name)))
  const changes: Record<string, ReadonlyArray<Schema.Json>> = Object.fromEntries(
    Object.entries(columns)
      .filter(([name]) => !bodies.has(name) && !internal.has(name))
      .map(([name, value]) => [name, [current(task, name), value]])
  )
  const waits = blockers !== undefined && blockers.join(",") !== waitsFor.join(",")
  if (waits) changes.blocked_by = [waitsFor.join(",") || null, blockers.join(",") || null]
  return {
    columns,
    protocol: waits || Object.keys(columns).some((name) => protocolColumns.has(name)),
    changes,
    blockers: waits ? blockers : undefined
  }
}
