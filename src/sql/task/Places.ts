/**
 * Where the tasks of a queue are found: each is in one of three indexes, so that a move writes one entry. The conditions are word
 * for word those of the indexes, without which SQLite does not use them.
 */
/** A claim may hand the task out: the condition of the view `ready`, of `tasks_ready`, and of `tasks_ready_for` with a role. */
export const ready = "claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done'"

/** Nobody holds the task and no claim may hand it out: the condition of `tasks_waiting`. */
export const waiting = "claimed_by IS NULL AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')"

export type Place = "ready" | "waiting" | "held"

/** The tasks of a queue, an expression, in a place: what follows FROM. Those that are ready and those that wait are in claim order. */
export const tasksIn = (place: Place, queue: string, scope = ":scope"): string => {
  const among = `WHERE scope = ${scope} AND queue = ${queue}`
  return place === "ready"
    ? `tasks INDEXED BY tasks_ready ${among} AND ${ready}`
    : place === "waiting"
    ? `tasks INDEXED BY tasks_waiting ${among} AND ${waiting}`
    : `tasks INDEXED BY tasks_leased ${among} AND claimed_by IS NOT NULL`
}

interface Everywhere {
  readonly columns: string
  readonly queue: string
  readonly scope?: string
  /** What to go through first, if several queues are looked into: `queue` is then an expression over it. */
  readonly each?: string
  /** A condition that narrows the tasks. It begins with AND. */
  readonly narrowed?: string
}

/** A query for all tasks of a queue, in no order. */
export const everywhere = ({ columns, each, narrowed = "", queue, scope }: Everywhere): string =>
  (["ready", "waiting", "held"] as const).map((place) =>
    `SELECT * FROM (
      SELECT ${columns} FROM ${each === undefined ? "" : `${each} CROSS JOIN`} ${
      tasksIn(place, queue, scope)
    } ${narrowed})`
  ).join(" UNION ALL ")

/** The priority in a place that comes after `n` others, if there is one. */
export const priorityAfter = (n: number, from: string): string =>
  `SELECT min(priority_rank) FROM ${from} ${n === 0 ? "" : `AND priority_rank > (${priorityAfter(n - 1, from)})`}`

/**
 * A query for the `:most` newest tasks of each priority in a place, in no order; without the first `skipped` priorities. `narrowed`
 * begins with AND.
 */
export const newestOfEach = (columns: string, from: string, narrowed: string, skipped = 0): string =>
  `SELECT ${columns} FROM (
      WITH RECURSIVE other (rank) AS (
        ${priorityAfter(skipped, from)} UNION ALL
        SELECT (SELECT min(priority_rank) FROM ${from} AND priority_rank > rank) FROM other WHERE rank IS NOT NULL)
      SELECT rank FROM other WHERE rank IS NOT NULL) AS other
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id FROM ${from} AND priority_rank = other.rank ${narrowed} ORDER BY created_at DESC, id DESC LIMIT :most)`
