/** The history of a task: one entry for each version. It outlives the task. */
import * as Schema from "effect/Schema"
import { describe, JsonColumn, Time, TimeColumn } from "../Encoding.ts"
import { MaxReason } from "../Excerpt.ts"
import { QueueName, ScopeName, TaskId } from "../Identifier.ts"
import { contentParameter, wholeParameters } from "../Page.ts"

const fields = <T extends Schema.Top, J extends Schema.Top>(time: T, json: J) => ({
  task_id: TaskId,
  scope: ScopeName,
  version: Schema.Int.pipe(describe("The version of the task after the change.")),
  event: Schema.String.pipe(
    describe("What happened: created, claimed, submitted, accepted, lease_expired, patched, unblocked, deleted …")
  ),
  from_queue: Schema.NullOr(QueueName).pipe(describe("The queue of the task before; null at its creation.")),
  to_queue: Schema.NullOr(QueueName).pipe(describe("The queue of the task afterwards; null at its deletion.")),
  actor: Schema.NullOr(Schema.String).pipe(describe("The actor, or the holder of the lease.")),
  reason: Schema.NullOr(Schema.String).pipe(
    describe(`Why, in the words of the caller: ${MaxReason} characters of it, and \`…\` where it was cut.`)
  ),
  details: Schema.NullOr(json).pipe(describe("Further details of the change.")),
  at: time
})

export const HistoryEntry = Schema.Struct(fields(Time, Schema.Json)).annotate({ identifier: "HistoryEntry" })
export type HistoryEntry = typeof HistoryEntry.Type

export const historyParameters = { ...wholeParameters, ...contentParameter("`details`, which is null then") }
const HistoryQuery = Schema.Struct(historyParameters)
export type HistoryQuery = typeof HistoryQuery.Type

export const HistoryRow = Schema.Struct(fields(TimeColumn, JsonColumn))
