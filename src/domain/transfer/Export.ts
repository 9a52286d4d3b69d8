/** The export of a scope or the whole server: which kinds of records, in which order, and by which keys it is paged. */
import * as Schema from "effect/Schema"
import { describe, integerParameter } from "../Encoding.ts"

/** The kinds of records in the order of the export, and how many columns are in the key of each. */
const keyLengths = {
  flows: 2,
  roles: 2,
  // With their dependencies and history.
  tasks: 1,
  // After the tasks. So a task that is created during the export does not lack its project.
  projects: 1,
  orchestrators: 2,
  drafts: 1,
  messages: 1,
  actions: 1,
  usage: 2,
  usage_caps: 1,
  idempotency_keys: 1,
  api_keys: 1
}
export type ExportKind = keyof typeof keyLengths
export const exportKinds = Object.keys(keyLengths) as ReadonlyArray<ExportKind>

/** These belong to no scope, or give access to one. Only an export of the whole server has them. */
export const wholeOnly: ReadonlyArray<ExportKind> = ["idempotency_keys", "api_keys"]

/**
 * Where a page begins: after the record of this kind with this key, or at the first record. Within a long history:
 * after which version of which task, and at which version the history ends, which is fixed when the task is read.
 */
export const ExportCursor = Schema.Tuple([
  Schema.Literals(exportKinds),
  Schema.Array(Schema.Union([Schema.String, Schema.Finite]))
]).check(Schema.makeFilter(
  ([kind, key]) =>
    key.length === 0 || key.length === keyLengths[kind]
    || (kind === "tasks" && key.length === 3 && key.slice(1).every((version) => typeof version === "number")),
  { expected: "a cursor of this server" }
))
export type ExportCursor = typeof ExportCursor.Type

export const exportParameters = {
  cursor: Schema.optionalKey(
    Schema.fromJsonString(ExportCursor).pipe(
      describe("The `next_cursor` of the page before. Without it the export begins.")
    )
  ),
  limit: Schema.optionalKey(
    integerParameter({ minimum: 1, maximum: 500 }).pipe(
      describe(
        "How many records a page holds at most, with the dependencies and history of tasks: 200 unless given. A page of long records holds fewer, and a long history continues on the next page."
      )
    )
  )
}

export const ExportPage = Schema.Struct({
  scope: Schema.NullOr(Schema.String).pipe(describe("The scope of the export; null for the whole server.")),
  records: Schema.Array(Schema.Struct({
    kind: Schema.Literals([...exportKinds, "dependencies", "history"]).pipe(describe("The table it is from.")),
    scope: Schema.optionalKey(
      Schema.String.pipe(
        describe("The scope of an idempotency key, on Durable Objects: its record has no column for it.")
      )
    ),
    record: Schema.Record(Schema.String, Schema.Unknown).pipe(
      describe("Its columns, as they are stored: instants are milliseconds since 1970, flags 0 or 1.")
    )
  })).pipe(describe("The records, by kind and key. A page may have none.")),
  next_cursor: Schema.NullOr(Schema.String).pipe(describe("Where the next page begins; null after the last."))
})
export type ExportPage = typeof ExportPage.Type
