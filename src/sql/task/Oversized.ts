/**
 * Tasks that are larger than this version makes them (`domain/Size.ts`), as older ones may have left some. D1 may refuse to
 * store them with anything more: so claims pass over them, they take no checkpoint, and what is recorded about them is in
 * their history only.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import { MaxRecord } from "../../domain/Size.ts"

// Every text of a task that had no limit once. The checkpoint always had one, and is not counted: a task that has room for
// one has room for the next.
const texts = [
  "file_path",
  "title",
  "priority",
  "complexity",
  "role",
  "type",
  "branch",
  "content",
  "blocked_by",
  "claimed_by",
  "last_rejection_reason",
  "check_results",
  "execution_notes",
  "pr_url",
  "checks",
  "staging_url",
  "plan_id",
  "hooks",
  "flow",
  "flow_overrides",
  "metadata",
  "cancel_reason",
  "failure_reason",
  "setbacks"
]

// SQLite knows how long a text is without reading it.
const size = texts.map((name) => `coalesce(octet_length(tasks.${name}), 0)`).join(" + ")

/** Finds those there are, as plain SQL. */
export const found = `SELECT id, ${size} AS bytes FROM tasks WHERE ${size} > ${MaxRecord}`

export const make = memoize((sql: D1Client.D1Client) => {
  return {
    /** How many bytes the texts of a task have, as an expression over columns of `tasks`. */
    size: sql.literal(`(${size})`),
    /** Whether that is too many. */
    oversized: sql.literal(`(${size} > ${MaxRecord})`)
  }
})
