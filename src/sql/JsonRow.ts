/** Rows as JSON, made in SQL. */
import { ActionRow } from "../domain/record/Action.ts"
import { MessageRow } from "../domain/record/Message.ts"
import { ProjectRow } from "../domain/record/Project.ts"
import { TaskRow } from "../domain/task/Task.ts"
import type { Row } from "./Batch.ts"
import { type Bound, statement } from "./Statement.ts"

// A function of D1 takes at most 32 arguments, and a row has more columns than half of that.
const MaxPairs = 16

// A longer text is not copied: the JSON of a record may be six times as large as the record, and D1 does not store such
// a value.
const MaxCopied = 16_384

/** The records with long texts, and these texts. */
const long: ReadonlyArray<readonly [row: unknown, table: string, columns: ReadonlyArray<string>]> = [
  [TaskRow, "tasks", [
    "content",
    "execution_notes",
    "check_results",
    "metadata",
    "hooks",
    "checks",
    "flow_overrides",
    "blocked_by",
    "last_rejection_reason",
    "failure_reason",
    "cancel_reason",
    "checkpoint",
    "evidence",
    "setbacks"
  ]],
  [MessageRow, "messages", ["content"]],
  [ActionRow, "actions", ["description", "metadata", "action_data", "result"]],
  [ProjectRow, "projects", ["description"]]
]

const short = (name: string) => `iif(octet_length(${name}) > ${MaxCopied}, NULL, ${name})`

/**
 * The fields of a row's schema, each as the column of that name. Texts that are too long to copy are null; `left_out`
 * names them: `tasks,content,hooks`. `fill` reads them from the record.
 */
export const columnsOf = (row: { readonly fields: Record<string, unknown> }): Record<string, string> => {
  const [, table, texts] = long.find(([one]) => one === row) ?? [row, "", []]
  return {
    ...Object.fromEntries(Object.keys(row.fields).map((name) => [name, texts.includes(name) ? short(name) : name])),
    ...(texts.length === 0 ? {} : {
      left_out: [`'${table}'`, ...texts.map((name) => `iif(octet_length(${name}) > ${MaxCopied}, ',${name}', '')`)]
        .join(" || ")
    })
  }
}

/** The query for the texts that were left out of a row, and a function that adds them. Undefined if none were. */
export const fill = (
  row: Row
): { readonly read: Bound; readonly with: (found: Row | undefined) => Row } | undefined => {
  const [table = "", ...names] = String(row.left_out ?? "").split(",")
  return names.length === 0 ? undefined : {
    read: statement(`SELECT ${names.join(", ")} FROM ${table} WHERE id = :id`)({ id: String(row.id) }),
    with: (found) => ({
      ...row,
      ...Object.fromEntries(names.map((name) => [name, found?.[name] ?? (name === "content" ? "" : null)]))
    })
  }
}

const object = (columns: Record<string, string>): string => {
  const entries = Object.entries(columns)
  const parts = Array.from({ length: Math.ceil(entries.length / MaxPairs) }, (_, part) => {
    const pairs = entries.slice(part * MaxPairs, (part + 1) * MaxPairs).map(([name, value]) => `'${name}', ${value}`)
    return `json_object(${pairs.join(", ")})`
  })
  // No column holds JSON, so each part ends with exactly one closing brace.
  return parts.reduce((whole, part) => `rtrim(${whole}, '}') || ',' || substr(${part}, 2)`)
}

/** The rows of a query as one JSON list: an aggregate. */
export const listOf = (columns: Record<string, string>): string => `'[' || group_concat(${object(columns)}, ',') || ']'`
