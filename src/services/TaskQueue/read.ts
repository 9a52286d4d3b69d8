/** Reading tasks: one, a page, and the history of one. */
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { pageOf } from "../../domain/Page.ts"
import type { TaskFilter } from "../../domain/Task.ts"
import { TaskNotFound } from "../../domain/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import { decodeHistory, decodeTasks, firstTask } from "./rows.ts"

const lists = ["priority", "role", "type", "flow", "complexity"] as const
const values = [
  "claimed_by",
  "orchestrator_id",
  "project_id",
  "blocked_by",
  "pr_number",
  "needs_intervention",
  "has_plan",
  "auto_accept",
  "needs_rebase"
] as const

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database

  const inScope = (scope: ScopeName | undefined) => scope === undefined ? sql`` : sql`AND scope = ${scope}`

  const conditions = (filter: TaskFilter): Array<Fragment> => [
    ...lists.flatMap((field) =>
      filter[field] === undefined || filter[field].length === 0
        ? []
        : [sql`${sql(field)} IN (SELECT value FROM json_each(${JSON.stringify(filter[field])}))`]
    ),
    ...values.flatMap((field) => {
      const value = filter[field]
      return value === undefined || value === ""
        ? []
        : [sql`${sql(field)} = ${typeof value === "boolean" ? Number(value) : value}`]
    })
  ]

  const get = Effect.fn("TaskQueue.get")(function*(id: TaskId, scope: ScopeName | undefined) {
    const [rows] = yield* batch([sql`SELECT * FROM tasks WHERE id = ${id} ${inScope(scope)}`])
    return (yield* firstTask(rows)) ?? (yield* TaskNotFound.of(id))
  })

  const list = Effect.fn("TaskQueue.list")(function*(scope: ScopeName, filter: TaskFilter) {
    const { limit, offset } = pageOf(filter)
    const narrowed = conditions(filter)
    const matches = sql.and([sql`scope = ${scope}`, ...narrowed])
    const order = filter.sort === "priority"
      ? sql`priority_rank, created_at, id`
      : sql`created_at DESC, id DESC`
    const queues = filter.queue === undefined || filter.queue.length === 0
      ? sql`(SELECT key AS queue FROM queue_counts, json_each(counts) WHERE scope = ${scope})`
      : sql`(SELECT DISTINCT value AS queue FROM json_each(${JSON.stringify(filter.queue)}))`
    // One queue is read in the order of its index. Of several, the best of each are found first and then merged, so
    // that a page costs as many rows as it has for each queue, and not all the tasks there are.
    const last = limit + offset
    const byPriority = (queue: Fragment) => {
      const half = (index: "tasks_ready" | "tasks_held", where: Fragment) => sql`
        SELECT * FROM (SELECT id, priority_rank, created_at FROM tasks INDEXED BY ${sql(index)}
          WHERE ${matches} AND queue = ${queue} AND (${where}) ORDER BY ${order} LIMIT ${last})`
      return sql`SELECT id FROM (
        ${half("tasks_ready", sql`claimed_by IS NULL AND blocked_by IS NULL AND queue <> 'done'`)} UNION ALL
        ${half("tasks_held", sql`claimed_by IS NOT NULL OR blocked_by IS NOT NULL OR queue = 'done'`)})
        ORDER BY ${order} LIMIT ${last}`
    }
    const best = (queue: Fragment) =>
      filter.sort === "priority"
        ? byPriority(queue)
        : sql`SELECT id FROM tasks WHERE ${matches} AND queue = ${queue} ORDER BY ${order} LIMIT ${last}`
    const page = filter.queue?.length === 1 && filter.sort !== "priority"
      ? sql`SELECT * FROM tasks WHERE ${matches} AND queue = ${filter.queue[0]} ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`
      : sql`
        SELECT tasks.* FROM ${queues} AS q CROSS JOIN tasks ON tasks.id IN (${best(sql`q.queue`)})
        ORDER BY ${order} LIMIT ${limit} OFFSET ${offset}`
    const total = narrowed.length === 0
      ? sql`
        SELECT coalesce(sum(value), 0) AS total FROM queue_counts, json_each(counts)
        WHERE scope = ${scope} AND key IN ${queues}`
      : sql`SELECT count(*) AS total FROM tasks WHERE ${matches} AND queue IN ${queues}`
    const [rows, totals] = yield* batch([page, total])
    return { tasks: yield* decodeTasks(rows), total: Number(totals?.[0]?.total), offset, limit }
  })

  /** All entries, oldest first. They outlive their task, so a deleted task still has them. */
  const history = Effect.fn("TaskQueue.history")(function*(id: TaskId, scope: ScopeName | undefined) {
    const [rows = []] = yield* batch([
      sql`SELECT * FROM history WHERE task_id = ${id} ${inScope(scope)} ORDER BY version`
    ])
    if (rows.length === 0) return yield* TaskNotFound.of(id)
    return { task_id: id, history: yield* decodeHistory(rows), total: rows.length }
  })

  return { get, list, history }
})
