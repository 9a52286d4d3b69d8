/**
 * Retention: removes old history entries, messages and finished tasks, a few at a time.
 *
 * Each sweep walks through the keys of a kind in slices and stores its position (`sweeps`), so no request has to write
 * an index of times. One statement looks at a slice. If a record in it is due, a batch removes it and moves on.
 *
 * Parameters: `:before` (records touched later are not old), `:now`, `:most` (how many records a slice has); for the
 * batch also `:keys` (a JSON list of the records to remove), `:position` and `:due_at` (where and when the sweep goes
 * on).
 */
import type { Steps } from "../Batch.ts"
import * as Feed from "../Feed.ts"
import { withdrawal } from "../record/Actions.ts"
import { type Bound, statement, type Values } from "../Statement.ts"

/** The time from the end of a sweep to the next, in milliseconds: a day. */
const Rest = 86_400_000

/** How many records a slice has for each record that may be removed, and how many history entries may be removed. */
const Looks = 10

export const kinds = ["history", "messages", "tasks"] as const
export type Kind = typeof kinds[number]

export interface Sweep {
  readonly kind: Kind
  /** Records that were last touched at this time or before are old. */
  readonly before: number
  /** How many records may be removed in one step. */
  readonly most: number
  readonly now: number
}

/** The answer of a look: one row. */
export interface Slice {
  /** Whether the kind was looked at. It is not while it rests. */
  readonly open: number
  readonly seen: number
  /** How many records are old, removable or not. */
  readonly old: number
  /** The key of the last record of the slice, as text. */
  readonly last: string | null
  /** The keys of the due records in order, as a JSON list. */
  readonly due: string
}

const given = "(SELECT value FROM json_each(:keys))"

// Comparisons, because D1 bills a row for each lookup in a list.
const isOpen = (queue: string) => `${queue} <> 'done' AND ${queue} <> 'failed' AND ${queue} <> 'cancelled'`

// Entries are kept until their task has ended, because a renewal may need them. The newest entry of an id is always
// kept: a new task with the same id continues its counts.
const historyIsOld = (id: string) =>
  `(SELECT at FROM history AS newest WHERE newest.task_id = ${id} ORDER BY newest.version DESC LIMIT 1) <= :before
    AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = ${id} AND ${isOpen("+tasks.queue")})`

// A message is kept until it is done, its task has ended, and it has no reply: replies are removed first.
const messageIsOld = `created_at <= :before AND status <> 'processing' AND (status = 'done' OR to_actor IS NULL)
  AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
  AND NOT EXISTS (SELECT 1 FROM tasks
    WHERE tasks.id = messages.task_id AND +tasks.scope = messages.scope AND ${isOpen("+tasks.queue")})`

// A task is kept while an open task depends on it or any task names it as a blocker.
const taskIsOld = `NOT (${isOpen("+tasks.queue")}) AND +tasks.claimed_by IS NULL AND tasks.updated_at <= :before
  AND NOT EXISTS (
    SELECT 1 FROM dependencies AS edge LEFT JOIN tasks AS waiting ON waiting.id = edge.task_id
    WHERE edge.blocker_key = replace(tasks.id, 'TASK-', '') AND edge.blocker_id IN (tasks.id, 'TASK-' || tasks.id)
      AND edge.scope = tasks.scope AND (edge.satisfied_at IS NULL OR (${isOpen("waiting.queue")})))`

const placeOf = (kind: Kind) =>
  `(SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
    FROM sweeps WHERE name = '${kind}') AS place`

/** Looks at a slice: a query for its keys in order, each with whether it is due and whether it is old. */
const lookAt = (kind: Kind, slice: string) =>
  statement(`
    SELECT (SELECT due_at FROM ${placeOf(kind)}) <= :now AS open, count(*) AS seen, coalesce(sum(old), 0) AS old,
      CAST(max(id) AS TEXT) AS last, json_group_array(id ORDER BY id) FILTER (WHERE due) AS due
    FROM (${slice})`)

const looks = {
  history: lookAt(
    "history",
    `
    WITH RECURSIVE ids (id, n) AS (
      SELECT (SELECT min(task_id) FROM history WHERE task_id > place.position), 1
      FROM ${placeOf("history")} WHERE place.due_at <= :now
      UNION ALL SELECT (SELECT min(task_id) FROM history WHERE task_id > ids.id), n + 1 FROM ids
      WHERE id IS NOT NULL AND n < :most)
    SELECT id, (SELECT count(*) FROM (SELECT 1 FROM history WHERE task_id = ids.id LIMIT 2)) = 2
      AND ${historyIsOld("ids.id")} AS due, 0 AS old
    FROM ids WHERE id IS NOT NULL`
  ),
  messages: lookAt(
    "messages",
    `
    SELECT messages.seq AS id, ${messageIsOld} AS due, created_at <= :before AS old
    FROM ${placeOf("messages")} CROSS JOIN messages
    WHERE place.due_at <= :now AND messages.seq > CAST(place.position AS INTEGER)
    ORDER BY messages.seq LIMIT :most`
  ),
  tasks: lookAt(
    "tasks",
    `
    SELECT tasks.id AS id, ${taskIsOld} AS due, 0 AS old FROM ${placeOf("tasks")} CROSS JOIN tasks
    WHERE place.due_at <= :now AND tasks.id > place.position ORDER BY tasks.id LIMIT :most`
  )
}

/** Stores the position of the sweep, if the slice is `done`. */
const remember = (kind: Kind, done = "1") =>
  statement(`
    INSERT INTO sweeps (name, position, due_at)
    SELECT '${kind}', iif(${done}, :position, place.position), iif(${done}, :due_at, 0) FROM ${placeOf(kind)} WHERE true
    ON CONFLICT (name) DO UPDATE SET position = excluded.position, due_at = excluded.due_at`)

/** The old entries of the ids. */
const oldEntries = `json_each(:keys) AS given CROSS JOIN history AS old ON old.task_id = given.value
  AND old.version < (SELECT max(version) FROM history WHERE task_id = given.value)`

const history = {
  // The oldest entries are removed first, so that the rest of a history has no gap.
  removed: statement(`
    DELETE FROM history WHERE (task_id, version) IN (
      SELECT old.task_id, old.version FROM ${oldEntries} WHERE ${historyIsOld("given.value")}
      ORDER BY old.task_id, old.version LIMIT :most)`),
  // If more entries are due than one step removes, the position stays.
  remembered: remember("history", `NOT EXISTS (SELECT 1 FROM ${oldEntries} WHERE ${historyIsOld("given.value")})`)
}

const oldMessages = `messages WHERE seq IN ${given} AND ${messageIsOld}`

const messages = {
  counted: statement(`
    INSERT INTO queue_counts (scope, counts, messages_revision) SELECT DISTINCT scope, '{}', 1 FROM ${oldMessages}
    ON CONFLICT (scope) DO UPDATE SET messages_revision = messages_revision + 1,
      messages_total = messages_total - (SELECT count(*) FROM ${oldMessages} AND messages.scope = queue_counts.scope)`),
  removed: statement(`DELETE FROM ${oldMessages}`),
  remembered: remember("messages")
}

/**
 * The removed tasks: those with a recorded deletion. Later steps of the batch change what is old, so this is the only
 * reliable condition.
 */
const leaving = `(SELECT id FROM planned WHERE id IN ${given})`

// Old tasks are removed as deleted ones are: their messages and history stay.
const tasks = {
  recorded: statement(`
    INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, grants, at, title, project_id)
    SELECT id, version + 1, scope, ${Feed.nextSeq("tasks", "scopes")}, 'deleted', queue, NULL, 'retention',
      'It was finished longer ago than finished tasks are kept.', grants, :now, title, project_id
    FROM tasks WHERE id IN ${given} AND ${taskIsOld}`),
  counted: Feed.counted(`IN (SELECT scope FROM tasks WHERE id IN ${given})`),
  // A name may also mean another task. Then the dependency stays and means that task.
  dependencies: [
    statement(`
      DELETE FROM dependencies AS edge
      WHERE blocker_key IN (SELECT replace(id, 'TASK-', '') FROM planned WHERE id IN ${given})
        AND EXISTS (SELECT 1 FROM planned WHERE +planned.scope = edge.scope
          AND planned.id IN (edge.blocker_id, iif(edge.blocker_id GLOB 'TASK-*', substr(edge.blocker_id, 6), NULL)))
        AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = edge.blocker_id AND +tasks.scope = edge.scope
          AND NOT EXISTS (SELECT 1 FROM planned WHERE planned.id = tasks.id))`),
    statement(`DELETE FROM dependencies WHERE task_id IN ${leaving}`)
  ],
  withdrawn: withdrawal(`id IN ${leaving}`),
  removed: statement(`DELETE FROM tasks WHERE id IN ${leaving}`),
  remembered: remember("tasks")
}

const valuesOf = ({ before, most, now }: Sweep): Values => ({ before, most: most * Looks, now })

/** Looks at the next slice of a kind. */
export const look = (sweep: Sweep): Bound => looks[sweep.kind](valuesOf(sweep))

const removal = (kind: Kind, values: Values): Steps => {
  switch (kind) {
    case "history":
      return { removed: history.removed(values) }
    case "messages":
      return { counted: messages.counted(values), removed: messages.removed(values) }
    case "tasks":
      return {
        recorded: tasks.recorded(values),
        counted: tasks.counted(values),
        dependencies: tasks.dependencies.map((statement) => statement(values)),
        withdrawn: tasks.withdrawn(values),
        removed: tasks.removed(values)
      }
  }
}

/** The steps that remove the due records of a slice and store the position. */
export const step = (sweep: Sweep, slice: Slice): Steps => {
  const { kind, most, now } = sweep
  const due = JSON.parse(slice.due) as ReadonlyArray<string | number>
  // `:most` counts entries of history, not tasks, so all due ids are taken.
  const taken = kind === "history" ? due : due.slice(0, most)
  // Messages are roughly in the order of their age. So a slice without an old message is the last.
  const through = taken.length === due.length
    && (slice.seen < most * Looks || (kind === "messages" && slice.old === 0))
  const values: Values = {
    ...valuesOf(sweep),
    keys: JSON.stringify(taken),
    position: through ? "" : taken.length < due.length ? String(taken.at(-1)) : slice.last ?? "",
    due_at: through ? now + Rest : 0
  }
  const { remembered } = { history, messages, tasks }[kind]
  return { ...(taken.length === 0 ? {} : removal(kind, values)), remembered: remembered(values) }
}
