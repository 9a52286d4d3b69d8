/** A record as an export has it, and whether the server can read the values in its columns. */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import { ApiKeyRow } from "../access/ApiKey.ts"
import { DependencyRow } from "../dependency/Dependency.ts"
import { JsonColumn, TimeColumn } from "../Encoding.ts"
import { excerpt } from "../Excerpt.ts"
import { FlowRow } from "../flow/Flow.ts"
import { ScopeName, TaskId } from "../Identifier.ts"
import { OrchestratorRow } from "../machine/Orchestrator.ts"
import { RoleRow } from "../machine/Role.ts"
import { ActionRow } from "../record/Action.ts"
import { DraftRow } from "../record/Draft.ts"
import { MessageRow } from "../record/Message.ts"
import { ProjectRow } from "../record/Project.ts"
import { capFields, MoneyColumn, SecondsColumn, sumFields } from "../record/Usage.ts"
import { HistoryRow } from "../task/History.ts"
import { TaskRow } from "../task/Task.ts"

export interface StoredRecord {
  /** The table it is from. */
  readonly kind: string
  /** Its columns. */
  readonly record: Readonly<Record<string, unknown>>
}

const { queue: _queue, ...edge } = DependencyRow.fields
// They are computed from other columns.
const { fencing_token: _token, waiting_for_reply: _wait, ...task } = TaskRow.fields

// The limits of the attempt that a lease was granted for.
const limits = { loss_limit: Schema.NullOr(Schema.Int), attempt_limit: Schema.NullOr(Schema.Int) }

/** What was used. */
const sums = sumFields(MoneyColumn, SecondsColumn)

/** The columns of each table: those of the rows in answers, and further stored ones. */
export const tables: Readonly<Record<string, Readonly<Record<string, Schema.Top>>>> = {
  flows: { ...FlowRow.fields, rules: JsonColumn },
  roles: RoleRow.fields,
  projects: { ...ProjectRow.fields, ...sums },
  tasks: { ...task, priority_rank: Schema.Int, named_holder: Schema.NullOr(Schema.String), ...limits },
  dependencies: { ...edge, scope: ScopeName, task_id: TaskId, blocker_key: Schema.String, position: Schema.Int },
  history: {
    ...HistoryRow.fields,
    grants: Schema.Int,
    seq: Schema.NullOr(Schema.Int),
    title: Schema.NullOr(Schema.String),
    project_id: Schema.NullOr(Schema.String)
  },
  orchestrators: OrchestratorRow.fields,
  drafts: DraftRow.fields,
  messages: { ...MessageRow.fields, replied: Schema.Int },
  actions: ActionRow.fields,
  idempotency_keys: { id: Schema.String, fingerprint: Schema.String, answer: JsonColumn, at: TimeColumn },
  usage: { scope: ScopeName, day: Schema.Int, ...sums, models: JsonColumn, ...capFields(MoneyColumn) },
  usage_caps: { scope: ScopeName, ...capFields(MoneyColumn) },
  api_keys: { ...ApiKeyRow.fields, hash: Schema.String, issued_until: Schema.NullOr(TimeColumn) }
}

// The database has a value of its own for these.
const defaulted = new Set([
  ...Object.keys(sums),
  "attempt_count",
  "auto_accept",
  "commits_count",
  "grants",
  "has_plan",
  "lease_losses",
  "needs_breakdown",
  "needs_intervention",
  "needs_rebase",
  "on_failure",
  "rank",
  "rejection_count",
  "replied",
  "review_round",
  "terminal"
])

const readers = new Map(
  Object.entries(tables).map(([kind, columns]) => [
    kind,
    new Map(
      Object.entries(columns).map(([column, schema]) => [
        column,
        Schema.decodeUnknownExit(schema as Schema.Codec<unknown, unknown>)
      ])
    )
  ])
)

// The database stores nothing else.
const isStored = (value: unknown) => value === null || typeof value === "string" || Number.isSafeInteger(value)

/** The problem with the first column that the server could not read, or undefined. */
export const problemOf = ({ kind, record }: StoredRecord): string | undefined => {
  const columns = readers.get(kind)
  for (const column of Object.keys(record)) {
    if (columns?.has(column) !== true) return `has no column of ${kind}: ${column}.`
  }
  for (const [column, read] of columns ?? []) {
    const value = record[column] ?? null
    if (isStored(value) && Exit.isSuccess(read(value))) continue
    if (record[column] !== undefined) {
      return `cannot be read back: ${column} is ${excerpt(JSON.stringify(value), 100)}.`
    }
    if (!defaulted.has(column)) return `lacks ${column}.`
  }
  return undefined
}
