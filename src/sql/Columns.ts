/** The columns of a row, but for long ones that nobody asked for. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

/**
 * All columns of the row's schema, where those of `left` are empty text or null, and so are not read; and `besides`, which are
 * not told but order the list.
 */
export const without = (
  sql: D1Client.D1Client,
  row: { readonly fields: Readonly<Record<string, unknown>> },
  left: ReadonlyArray<string>,
  { besides = [], empty = sql`NULL`, table }: {
    readonly besides?: ReadonlyArray<string>
    readonly empty?: Fragment
    readonly table: string
  }
): Fragment =>
  left.length === 0 ?
    sql`${sql(table)}.*` :
    sql.csv(
      [...new Set([...Object.keys(row.fields), ...besides])].map((name) =>
        left.includes(name) ? sql`${empty} AS ${sql(name)}` : sql`${sql(table)}.${sql(name)}`
      )
    )

/** What callers and agents write on a task, of any length. */
export const longTextsOfTasks = [
  "blocked_by",
  "branch",
  "cancel_reason",
  "check_results",
  "checkpoint",
  "checks",
  "complexity",
  "content",
  "execution_notes",
  "failure_reason",
  "file_path",
  "flow",
  "flow_overrides",
  "hooks",
  "last_rejection_reason",
  "metadata",
  "plan_id",
  "pr_url",
  "priority",
  "role",
  "setbacks",
  "staging_url",
  "title",
  "type"
]

/**
 * The first bytes of a text, as an expression over a column that is named here and by no caller. `substr` would end a text where
 * it has a NUL. The last character may be cut in two, so a reader takes a little less (`domain/Size.ts cut`).
 */
export const beginning = (column: string, bytes: number): string =>
  `CAST(substr(CAST(${column} AS BLOB), 1, ${bytes + 4}) AS TEXT)`
