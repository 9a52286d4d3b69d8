/** Taking everything out of a scope, or of the server: what is exported, in which order, and how it is paged. */
import * as Schema from "effect/Schema"
import { describe, integerParameter } from "../Encoding.ts"

/** What is exported of a scope, in this order, and how many columns make the key each is paged by. */
const keyLengths = {
  flows: 2,
  roles: 2,
  // With their edges and history.
  tasks: 1,
  // After the tasks, so that one which was made meanwhile does not lack its project.
  projects: 1,
  orchestrators: 2,
  drafts: 1,
  messages: 1,
  actions: 1,
  idempotency_keys: 1,
  api_keys: 1
}
export type ExportKind = keyof typeof keyLengths
export const exportKinds = Object.keys(keyLengths) as ReadonlyArray<ExportKind>

/** What belongs to no scope, or opens one: only whoever exports the whole server gets it. */
export const wholeOnly: ReadonlyArray<ExportKind> = ["idempotency_keys", "api_keys"]

/**
 * Where a page begins: after the record of the kind that has this key, or with its first. Within a long history: after which
 * version of which task, and at which version it ends, as it was when the task was read.
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
      describe("Where to go on: the `next_cursor` of the page before. Without one it begins.")
    )
  ),
  limit: Schema.optionalKey(
    integerParameter({ minimum: 1, maximum: 500 }).pipe(
      describe(
        "How many records a page holds at most, tasks with what they wait for and their history: 200 unless given. It holds fewer when they are long, and a long history goes on on the next one."
      )
    )
  )
}

export const ExportPage = Schema.Struct({
  scope: Schema.NullOr(Schema.String).pipe(describe("The scope that is exported; null when it is the whole server.")),
  records: Schema.Array(Schema.Struct({
    kind: Schema.Literals([...exportKinds, "dependencies", "history"]).pipe(describe("The table it is from.")),
    record: Schema.Record(Schema.String, Schema.Unknown).pipe(
      describe("Its columns, as they are stored: instants are milliseconds since 1970, flags 0 or 1.")
    )
  })).pipe(describe("The records, by kind and key. A page may have none.")),
  next_cursor: Schema.NullOr(Schema.String).pipe(describe("Where the next page begins; null after the last."))
})
export type ExportPage = typeof ExportPage.Type
