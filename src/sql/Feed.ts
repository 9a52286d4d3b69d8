/**
 * The feed: the changes of a scope's tasks, numbered in the order of commits. A batch records each change with the next
 * number (`nextSeq`), and counts all it has recorded at its end (`counted`). Between the two, the view `plans` has them.
 */
import { type Statement, statement } from "./Statement.ts"

/**
 * The number of a change that a statement records, as an expression over the rows of `tasks`, a table. `first`: the batch
 * has recorded no other change yet. `one`, `many`: it has, and the statement adds one change, or several of one scope.
 * `scopes`: the statement adds several changes in several scopes.
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

/** How many tasks the counters of a row have in the queue; null if the queue is empty. */
const countOf = (queue: string): string => `(counts ->> ('$."' || ${queue} || '"'))`

/** The slot of an hour in `lives`, as a JSON path. There are 24. */
const slot = (part: string): string => `('$."' || (hour % 24) || '"${part}')`

/** How often each event happened, with those of the batch. Usually they are of one kind, which avoids `json_each`. */
const eventsCounted = `json_patch(events, iif(earliest = latest,
        json_object(earliest, coalesce(events ->> earliest, 0) + n),
        (SELECT json_group_object(value, coalesce(events ->> value, 0) + times) FROM (
          SELECT value, count(*) AS times FROM json_each(happened) GROUP BY value))))`

/** How many tasks became done in the hour, with those of the batch. The slot may have the number of an earlier day. */
const livesCounted = `json_set(lives, ${slot("")}, json_array(hour, finished +
        iif(lives ->> ${slot("[0]")} = hour, lives ->> ${slot("[1]")}, 0)))`

/**
 * Counts what the batch has recorded: moves the counters of its scopes and projects, and the number of the newest
 * change. `scope` says which scopes those are: what follows the column in a condition, such as `= :scope`. Usually one task has moved. That case avoids `json_tree`, whose
 * rows D1 bills. In the list, a task that is created left no queue, and one that is deleted entered none. The row of a project
 * counts queues only.
 */
export const counted = (scope: string): Statement =>
  statement(`
    UPDATE queue_counts SET revision = revision + 1, seq = moved.seq, counts = json_patch(counts,
      iif(n = 1 AND source <> target,
        json_object(source, nullif(${countOf("source")} - 1, 0), target, coalesce(${countOf("target")}, 0) + 1),
        (SELECT json_group_object(queue, nullif(coalesce(${countOf("queue")}, 0) + step, 0)) FROM (
          SELECT atom AS queue, sum(iif(key, 1, -1)) AS step FROM json_tree(moves) WHERE atom IS NOT NULL GROUP BY atom)))),
      events = iif(owner < ' ', events, ${eventsCounted}),
      lives = iif(owner >= ' ' AND finished > 0, ${livesCounted}, lives)
    FROM (
      SELECT owner, max(seq) AS seq, count(*) AS n, min(from_queue) AS source, min(to_queue) AS target,
        json_group_array(json_array(from_queue, to_queue)) AS moves,
        min(event) AS earliest, max(event) AS latest, json_group_array(event) AS happened,
        max(at) / 3600000 AS hour, sum(to_queue = 'done' AND from_queue <> 'done') AS finished
      FROM planned_counts AS plans WHERE plans.scope ${scope} GROUP BY owner) AS moved
    WHERE scope = moved.owner`)
