/** The columns of rows in lists, which leave long texts out if a caller asks for that. */

/**
 * The columns of a row's schema, and `besides`, by which the list is ordered. The columns of `left` are not read: they are null,
 * or what `empty` says.
 */
export const columnsWithout = (
  row: { readonly fields: Readonly<Record<string, unknown>> },
  left: ReadonlyArray<string>,
  { besides = [], empty = "NULL" }: { readonly besides?: ReadonlyArray<string>; readonly empty?: string } = {}
): string =>
  [...new Set([...Object.keys(row.fields), ...besides])]
    .map((name) => left.includes(name) ? `${empty} AS ${name}` : name)
    .join(", ")

/** The texts of a task, which callers and agents write. */
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
 * The first bytes of a column's text, as an expression. It goes by bytes, because `substr` ends a text at its first NUL. The last
 * character may be cut in two, so a reader takes a little less (`domain/Size.ts cut`).
 */
export const beginning = (column: string, bytes: number): string =>
  `CAST(substr(CAST(${column} AS BLOB), 1, ${bytes + 4}) AS TEXT)`
