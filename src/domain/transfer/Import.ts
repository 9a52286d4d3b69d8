/** The import of records of another server into a scope: the request and its answer. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, FlagInput, listOf, maybe } from "../Encoding.ts"
import { ScopeName } from "../Identifier.ts"

/** The kinds of records. A record refers only to kinds before its own. */
export const importKinds = [
  "flows",
  "roles",
  "orchestrators",
  "projects",
  "drafts",
  "tasks",
  "messages",
  "actions"
] as const
export const ImportKind = Schema.Literals(importKinds)
export type ImportKind = typeof ImportKind.Type

/** How many records of a kind a request may carry. */
export const MaxRecords = 100

// A record that does not fit is a conflict and does not refuse the request. So each record is decoded later, by itself.
const records = (description: string) =>
  Schema.optionalKey(
    listOf(Schema.Unknown, MaxRecords).pipe(
      describe(`${description} At most ${MaxRecords}, as the other server lists them.`)
    )
  )

export const ImportBatch = Schema.Struct({
  dry_run: maybe(FlagInput, "Whether to write nothing, and to report what an import would do."),
  flows: records("Flows."),
  roles: records("Roles."),
  orchestrators: records("Orchestrators."),
  projects: records("Projects."),
  drafts: records("Drafts. They keep their numbers."),
  tasks: records("Tasks, in any order."),
  messages: records("Messages, oldest first."),
  actions: records("Actions, oldest first.")
}).annotate({ identifier: "ImportBatch" })
export type ImportBatch = typeof ImportBatch.Type

export const ImportConflict = Schema.Struct({
  kind: ImportKind.pipe(describe("The kind of the record.")),
  id: Schema.String.pipe(describe("The record's id or name; `#3` if the fourth record of its list has none.")),
  error: ErrorText
}).annotate({ identifier: "ImportConflict" })
export type ImportConflict = typeof ImportConflict.Type

const counts = (what: string) =>
  Schema.Struct({
    flows: Schema.Int.pipe(describe(`Flows ${what}.`)),
    roles: Schema.Int.pipe(describe(`Roles ${what}.`)),
    orchestrators: Schema.Int.pipe(describe(`Orchestrators ${what}.`)),
    projects: Schema.Int.pipe(describe(`Projects ${what}.`)),
    drafts: Schema.Int.pipe(describe(`Drafts ${what}.`)),
    tasks: Schema.Int.pipe(describe(`Tasks ${what}.`)),
    messages: Schema.Int.pipe(describe(`Messages ${what}.`)),
    actions: Schema.Int.pipe(describe(`Actions ${what}.`))
  })

export const ImportReport = Schema.Struct({
  scope: ScopeName,
  dry_run: Schema.Boolean.pipe(describe("Whether nothing was written. Then the report says what an import would do.")),
  imported: counts("that were written").pipe(describe("How many records were written.")),
  existing: counts("that were there already").pipe(
    describe("How many records the scope had already. They are unchanged.")
  ),
  conflicts: Schema.Array(ImportConflict).pipe(describe("The records that were not written, and why."))
}).annotate({ identifier: "ImportReport" })
export type ImportReport = typeof ImportReport.Type
