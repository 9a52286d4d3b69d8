/** The columns of rows in lists. Long texts are left out if the caller asks for that. */

/**
 * The columns of a schema and `besides`, the columns that order the list. Columns of `left` are not read: they are
 * null, or have the value of `empty`.
 */
export const columnsWithout = (
  row: { readonly fields: Readonly<Record<string, unknown>> },
  left: ReadonlyArray<string>,
  { besides = [], empty = "NULL" }: { readonly besides?: ReadonlyArray<string>; readonly empty?: string } = {}
): string =>
  [...new Set([...Object.keys(row.fields), ...besides])]
    .map((name) => left.includes(name) ? `${empty} AS ${name}` : name)
    .join(", ")

/** The long texts of a task. */
export const longTextsOfTasks = [
  "answers",
  "blocked_by",
  "branch",
  "cancel_reason",
  "check_results",
  "checkpoint",
  "checks",
  "complexity",
  "content",
  "evidence",
  "execution_notes",
  "failure_reason",
  "file_path",
  "flow",
  "flow_overrides",
  "head_commit",
  "hooks",
  "last_rejection_reason",
  "metadata",
  "plan_id",
  "pr_url",
  "priority",
  "resume_command",
  "role",
  "session_url",
  "setbacks",
  "staging_url",
  "submitted_by",
  "title",
  "type"
]

/** The size of a task's long texts. Those that always had a limit are not part of `bytes`. */
export const bytesOfTask: string = [
  "bytes",
  ...["checkpoint", "evidence", "session_url", "resume_command"].map((name) => `coalesce(octet_length(${name}), 0)`)
].join(" + ")

/**
 * The first bytes of a text column, as an expression. It counts bytes, because `substr` ends at the first NUL. It may
 * cut the last character, so a reader uses a little less (`domain/Size.ts cut`).
 */
export const beginning = (column: string, bytes: number): string =>
  `CAST(substr(CAST(${column} AS BLOB), 1, ${bytes + 4}) AS TEXT)`
