/** The tasks of a bulk request: those that it names, or those that its filter finds among a bounded number of tasks. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { fingerprint } from "../../../domain/Fingerprint.ts"
import type { ScopeName, TaskId } from "../../../domain/Identifier.ts"
import { decodeCursor, encodeCursor } from "../../../domain/Page.ts"
import { type Bulk, type BulkFilter, MaxBulk } from "../../../domain/task/Bulk.ts"
import { MaxLooked } from "../../../domain/task/TaskFilter.ts"
import { Database } from "../../../sql/Database.ts"
import { afterCursor, cursorValues } from "../../../sql/page/Keyset.ts"
import { statement, type Values, variants } from "../../../sql/Statement.ts"
import { orders, rowsOf } from "../read.ts"

/** The tasks of a request, and the cursor of a request that goes on before each of them and after the last one. */
export interface Selection {
  readonly ids: ReadonlyArray<TaskId>
  /** One more than there are ids. The last one is null if nothing is left after them. */
  readonly cursors: ReadonlyArray<string | null>
  readonly looked_at: number
}

const { direction, key } = orders.urgent
const columns = Object.keys(key)

const looked = variants((project: boolean, next: boolean) =>
  statement(
    rowsOf(project ? "project" : "queues", project ? "all" : "one", "urgent", {
      columns: `id, priority_rank, created_at, (:among IS NULL OR queue = :among) AND (:type IS NULL OR type = :type)
        AND (:role IS NULL OR role = :role) AND (:priority IS NULL OR priority = :priority) AS hit`,
      narrowed: false,
      also: next ? `AND ${afterCursor(columns, direction)}` : ""
    })
  )
)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  /** The ids that a request names, from its cursor on. */
  const named = Effect.fnUntraced(function*(bulk: Bulk, ids: ReadonlyArray<TaskId>) {
    const { cursor, dry_run: _, ...of } = bulk
    const list = fingerprint("bulk", of)
    const from = cursor == null || cursor === ""
      ? 0
      : yield* Effect.fromResult(
        Result.map(decodeCursor(cursor, list, { place: "number" }), ({ key }) => Number(key[0]))
      )
    const cursors = ids.slice(from).map((_, n) =>
      encodeCursor({ list, total: ids.length, offset: from + n, key: [from + n] })
    )
    const selection: Selection = { ids: ids.slice(from), cursors: [...cursors, null], looked_at: 0 }
    return selection
  })

  /** The ids that a filter finds, from the cursor on. */
  const matching = Effect.fnUntraced(function*(scope: ScopeName, bulk: Bulk, filter: BulkFilter) {
    const { cursor, dry_run: _, ...of } = bulk
    const list = fingerprint("bulk", { ...of, scope })
    const after = cursor == null || cursor === ""
      ? undefined
      : (yield* Effect.fromResult(decodeCursor(cursor, list, key))).key
    const values: Values = {
      ...cursorValues({ after, columns }),
      scope,
      queue: filter.queue || null,
      among: filter.queue || null,
      project_id: filter.project_id || null,
      type: filter.type || null,
      role: filter.role || null,
      priority: filter.priority || null,
      take: MaxLooked,
      most: MaxLooked,
      skip: 0
    }
    const { rows } = yield* batch({ rows: looked(Boolean(filter.project_id), after !== undefined)(values) })
    const hits = rows.filter(({ hit }) => hit === 1).slice(0, MaxBulk)
    // The next page begins after every task that this page has looked at.
    const full = hits.length === MaxBulk ? rows.indexOf(hits.at(-1)!) + 1 : rows.length
    const cursorAfter = (place: number) =>
      place === 0 ? cursor || null : encodeCursor({
        list,
        total: 0,
        offset: 0,
        key: columns.map((name) => rows[place - 1]![name] as string | number)
      })
    const selection: Selection = {
      ids: hits.map(({ id }) => id as TaskId),
      cursors: [
        ...hits.map((hit) => cursorAfter(rows.indexOf(hit))),
        full < rows.length || rows.length === MaxLooked ? cursorAfter(full) : null
      ],
      looked_at: full
    }
    return selection
  })

  return (bulk: Bulk, scope: ScopeName) =>
    bulk.filter == null
      ? named(bulk, bulk.tasks?.map(({ id }) => id) ?? bulk.ids ?? [])
      : matching(scope, bulk, bulk.filter)
})
