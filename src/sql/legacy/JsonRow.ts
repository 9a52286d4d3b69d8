/** Rows as JSON, made in SQL. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import { ActionRow } from "../../domain/record/Action.ts"
import { MessageRow } from "../../domain/record/Message.ts"
import { ProjectRow } from "../../domain/record/Project.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import type { Row } from "../Database.ts"

// D1 lets a function have 32 arguments, and a row has more columns than half of that.
const MaxPairs = 16

// A longer text is not copied: the JSON of a record may be six times as long as the record, and D1 stores no such value.
const MaxCopied = 16_384

/** The records that have long texts, and which these are. */
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
    "setbacks"
  ]],
  [MessageRow, "messages", ["content"]],
  [ActionRow, "actions", ["description", "metadata", "action_data", "result"]],
  [ProjectRow, "projects", ["description"]]
]

const short = (name: string) => `iif(octet_length(${name}) > ${MaxCopied}, NULL, ${name})`

/**
 * The fields of a row's schema, each as the column of that name. A text that is too long to copy is null, and named in
 * `left_out`: `tasks,content,hooks`. `fill` reads it from its record.
 */
export const columnsOf = (
  sql: D1Client.D1Client,
  row: { readonly fields: Record<string, unknown> }
): Record<string, Fragment> => {
  const [, table, texts] = long.find(([one]) => one === row) ?? [row, "", []]
  const names = Object.keys(row.fields)
  return {
    ...Object.fromEntries(
      names.map((name) => [name, texts.includes(name) ? sql.literal(short(name)) : sql`${sql(name)}`])
    ),
    ...(texts.length === 0 ? {} : {
      left_out: sql.literal(
        [`'${table}'`, ...texts.map((name) => `iif(octet_length(${name}) > ${MaxCopied}, ',${name}', '')`)].join(" || ")
      )
    })
  }
}

/** What reads the texts that were left out of a row from its record, if any were; and the row with them. */
export const fill = (sql: D1Client.D1Client, row: Row) => {
  const [table = "", ...names] = String(row.left_out ?? "").split(",")
  return names.length === 0 ? undefined : {
    read: sql`SELECT ${sql.csv(names.map((name) => sql`${sql(name)}`))} FROM ${sql(table)} WHERE id = ${row.id}`,
    with: (found: Row | undefined): Row => ({
      ...row,
      ...Object.fromEntries(names.map((name) => [name, found?.[name] ?? (name === "content" ? "" : null)]))
    })
  }
}

const object = (sql: D1Client.D1Client, columns: Record<string, Fragment>): Fragment => {
  const entries = Object.entries(columns)
  const parts = Array.from({ length: Math.ceil(entries.length / MaxPairs) }, (_, part) => {
    // The names of columns are ours, never a caller's.
    const pairs = entries.slice(part * MaxPairs, (part + 1) * MaxPairs).map(([name, value]) =>
      sql`${sql.literal(`'${name}'`)}, ${value}`
    )
    return sql`json_object(${sql.csv(pairs)})`
  })
  // No column is a JSON value of its own, so each part ends with the one brace that closes it.
  return parts.reduce((whole, part) => sql`rtrim(${whole}, '}') || ',' || substr(${part}, 2)`)
}

/** All rows of a query as one JSON list: an aggregate. */
export const listOf = (sql: D1Client.D1Client, columns: Record<string, Fragment>): Fragment =>
  sql`'[' || group_concat(${object(sql, columns)}, ',') || ']'`
