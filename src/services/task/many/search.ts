/**
 * Searches tasks for a text. A page looks at a bounded number of tasks in the order of the list, in the first of two
 * round trips, and reads those that match in the second. Tasks that have exactly this id, path or open external key
 * come first: indexes find them.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { fingerprint } from "../../../domain/Fingerprint.ts"
import type { ScopeName } from "../../../domain/Identifier.ts"
import { decodeCursor, encodeCursor, FirstPage, InvalidCursor, type Key, wholeList } from "../../../domain/Page.ts"
import { MaxLooked, type TaskFilter } from "../../../domain/task/TaskFilter.ts"
import { Database } from "../../../sql/Database.ts"
import * as Conditional from "../../../sql/page/Conditional.ts"
import { afterCursor, cursorValues } from "../../../sql/page/Keyset.ts"
import * as PageBytes from "../../../sql/page/PageBytes.ts"
import * as Revisions from "../../../sql/Revisions.ts"
import { statement, type Values, variants } from "../../../sql/Statement.ts"
import { open } from "../externalKey.ts"
import { columnsOf, filtered, type Order, orders, rowsOf, shape, valuesOf } from "../read.ts"
import { answered, decodeTasks, someLeased } from "../rows.ts"

const among = "(:queues = '[]' OR queue IN (SELECT value FROM json_each(:queues)))"
const exactly = `(id = :q OR file_path = :q OR (external_key = :q AND ${open}))`

// D1 limits the pattern of LIKE to 50 bytes.
const contained = ["id", "title", "branch", "file_path", "coalesce(external_key, '')"]
  .map((text) => `instr(lower(${text}), :needle)`).join(" OR ")

// A path that is named after its task is in no index (`sql/task/FilePath.ts`).
const exact = statement(`
  SELECT id, claimed_by FROM tasks WHERE id IN (
      SELECT :q
      UNION SELECT substr(:q, 6, length(:q) - 8)
      UNION SELECT id FROM tasks WHERE scope = :scope AND external_key = :q AND ${open}
      UNION SELECT id FROM tasks WHERE scope = :scope AND file_path = :q AND file_path <> 'TASK-' || id || '.md')
    AND +scope = :scope AND ${exactly} AND ${among} AND ${filtered} ORDER BY id`)

/** The next tasks of the list, and which of them match. */
const looked = variants((project: boolean, queues: "all" | "some", order: Order, next: boolean) =>
  statement(
    rowsOf(project ? "project" : "queues", project ? "all" : queues, order, {
      columns: `id, priority_rank, created_at, claimed_by,
        (${contained}) AND NOT coalesce(${exactly}, 0) AND ${among} AND ${filtered} AS hit`,
      narrowed: false,
      also: next ? `AND ${afterCursor(Object.keys(orders[order].key), orders[order].direction)}` : ""
    })
  )
)

const found = variants((content: boolean) =>
  PageBytes.pagesOf(
    shape,
    `SELECT ${columnsOf(content)} FROM (SELECT key AS nth, value AS hit FROM json_each(:ids)) AS one
      CROSS JOIN tasks ON tasks.id = one.hit AND tasks.scope = :scope ORDER BY nth LIMIT :take`
  )
)

/** The place where a page begins: how many exact matches were shown, and the last task that was looked at. */
interface Place {
  readonly shown: number
  readonly offset: number
  readonly after: Key | undefined
}

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const read = yield* Conditional.make
  const paged = yield* PageBytes.reader

  return Effect.fn("TaskQueue.search")(function*(scope: ScopeName, filter: TaskFilter, q: string) {
    const { content = true, cursor, limit = 50, offset, ...of } = filter
    if (offset !== undefined) return yield* InvalidCursor.searchWithOffset()
    const order = of.sort === "priority" ? "urgent" : "newest"
    const { key } = orders[order]
    const columns = Object.keys(key)
    const list = fingerprint("search of tasks", { scope, ...of })
    const begins = cursor === undefined || cursor === FirstPage
    const place: Place = begins ? { shown: 0, offset: 0, after: undefined } : yield* Effect.fromResult(
      Result.map(decodeCursor(cursor, list, { shown: "number", looked: "number", ...key }), ({ key, offset }) => ({
        shown: Number(key[0]),
        offset,
        after: key[1] === 1 ? key.slice(2) : undefined
      }))
    )
    const queues = [...new Set(of.queue ?? [])]
    const values: Values = {
      ...valuesOf(filter),
      ...cursorValues({ after: place.after, columns }),
      scope,
      q,
      // SQLite folds these letters only.
      needle: q.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
      queues: JSON.stringify(queues),
      take: limit === 0 ? 0 : MaxLooked,
      most: MaxLooked,
      skip: 0
    }
    const one = looked(
      Boolean(of.project_id),
      queues.length === 0 ? "all" : "some",
      order,
      place.after !== undefined
    )
    const answers = yield* read({
      name: "search of tasks",
      asked: { scope, ...filter },
      revision: Revisions.ofTasks(values),
      shown: ({ exact, window }) =>
        someLeased({ rows: exact }) || someLeased({ rows: window.filter(({ hit }) => hit === 1) })
    }, { exact: exact(values), window: one(values) })
    const first = answers.exact.slice(place.shown)
    const hits = answers.window.filter(({ hit }) => hit === 1)
    const ids = [...first, ...hits].slice(0, limit).map(({ id }) => id)
    const { found: rows } = ids.length === 0 ? { found: [] } : yield* paged({
      page: { after: undefined, columns: [], limit: ids.length, take: ids.length + 1 },
      pages: found(content),
      values: { scope, ids: JSON.stringify(ids), skip: 0 }
    }, (rows) => batch({ rows }))
    const { rows: fitting } = wholeList.end(rows)
    // Where the page ends. A task that was deleted between the two round trips is passed over.
    const end = fitting.length === rows.length ? ids.length : ids.indexOf(rows[fitting.length]!.id)
    const passed = hits.length === 0 || end - first.length >= hits.length
      ? end < first.length ? 0 : answers.window.length
      : end <= first.length
      ? 0
      : answers.window.indexOf(hits[end - first.length - 1]!) + 1
    const total = place.offset + fitting.length
    const last = answers.window[passed - 1]
    const after = last === undefined ? place.after : columns.map((name) => last[name] as string | number)
    const over = limit === 0 ||
      (end >= first.length && passed === answers.window.length && answers.window.length < MaxLooked)
    return {
      tasks: (yield* decodeTasks(fitting)).map(answered),
      looked_at: passed,
      total,
      offset: place.offset,
      limit,
      next_cursor: over ? null : encodeCursor({
        list,
        total,
        offset: total,
        key: [
          place.shown + Math.min(end, first.length),
          ...(after === undefined ? [0, ...columns.map((name) => name === "id" ? "" : 0)] : [1, ...after])
        ]
      })
    }
  })
})
