/**
 * The three places of tasks. Each task of a queue is in one of three indexes, so a move writes one index entry. The
 * conditions repeat those of the indexes word for word: SQLite uses the indexes only then.
 */
/**
 * A claim may take the task: the condition of the view `ready`, of `tasks_ready`, and, with a role, of
 * `tasks_ready_for`.
 */
export const ready = "claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done'"

/** Nobody holds the task and no claim may take it: the condition of `tasks_waiting`. */
export const waiting = "claimed_by IS NULL AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')"

export type Place = "ready" | "waiting" | "held"

/**
 * What follows FROM for the tasks of a queue (an expression) in a place. Ready and waiting tasks are in claim order.
 */
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
  /** The table of queues, if there are several. `queue` is then an expression over it. */
  readonly each?: string
  /** A condition for the tasks, beginning with AND. */
  readonly narrowed?: string
}

/** A query for all tasks of a queue, without order. */
export const everywhere = ({ columns, each, narrowed = "", queue, scope }: Everywhere): string =>
  (["ready", "waiting", "held"] as const).map((place) =>
    `SELECT * FROM (
      SELECT ${columns} FROM ${each === undefined ? "" : `${each} CROSS JOIN`} ${
      tasksIn(place, queue, scope)
    } ${narrowed})`
  ).join(" UNION ALL ")

/** The priority after `n` others in a place, or null if there is none. */
export const priorityAfter = (n: number, from: string): string =>
  `SELECT min(priority_rank) FROM ${from} ${n === 0 ? "" : `AND priority_rank > (${priorityAfter(n - 1, from)})`}`

/**
 * A query for the `:most` newest tasks of each priority in a place, without order and without the first `skipped`
 * priorities. `narrowed` begins with AND.
 */
export const newestOfEach = (columns: string, from: string, narrowed: string, skipped = 0): string =>
  `SELECT ${columns} FROM (
      WITH RECURSIVE other (rank) AS (
        ${priorityAfter(skipped, from)} UNION ALL
        SELECT (SELECT min(priority_rank) FROM ${from} AND priority_rank > rank) FROM other WHERE rank IS NOT NULL)
      SELECT rank FROM other WHERE rank IS NOT NULL) AS other
    CROSS JOIN tasks ON tasks.id IN (
      SELECT id FROM ${from} AND priority_rank = other.rank ${narrowed} ORDER BY created_at DESC, id DESC LIMIT :most)`
