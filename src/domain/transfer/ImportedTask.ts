/** A task of another server, and its state in this one. It keeps its lease only if that has not expired. */
import * as Schema from "effect/Schema"
import { MaxBlockers, parseBlockers } from "../dependency/Dependency.ts"
import { integer, natural } from "../Encoding.ts"
import { OrchestratorId, ProjectId, QueueName, TaskId } from "../Identifier.ts"
import { MaxLeaseSeconds } from "../lease/Lease.ts"
import { Never } from "../lease/Question.ts"
import { capOf, caps, microOf, milliOf } from "../record/Usage.ts"
import {
  ContentText,
  filled,
  Label,
  Line,
  LongText,
  MaxLine,
  MaxLong,
  MaxShort,
  ReasonText,
  ShortText,
  sizedJson,
  sizedJsonText
} from "../Size.ts"
import { Commit, EvidenceList, evidenceText } from "../task/Evidence.ts"
import { DefaultPriority, rank } from "../task/Priority.ts"
import type { Columns } from "../task/Task.ts"
import { ImportedFlag, importedSums, ImportedTime, importedTokens, optional } from "./ImportedRecords.ts"

const label = optional(Label)
const line = optional(Line)
const count = optional(natural)
const flag = optional(ImportedFlag)
const time = optional(ImportedTime)

/** Fields that are written as they come. */
const plain = {
  complexity: label,
  role: label,
  type: label,
  content: optional(ContentText),
  project_id: optional(ProjectId),
  last_rejection_reason: optional(ReasonText),
  turns_used: count,
  check_results: optional(sizedJsonText(MaxLong)),
  execution_notes: optional(LongText),
  submitted_at: time,
  pr_number: optional(integer),
  pr_url: line,
  checks: optional(sizedJsonText(MaxShort)),
  staging_url: line,
  plan_id: label,
  last_rebase_attempt_at: time,
  hooks: optional(sizedJsonText(MaxLong)),
  flow_overrides: optional(sizedJsonText(MaxShort)),
  submitted_by: label,
  submitted_orchestrator_id: optional(OrchestratorId),
  head_commit: optional(Commit),
  session_url: line,
  resume_command: line,
  session_token: count
}

/** Counters that every task has; 0 unless the record has them. */
const counted = {
  attempt_count: count,
  rejection_count: count,
  lease_losses: count,
  commits_count: count,
  review_round: count,
  needs_intervention: flag,
  has_plan: flag,
  auto_accept: flag,
  needs_rebase: flag,
  needs_breakdown: flag,
  terminal: flag,
  ...importedTokens
}

export const ImportedTask = Schema.Struct({
  ...plain,
  ...counted,
  id: TaskId,
  file_path: filled(MaxLine),
  title: line,
  queue: QueueName,
  version: count,
  priority: label,
  branch: line,
  blocked_by: optional(ShortText),
  claimed_by: label,
  claimed_at: time,
  orchestrator_id: optional(OrchestratorId),
  lease_expires_at: time,
  fencing_token: count,
  completed_at: time,
  waiting_for_reply: label,
  flow: label,
  metadata: optional(sizedJson(MaxLong)),
  evidence: optional(EvidenceList),
  ...caps("the task"),
  ...importedSums,
  created_at: ImportedTime,
  updated_at: time
})
export type ImportedTask = typeof ImportedTask.Type

/** The queue and the holder. A holder without a valid lease on the other server does not hold the task here. */
const placement = (task: ImportedTask, now: number): Columns => {
  const isHeld = task.claimed_by !== undefined && (task.lease_expires_at ?? 0) > now
    && (task.queue === "claimed" || task.queue === "provisional")
  const origin = task.queue === "claimed" ? "incoming" : task.queue
  return isHeld
    ? {
      queue: task.queue,
      claimed_by: task.claimed_by ?? null,
      claimed_at: task.claimed_at ?? task.updated_at ?? task.created_at,
      claimed_from: origin,
      orchestrator_id: task.orchestrator_id ?? null,
      lease_expires_at: Math.min(task.lease_expires_at ?? 0, now + MaxLeaseSeconds * 1000)
    }
    : {
      queue: origin,
      claimed_by: null,
      claimed_at: null,
      claimed_from: null,
      orchestrator_id: null,
      lease_expires_at: null
    }
}

/** The columns of the task's row. Its version and its token are the smallest that it may have here. */
export const columnsOf = (task: ImportedTask, now: number): Columns => {
  const updated_at = task.updated_at ?? task.created_at
  const priority = task.priority ?? DefaultPriority
  return {
    ...Object.fromEntries(Object.keys(plain).map((name) => [name, task[name as keyof typeof plain] ?? null])),
    ...Object.fromEntries(Object.keys(counted).map((name) => [name, task[name as keyof typeof counted] ?? 0])),
    id: task.id,
    file_path: task.file_path,
    title: task.title ?? task.id,
    priority,
    priority_rank: rank(priority),
    branch: task.branch ?? "main",
    flow: task.flow ?? "default",
    metadata: task.metadata === undefined ? null : JSON.stringify(task.metadata),
    cost_usd: microOf(task.cost_usd ?? 0),
    wall_seconds: milliOf(task.wall_seconds ?? 0),
    max_cost_usd: capOf(task.max_cost_usd),
    max_tokens: task.max_tokens ?? null,
    evidence: task.evidence === undefined ? null : evidenceText(task.evidence),
    completed_at: task.completed_at ?? (task.queue === "done" ? updated_at : null),
    created_at: task.created_at,
    updated_at,
    // Its question is imported under the same id, so the reply frees it here.
    question_id: task.waiting_for_reply ?? null,
    available_at: task.waiting_for_reply === undefined || task.claimed_by !== undefined ? null : Never,
    ...placement(task, now),
    version: Math.max(1, task.version ?? 1),
    fencing_token: Math.max(1, task.fencing_token ?? 1)
  }
}

/** The blockers of the task, or why it cannot have them. */
export const blockersOf = (task: ImportedTask): ReadonlyArray<string> | string => {
  const blockers = parseBlockers(task.blocked_by)
  return blockers.includes(task.id)
    ? "blocked_by: a task cannot wait for itself."
    : blockers.length > MaxBlockers
    ? `blocked_by: a task waits for ${MaxBlockers} others at most.`
    : blockers
}
