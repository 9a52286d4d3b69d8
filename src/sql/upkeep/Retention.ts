/**
 * What leaves the database by age: what is over, a few records at a time.
 *
 * Each kind is walked through by its key, in slices, and the place is kept (`sweeps`): so no index of times is written
 * with every request. One statement looks at a slice; where something in it is due, a batch removes that and moves on.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import { ends } from "../../domain/task/Moves.ts"
import * as Revision from "../task/Revision.ts"
import * as OldTasks from "./OldTasks.ts"

/** From the end of one walk to the next, in milliseconds: a day. */
const Rest = 86_400_000

/** How many records are looked at for each that may be removed, and how many rows of history may be. */
const Looks = 10

export const kinds = ["history", "messages", "tasks"] as const
export type Kind = typeof kinds[number]

export interface Sweep {
  readonly kind: Kind
  /** What was last touched at this time, or before, is old. */
  readonly before: number
  /** How many records may be removed in one step. */
  readonly most: number
  readonly now: number
}

/** What a look answers, in one row. */
export interface Slice {
  /** Whether the kind was looked at: it was not while it rests. */
  readonly open: number
  readonly seen: number
  /** How many of them are of an age to leave, whether or not they may. */
  readonly old: number
  /** The key of the last record, as text. */
  readonly last: string | null
  /** The keys of those that are due, in order, as a JSON list. */
  readonly due: string
}

export const make = (sql: D1Client.D1Client) => {
  const tasks = OldTasks.make(sql)
  const revision = Revision.make(sql)

  const place = (kind: Kind): Fragment =>
    sql`(SELECT coalesce(max(position), '') AS position, coalesce(max(due_at), 0) AS due_at
      FROM sweeps WHERE name = ${kind}) AS place`

  // An entry that a task needs which is not over is never removed: who may still come back is in it. The newest entry of
  // an id is never removed either: a task created under it again goes on counting from there.
  const hasEnded = (id: Fragment, before: number): Fragment =>
    sql`(SELECT at FROM history AS newest WHERE newest.task_id = ${id} ORDER BY newest.version DESC LIMIT 1) <= ${before}
      AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = ${id} AND +tasks.queue NOT IN ${sql.in(ends)})`

  // Mail stays that somebody has yet to deal with, that is about a task which is not over, or that has a reply: that one
  // goes first.
  const isOver = (before: number): Fragment =>
    sql`created_at <= ${before} AND status <> 'processing' AND (status = 'done' OR to_actor IS NULL)
      AND NOT EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)
      AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = messages.task_id AND +tasks.scope = messages.scope
        AND +tasks.queue NOT IN ${sql.in(ends)})`

  /** The slice's keys, each with whether it is due and whether it is old, in order. */
  const slices: Record<Kind, (sweep: Sweep) => Fragment> = {
    history: ({ before, most, now }) =>
      sql`
        WITH RECURSIVE ids (id, n) AS (
          SELECT (SELECT min(task_id) FROM history WHERE task_id > place.position), 1
          FROM ${place("history")} WHERE place.due_at <= ${now}
          UNION ALL SELECT (SELECT min(task_id) FROM history WHERE task_id > ids.id), n + 1 FROM ids
          WHERE id IS NOT NULL AND n < ${most * Looks})
        SELECT id, (SELECT count(*) FROM (SELECT 1 FROM history WHERE task_id = ids.id LIMIT 2)) = 2
          AND ${hasEnded(sql`ids.id`, before)} AS due, 0 AS old
        FROM ids WHERE id IS NOT NULL`,
    messages: ({ before, most, now }) =>
      sql`
        SELECT messages.seq AS id, ${isOver(before)} AS due, created_at <= ${before} AS old
        FROM ${place("messages")} CROSS JOIN messages
        WHERE place.due_at <= ${now} AND messages.seq > CAST(place.position AS INTEGER)
        ORDER BY messages.seq LIMIT ${most * Looks}`,
    tasks: ({ before, most, now }) =>
      sql`
        SELECT tasks.id AS id, ${tasks.isOld(before)} AS due, 0 AS old FROM ${place("tasks")} CROSS JOIN tasks
        WHERE place.due_at <= ${now} AND tasks.id > place.position ORDER BY tasks.id LIMIT ${most * Looks}`
  }

  const look = (sweep: Sweep): Statement<any> =>
    sql`
      SELECT (SELECT due_at FROM ${
      place(sweep.kind)
    }) <= ${sweep.now} AS open, count(*) AS seen, coalesce(sum(old), 0) AS old,
        CAST(max(id) AS TEXT) AS last, json_group_array(id ORDER BY id) FILTER (WHERE due) AS due
      FROM (${slices[sweep.kind](sweep)})`

  const removals: Record<Kind, (keys: string, sweep: Sweep) => ReadonlyArray<Statement<any>>> = {
    // Oldest first, so that what is left of a history has no gap.
    history: (keys, { before, most }) => [sql`
      DELETE FROM history WHERE (task_id, version) IN (
        SELECT old.task_id, old.version
        FROM (
          SELECT value AS id, (SELECT max(version) FROM history WHERE task_id = value) AS newest
          FROM json_each(${keys}) WHERE ${hasEnded(sql`value`, before)}) AS given
        CROSS JOIN history AS old ON old.task_id = given.id AND old.version < given.newest
        ORDER BY old.task_id, old.version LIMIT ${most * Looks})`],
    messages: (keys, { before }) => {
      const old = sql`FROM messages WHERE seq IN (SELECT value FROM json_each(${keys})) AND ${isOver(before)}`
      return [
        revision.raise("messages", sql`SELECT scope ${old}`, {
          where: sql`1`,
          added: sql`- (SELECT count(*) ${old} AND messages.scope = queue_counts.scope)`
        }),
        sql`DELETE ${old}`
      ]
    },
    tasks: tasks.remove
  }

  /** Removes what is due of a slice, and remembers where to go on. */
  const step = (sweep: Sweep, slice: Slice): ReadonlyArray<Statement<any>> => {
    const { kind, most, now } = sweep
    const due = JSON.parse(slice.due) as ReadonlyArray<string | number>
    // What is removed of a history is counted by its entries.
    const taken = kind === "history" ? due : due.slice(0, most)
    // Messages come in order of their age, mostly, so that the first slice without an old one is the last.
    const through = taken.length === due.length
      && (slice.seen < most * Looks || (kind === "messages" && slice.old === 0))
    const position = through ? "" : taken.length < due.length ? String(taken.at(-1)) : slice.last ?? ""
    // More of a history may be due than one step removes: then the place stays.
    const done = kind === "history" && taken.length > 0 ? sql`changes() < ${most * Looks}` : sql`1`
    return [
      ...(taken.length === 0 ? [] : removals[kind](JSON.stringify(taken), sweep)),
      sql`
        INSERT INTO sweeps (name, position, due_at)
        SELECT ${kind}, iif(${done}, ${position}, place.position), iif(${done}, ${through ? now + Rest : 0}, 0)
        FROM ${place(kind)} WHERE true
        ON CONFLICT (name) DO UPDATE SET position = excluded.position, due_at = excluded.due_at`
    ]
  }

  return { look, step }
}
