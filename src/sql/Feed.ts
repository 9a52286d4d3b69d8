/**
 * The feed: the changes of a scope's tasks, numbered in the order of commits. A batch records each change with the next
 * number (`nextSeq`), and counts all it has recorded at its end (`counted`). Between the two, the view `plans` has
 * them.
 */
import { type Statement, statement } from "./Statement.ts"

/**
 * The number of a change that a statement records, as an expression over the rows of `tasks`, a table. `first`: the
 * batch has recorded no other change yet. `one`, `many`: it has, and the statement adds one change, or several of one
 * scope. `scopes`: the statement adds several changes in several scopes.
 */
export const nextSeq = (tasks: string, rows: "first" | "one" | "many" | "scopes"): string => {
  const last = `(SELECT last FROM feed WHERE feed.scope = ${tasks}.scope)`
  return rows === "first"
    ? `(SELECT seq + 1 FROM queue_counts WHERE queue_counts.scope = ${tasks}.scope)`
    : rows === "one"
    ? `${last} + 1`
    : rows === "many"
    ? `${last} + row_number() OVER ()`
    : `${last} + row_number() OVER (PARTITION BY ${tasks}.scope)`
}

/** Whether the statement records changes. If it wrote rows, its batch changed the feed. */
export const isRecording = (text: string): boolean => text.startsWith("INSERT INTO history")

/**
 * Counts what the batch has recorded: moves the counters of its scopes and projects, and the number of the newest
 * change, as the view `counts_after` has them. `scope` says which scopes those are: what follows the column in a
 * condition, such as `= :scope`. All these rows exist, and each is updated: the conflict costs D1 fewer rows than
 * UPDATE FROM.
 */
export const counted = (scope: string): Statement =>
  statement(`
    INSERT INTO queue_counts (scope, seq, counts, events, lives)
    SELECT owner, seq, counts, events, lives FROM counts_after AS after WHERE after.scope ${scope}
    ON CONFLICT (scope) DO UPDATE SET revision = revision + 1, seq = excluded.seq, counts = excluded.counts,
      events = excluded.events, lives = excluded.lives`)
