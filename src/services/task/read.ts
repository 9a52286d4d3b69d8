/** Reading tasks: one, a page, and the history of one. */
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { handoffOf } from "../../domain/lease/Handoff.ts"
import { type ContentChoice, pageOf } from "../../domain/Page.ts"
import { type HistoryQuery, HistoryRow } from "../../domain/task/History.ts"
import { ends } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import type { TaskFilter } from "../../domain/task/TaskFilter.ts"
import { longTextsOfTasks, without } from "../../sql/Columns.ts"
import * as Conditional from "../../sql/Conditional.ts"
import { Database } from "../../sql/Database.ts"
import { beyond } from "../../sql/Keyset.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { within } from "../../sql/Reach.ts"
import * as ProjectCounts from "../../sql/record/ProjectCounts.ts"
import * as Places from "../../sql/task/Places.ts"
import * as Revision from "../../sql/task/Revision.ts"
import { answered, decodeCounts, decodeHistory, decodeTasks, firstTask, someLeased } from "./rows.ts"

const lists = ["priority", "role", "type", "flow", "complexity"] as const
const values = [
  "claimed_by",
  "orchestrator_id",
  "project_id",
  "external_key",
  "blocked_by",
  "pr_number",
  "needs_intervention",
  "has_plan",
  "auto_accept",
  "needs_rebase"
] as const

// Clients that name no limit go by all there is: they count what is in a queue, and renew every lease they find in one.
// What has ended only grows, and they look at the newest.
const isEnd = (queue: string) => ends.includes(queue)

// D1 merges five parts in order at most, and one of them is for all that is left. Nobody claims what is done.
const slotsOf = (queue: string | undefined): Places.Slots =>
  queue === "done" ? { ready: 0, waiting: 4 } : { ready: 2, waiting: 1 }

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const read = yield* Conditional.make
  const bounded = yield* PageBytes.make
  const revision = Revision.make(sql)

  /** The columns of a task, without its body if nobody asked for it, and then without what no list tells. */
  const columns = (content: boolean | undefined) =>
    without(sql, TaskRow, content === false ? ["content"] : [], { besides: ["priority_rank"], table: "tasks" })

  const places = Places.make(sql)
  const projects = ProjectCounts.make(sql)

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

  const get = Effect.fn("TaskQueue.get")(function*(
    id: TaskId,
    scope: ScopeName | undefined,
    { content }: ContentChoice = {}
  ) {
    const [rows] = yield* batch([sql`SELECT ${columns(content)} FROM tasks WHERE id = ${id} AND ${within(sql, scope)}`])
    return answered((yield* firstTask(rows)) ?? (yield* TaskNotFound.of(id)))
  })

  const handoff = Effect.fn("TaskQueue.handoff")(function*(id: TaskId, scope: ScopeName | undefined) {
    return { task_id: id, ...handoffOf(yield* get(id, scope)) }
  })

  const list = Effect.fn("TaskQueue.list")(function*(scope: ScopeName, filter: TaskFilter) {
    const asked = filter.queue === undefined || filter.queue.length === 0 ? undefined : [...new Set(filter.queue)]
    const urgent = filter.sort === "priority"
    const page = yield* Effect.fromResult(pageOf(filter, {
      name: "tasks",
      of: { scope, ...filter },
      key: urgent
        ? { priority_rank: "number", created_at: "number", id: "string" }
        : { created_at: "number", id: "string" },
      whole: asked !== undefined && !asked.some(isEnd)
    }))
    const { skip } = page
    const narrowed = conditions(filter)
    const all = sql.and([sql`scope = ${scope}`, ...narrowed])
    const matches = sql.and([all, ...beyond(sql, page, urgent ? "ascending" : "descending")])
    const order = urgent ? sql`priority_rank, created_at, id` : sql`created_at DESC, id DESC`
    const told = columns(filter.content)
    const queues = asked === undefined
      ? sql`(SELECT key AS queue FROM queue_counts, json_each(counts) WHERE scope = ${scope})`
      : sql`(SELECT value AS queue FROM json_each(${JSON.stringify(asked)}))`
    // Of a queue that is read in parts, the best of each are found and then merged, so that a page costs as many rows as it
    // has, or as it has for each of several queues, and not all the tasks there are.
    const further = [...narrowed, ...beyond(sql, page, urgent ? "ascending" : "descending")]
    const inOrder = (queue: Fragment, rows: Fragment, slots: Places.Slots, take: number) => {
      const among = { scope: sql`${scope}`, queue, ...(further.length === 0 ? {} : { narrowed: sql.and(further) }) }
      return urgent
        ? places.all(among, rows)
        : places.newest(among, rows, take + skip, narrowed.length === 0 ? slots : { ready: 0, waiting: 0 })
    }
    // Few of many tasks have what is asked for: those have an index of their own.
    const few = filter.external_key
      ? sql`tasks INDEXED BY tasks_external_key WHERE external_key = ${filter.external_key}`
      : filter.claimed_by || filter.orchestrator_id
      ? sql`tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL`
      : filter.needs_intervention === true
      ? sql`tasks INDEXED BY tasks_flagged WHERE needs_intervention = 1`
      : filter.project_id
      ? sql`tasks INDEXED BY tasks_project WHERE project_id = ${filter.project_id}`
      : undefined
    const among = asked === undefined ? sql`` : sql`AND queue IN ${queues}`
    const rows = (take: number) =>
      few !== undefined && filter.project_id && !urgent
        ? sql`
        SELECT ${told} FROM tasks WHERE id IN (SELECT id FROM (
          ${
          places.ofEach(
            sql`tasks INDEXED BY tasks_project WHERE project_id = ${filter.project_id}`,
            sql`id, created_at`,
            take + skip,
            sql`AND ${sql.and([sql`scope = ${scope}`, ...further])} ${among}`
          )
        } ORDER BY ${order} LIMIT ${take + skip}))
        ORDER BY ${order} LIMIT ${take} OFFSET ${skip}`
        : few !== undefined
        ? sql`SELECT ${told} FROM ${few} AND ${matches} ${among} ORDER BY ${order} LIMIT ${take} OFFSET ${skip}`
        : asked?.length === 1
        ? sql`${
          inOrder(sql`${asked[0]}`, told, slotsOf(asked[0]!), take)
        } ORDER BY ${order} LIMIT ${take} OFFSET ${skip}`
        : sql`
        SELECT ${told} FROM ${queues} AS q CROSS JOIN tasks ON tasks.id IN (SELECT id FROM (
          ${inOrder(sql`q.queue`, sql`id, priority_rank, created_at`, slotsOf(undefined), take)}
          ORDER BY ${order} LIMIT ${take + skip}))
        ORDER BY ${order} LIMIT ${take} OFFSET ${skip}`
    const whose = narrowed.length === 0
      ? sql`(SELECT counts FROM queue_counts WHERE scope = ${scope})`
      : narrowed.length === 1 && filter.project_id
      ? projects.of(filter.project_id, scope)
      : undefined
    const count = whose !== undefined
      ? sql`SELECT ${whose} AS counts`
      : few !== undefined
      ? sql`SELECT count(*) AS total FROM ${few} AND ${all} ${among}`
      : sql`
        SELECT count(*) AS total FROM (${
        places.all(
          { scope: sql`${scope}`, queue: sql`q.place`, narrowed: sql.and(narrowed) },
          sql`id`,
          sql`(SELECT queue AS place FROM ${queues}) AS q`
        )
      })`
    const question = {
      name: "tasks",
      asked: { scope, ...filter },
      revision: revision.ofTasks(sql`${scope}`),
      shown: someLeased
    }
    const { found, others: [counted] } = yield* bounded(
      { page, columns: [...Object.keys(TaskRow.fields), "priority_rank"], long: longTextsOfTasks, rows },
      (rows) => read(question, page.total === undefined ? [rows, count] : [rows])
    )
    const total = whose !== undefined
      ? Object.entries(decodeCounts(counted?.[0]?.counts))
        .reduce((sum, [queue, n]) => asked === undefined || asked.includes(queue) ? sum + n : sum, 0)
      : Number(counted?.[0]?.total)
    const answer = page.end(found, total)
    return { tasks: (yield* decodeTasks(answer.rows)).map(answered), ...answer.envelope }
  })

  /** All entries, oldest first. They outlive their task, so a deleted task still has them. */
  const history = Effect.fn("TaskQueue.history")(function*(
    id: TaskId,
    scope: ScopeName | undefined,
    query: HistoryQuery = {}
  ) {
    const asked = { id, scope, ...query }
    const page = yield* Effect.fromResult(
      pageOf(query, { name: "history", of: asked, key: { version: "number" }, whole: "all" })
    )
    const all = sql`task_id = ${id} AND ${within(sql, scope)}`
    // Entries are added at one end, if they go they go at the other, and none ever changes.
    const end = (order: string) =>
      sql`(SELECT version FROM history WHERE ${all} ORDER BY version ${sql.literal(order)} LIMIT 1)`
    const count = sql`SELECT count(*) AS total FROM history WHERE ${all}`
    const { found, others: [counted], total: entire } = yield* bounded({
      page,
      count,
      columns: Object.keys(HistoryRow.fields),
      long: ["actor", "reason", "details"],
      rows: (take) =>
        sql`
        SELECT ${
          without(sql, HistoryRow, query.content === false ? ["details"] : [], { table: "history" })
        } FROM history
        WHERE ${sql.and([all, ...beyond(sql, page, "ascending")])} ORDER BY version LIMIT ${take}`
    }, (rows) =>
      read({
        name: "history",
        asked,
        revision: sql`SELECT ${end("DESC")} AS revision, ${end("ASC")} AS oldest`
      }, page.limit < 0 || page.total !== undefined ? [rows] : [rows, count]))
    const { envelope: { next_cursor, total }, rows: entries } = page.end(
      found,
      entire ?? Number(counted?.[0]?.total ?? found.length)
    )
    if (total === 0) return yield* TaskNotFound.of(id)
    return { task_id: id, history: yield* decodeHistory(entries), total, next_cursor }
  })

  return { get, handoff, list, history }
})
