/** Checks that the server can read the values in the columns of a record. */
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Line } from "../../../src/cli/transfer/Dump.ts"
import { ApiKeyRow } from "../../../src/domain/access/ApiKey.ts"
import { DependencyRow } from "../../../src/domain/dependency/Dependency.ts"
import { JsonColumn, TimeColumn } from "../../../src/domain/Encoding.ts"
import { excerpt } from "../../../src/domain/Excerpt.ts"
import { FlowRow } from "../../../src/domain/flow/Flow.ts"
import { ScopeName, TaskId } from "../../../src/domain/Identifier.ts"
import { OrchestratorRow } from "../../../src/domain/machine/Orchestrator.ts"
import { RoleRow } from "../../../src/domain/machine/Role.ts"
import { ActionRow } from "../../../src/domain/record/Action.ts"
import { DraftRow } from "../../../src/domain/record/Draft.ts"
import { MessageRow } from "../../../src/domain/record/Message.ts"
import { ProjectRow } from "../../../src/domain/record/Project.ts"
import { capFields, MoneyColumn, SecondsColumn, sumFields } from "../../../src/domain/record/Usage.ts"
import { HistoryRow } from "../../../src/domain/task/History.ts"
import { TaskRow } from "../../../src/domain/task/Task.ts"

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
export const problemOf = ({ kind, record }: Line): string | undefined => {
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
