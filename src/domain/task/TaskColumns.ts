/** The columns that describe a task, as a PATCH writes them. */
import { DefaultPriority, rank } from "./Priority.ts"
import type { TaskRow } from "./Task.ts"
import type { TaskPatch } from "./TaskInput.ts"
import { column, type Columns } from "./TaskPatch.ts"

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
