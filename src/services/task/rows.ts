/** Decodes rows: tasks, their history, counters and the rules of flows. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { FlowRules } from "../../domain/flow/FlowRules.ts"
import { endsByPatch } from "../../domain/lease/LeasePatch.ts"
import * as Evidence from "../../domain/task/Evidence.ts"
import { HistoryRow } from "../../domain/task/History.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import type { Row } from "../../sql/Batch.ts"

const decodeRow = Schema.decodeUnknownEffect(TaskRow)
const decodeHistoryRows = Schema.decodeUnknownEffect(Schema.Array(HistoryRow))
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(TaskRow))

const marked = (row: typeof TaskRow.Type): TaskRow =>
  row.evidence == null
    ? row as TaskRow
    : { ...row, evidence: Evidence.marked(row.evidence, row.head_commit) }

// If a row does not decode, the server is at fault, not the caller: a defect.
export const decodeTask = (row: unknown) => Effect.map(Effect.orDie(decodeRow(row)), marked)
export const decodeTasks = (rows: unknown) => Effect.map(Effect.orDie(decodeRows(rows)), (all) => all.map(marked))
export const decodeHistory = (rows: unknown) => Effect.orDie(decodeHistoryRows(rows))

/** Whether a task of the answer is held. A renewal then changes the answer, although it is no change of the task. */
export const someLeased = ({ rows }: { readonly rows: ReadonlyArray<Row> }) =>
  rows.some(({ claimed_by }) => claimed_by != null)

/** The first row as a task, or undefined when there is none. */
export const firstTask = (rows: ReadonlyArray<unknown> | undefined) =>
  rows?.[0] === undefined ? Effect.undefined : decodeTask(rows[0])

/**
 * The task as an answer shows it. Clients of the old server send a `claimed_by` with `failed`, and expect it back,
 * although such a task has no lease.
 */
export const answered = (task: TaskRow): TaskRow =>
  task.claimed_by === null && task.named_holder && endsByPatch.has(task.queue)
    ? { ...task, claimed_by: task.named_holder }
    : task

/** The counters of a scope, without empty queues. A scope that never had a task has no counters. */
export const decodeCounts = (counts: unknown): Record<string, number> =>
  Object.fromEntries(
    Object.entries(JSON.parse(typeof counts === "string" ? counts : "{}") as Record<string, number>)
      .filter(([, n]) => n !== 0)
  )

/** The rules of a flow from its row, or undefined if the flow is not registered. */
export const decodeRules = (rules: unknown): FlowRules | undefined =>
  typeof rules === "string" ? JSON.parse(rules) as FlowRules : undefined
