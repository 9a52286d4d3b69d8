/** Reads tasks: one, a page, and the history of one. */
import * as Effect from "effect/Effect"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { handoffOf } from "../../domain/lease/Handoff.ts"
import { type ContentChoice, pageOf } from "../../domain/Page.ts"
import { type HistoryQuery, HistoryRow } from "../../domain/task/History.ts"
import { ends } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import type { TaskFilter } from "../../domain/task/TaskFilter.ts"
import { bytesOfTask, columnsWithout, longTextsOfTasks } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import * as Conditional from "../../sql/page/Conditional.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { inScope } from "../../sql/Reach.ts"
import * as ProjectCounts from "../../sql/record/ProjectCounts.ts"
import * as Revisions from "../../sql/Revisions.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"
import * as Places from "../../sql/task/Places.ts"
import { answered, decodeCounts, decodeHistory, decodeTasks, firstTask, someLeased } from "./rows.ts"

/**
 * The columns of tasks, with or without their contents, and the columns that order them. `bytes` leaves the content out
 * too.
 */
export const columnsOf = (content: boolean): string =>
  content
    ? "tasks.*"
    : `${
      columnsWithout(TaskRow, ["content"], { besides: ["priority_rank"] })
    }, bytes - coalesce(octet_length(content), 0) AS bytes`

const one = variants((content: boolean) =>
  statement(`SELECT ${columnsOf(content)} FROM tasks WHERE id = :id AND ${inScope}`)
)

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

/** The filters of a list, without the queue. An absent filter is null. */
export const filtered = [
  ...lists.map((name) => `(:${name} IS NULL OR ${name} IN (SELECT value FROM json_each(:${name})))`),
  ...values.map((name) => `(:${name} IS NULL OR ${name} = :${name})`)
].join(" AND ")

export const valuesOf = (filter: TaskFilter): Values => ({
  ...Object.fromEntries(lists.map((name) => {
    const list = filter[name]
    return [name, list === undefined || list.length === 0 ? null : JSON.stringify(list)]
  })),
  ...Object.fromEntries(values.map((name) => {
    const value = filter[name]
    return [name, value === undefined || value === "" ? null : typeof value === "boolean" ? Number(value) : value]
  }))
})

/** The queues of a list: all that hold tasks, some, one, or `done`. */
export type Queues = "all" | "some" | "one" | "done"

/** The condition that finds the tasks of a list. Filters that match few tasks have an index of their own. */
const few = {
  external_key: "tasks INDEXED BY tasks_external_key WHERE external_key = :external_key",
  held: "tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL",
  flagged: "tasks INDEXED BY tasks_flagged WHERE needs_intervention = 1",
  project: "tasks INDEXED BY tasks_project WHERE project_id = :project_id"
}
export type Finding = keyof typeof few | "queues"

const findingOf = (filter: TaskFilter): Finding =>
  filter.external_key
    ? "external_key"
    : filter.claimed_by || filter.orchestrator_id
    ? "held"
    : filter.needs_intervention === true
    ? "flagged"
    : filter.project_id
    ? "project"
    : "queues"

export const orders = {
  urgent: {
    key: { priority_rank: "number", created_at: "number", id: "string" },
    direction: "ascending",
    by: "priority_rank, created_at, id"
  },
  newest: { key: { created_at: "number", id: "string" }, direction: "descending", by: "created_at DESC, id DESC" }
} as const
export type Order = keyof typeof orders

const queuesOf = (queues: Queues): string =>
  queues === "all"
    ? "(SELECT key AS place FROM queue_counts, json_each(counts) WHERE scope = :scope)"
    : "(SELECT value AS place FROM json_each(:queues))"

export const amongQueues = (queues: Queues): string =>
  queues === "all" ? "" : "AND queue IN (SELECT value FROM json_each(:queues))"

/**
 * The newest tasks of a queue; the caller orders and limits them. Each index is in order within a priority. So the
 * query reads the first few priorities as far as the page needs them, and of each further priority as many tasks as a
 * page holds. D1 merges at most five ordered parts, and one of them covers all remaining priorities. No task in `done`
 * is ready.
 */
const newestOf = (
  columns: string,
  queue: string,
  narrowed: string,
  inTurn: { ready: number; waiting: number }
): string => {
  const places = (["ready", "waiting"] as const).map((place) => ({
    from: Places.tasksIn(place, queue),
    first: inTurn[place]
  }))
  const rest = [
    `SELECT * FROM (SELECT ${columns} FROM ${Places.tasksIn("held", queue)} ${narrowed})`,
    ...places.map(({ first, from }) => `SELECT * FROM (${Places.newestOfEach(columns, from, narrowed, first)})`)
  ]
  return [
    ...places.flatMap(({ first, from }) =>
      Array.from({ length: first }, (_, n) =>
        `SELECT * FROM (
          SELECT ${columns} FROM ${from} AND priority_rank = (${Places.priorityAfter(n, from)}) ${narrowed})`)
    ),
    `SELECT * FROM (${rest.join(" UNION ALL ")})`
  ].join(" UNION ALL ")
}

/**
 * A query for the rows of a list, from `:skip` on and `:take` at most; `:most` is their sum. `also` begins with AND.
 * `narrowed` says whether the list has other filters than the queue.
 */
export const rowsOf = (
  finding: Finding,
  queues: Queues,
  order: Order,
  { also, columns, narrowed }: { readonly also: string; readonly columns: string; readonly narrowed: boolean }
): string => {
  const { by } = orders[order]
  const page = `ORDER BY ${by} LIMIT :take OFFSET :skip`
  if (finding === "project" && order === "newest") {
    const among = `AND scope = :scope ${also} ${amongQueues(queues)}`
    return `
      SELECT ${columns} FROM tasks WHERE id IN (SELECT id FROM (
        ${Places.newestOfEach("id, created_at", few.project, among)} ORDER BY ${by} LIMIT :most))
      ${page}`
  }
  if (finding !== "queues") {
    return `SELECT ${columns} FROM ${few[finding]} AND scope = :scope ${also} ${amongQueues(queues)} ${page}`
  }
  const inOrder = (queue: string, columns: string) =>
    order === "urgent"
      ? Places.everywhere({ columns, queue, narrowed: also })
      : newestOf(
        columns,
        queue,
        also,
        narrowed ? { ready: 0, waiting: 0 } : queues === "done" ? { ready: 0, waiting: 4 } : { ready: 2, waiting: 1 }
      )
  // For several queues, the first tasks of each are found and merged. So a page costs its number of rows for each
  // queue, and does not read all tasks.
  return queues === "one" || queues === "done"
    ? `${inOrder(":queue", columns)} ${page}`
    : `
      SELECT ${columns} FROM ${queuesOf(queues)} AS q CROSS JOIN tasks ON tasks.id IN (SELECT id FROM (
        ${inOrder("q.place", "id, priority_rank, created_at")} ORDER BY ${by} LIMIT :most))
      ${page}`
}

/** What decides how large a page of tasks is, and the columns that order it. */
export const shape = {
  columns: [...Object.keys(TaskRow.fields), "priority_rank"],
  long: longTextsOfTasks,
  bytes: bytesOfTask
}

/** The statements of a page. `next` is for later pages, `narrowed` for lists with other filters than the queue. */
const pages = variants((
  finding: Finding,
  queues: Queues,
  order: Order,
  narrowed: boolean,
  content: boolean,
  next: boolean
) => {
  const { direction, key } = orders[order]
  const further = [...narrowed ? [filtered] : [], ...next ? [afterCursor(Object.keys(key), direction)] : []]
  const also = further.map((condition) => `AND ${condition}`).join(" ")
  return PageBytes.pagesOf(shape, rowsOf(finding, queues, order, { also, columns: columnsOf(content), narrowed }))
})

/** The counters of a scope, or of a project, by queue. */
const counters = {
  scope: statement("SELECT counts FROM queue_counts WHERE scope = :scope"),
  project: statement(`SELECT ${ProjectCounts.of(":scope")} AS counts`)
}

/** Counts the tasks that match. */
const total = variants((finding: Finding, queues: Queues) =>
  statement(
    finding === "queues"
      ? `SELECT count(*) AS total FROM (${
        Places.everywhere({
          columns: "id",
          queue: "q.place",
          each: `${queuesOf(queues)} AS q`,
          narrowed: `AND ${filtered}`
        })
      })`
      : `SELECT count(*) AS total FROM ${few[finding]} AND scope = :scope AND ${filtered} ${amongQueues(queues)}`
  )
)

// An entry outlives its task. Entries are added at one end and removed at the other, and never change.
const entries = `history WHERE task_id = :id AND ${inScope}`

const historyPages = variants((content: boolean, next: boolean) =>
  PageBytes.pagesOf(
    { columns: Object.keys(HistoryRow.fields), long: ["actor", "reason", "details"] },
    `
    SELECT ${content ? "*" : columnsWithout(HistoryRow, ["details"])} FROM ${entries}
      ${next ? `AND ${afterCursor(["version"], "ascending")}` : ""} ORDER BY version LIMIT :take`
  )
)

const historyRevision = statement(`
  SELECT (SELECT version FROM ${entries} ORDER BY version DESC LIMIT 1) AS revision,
    (SELECT version FROM ${entries} ORDER BY version LIMIT 1) AS oldest`)

const historyTotal = statement(`SELECT count(*) AS total FROM ${entries}`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const read = yield* Conditional.make
  const paged = yield* PageBytes.reader

  const get = Effect.fn("TaskQueue.get")(function*(
    id: TaskId,
    scope: ScopeName | undefined,
    { content = true }: ContentChoice = {}
  ) {
    const { task } = yield* batch({ task: one(content)({ id, scope: scope ?? null }) })
    return answered((yield* firstTask(task)) ?? (yield* TaskNotFound.of(id)))
  })

  const handoff = Effect.fn("TaskQueue.handoff")(function*(id: TaskId, scope: ScopeName | undefined) {
    return { task_id: id, ...handoffOf(yield* get(id, scope)) }
  })

  const list = Effect.fn("TaskQueue.list")(function*(scope: ScopeName, filter: TaskFilter) {
    const asked = filter.queue === undefined || filter.queue.length === 0 ? undefined : [...new Set(filter.queue)]
    const order = filter.sort === "priority" ? "urgent" : "newest"
    const page = yield* Effect.fromResult(pageOf(filter, {
      name: "tasks",
      of: { scope, ...filter },
      key: orders[order].key,
      // Clients that send no limit need the whole list: they count the tasks of a queue, and renew every lease in it.
      // Queues of finished tasks only grow, and of those they need the newest.
      whole: asked !== undefined && !asked.some((queue) => ends.includes(queue))
    }))
    const given = valuesOf(filter)
    const filters = Object.values(given).filter((value) => value !== null).length
    const finding = findingOf(filter)
    const queues = asked === undefined
      ? "all"
      : finding !== "queues" || asked.length > 1
      ? "some"
      : asked[0] === "done"
      ? "done"
      : "one"
    const values: Values = {
      ...given,
      ...cursorValues(page),
      scope,
      queues: JSON.stringify(asked ?? []),
      queue: asked?.[0] ?? null,
      skip: page.skip
    }
    const counted = filters === 0 ? "scope" : filters === 1 && filter.project_id ? "project" : undefined
    const count = counted === undefined
      ? total(finding, queues === "all" ? "all" : "some")(values)
      : counters[counted]({ scope, id: filter.project_id ?? null })
    const question = {
      name: "tasks",
      asked: { scope, ...filter },
      revision: Revisions.ofTasks(values),
      shown: someLeased
    }
    const { answers, found } = yield* paged({
      page,
      pages: pages(
        filter.project_id && order === "newest" ? "project" : finding,
        queues,
        order,
        filters > 0,
        filter.content ?? true,
        page.after !== undefined
      ),
      values
    }, (rows) => read(question, { rows, count: page.total === undefined ? count : undefined }))
    const [row] = answers.count
    const sum = counted === undefined
      ? Number(row?.total)
      : Object.entries(decodeCounts(row?.counts))
        .reduce((sum, [queue, n]) => asked === undefined || asked.includes(queue) ? sum + n : sum, 0)
    const answer = page.end(found, sum)
    return { tasks: (yield* decodeTasks(answer.rows)).map(answered), ...answer.envelope }
  })

  /** All entries, oldest first. Entries outlive their task, so a deleted task still has them. */
  const history = Effect.fn("TaskQueue.history")(function*(
    id: TaskId,
    scope: ScopeName | undefined,
    query: HistoryQuery = {}
  ) {
    const asked = { id, scope, ...query }
    const page = yield* Effect.fromResult(
      pageOf(query, { name: "history", of: asked, key: { version: "number" }, whole: "all" })
    )
    const values: Values = { ...cursorValues(page), id, scope: scope ?? null }
    const count = historyTotal(values)
    const question = { name: "history", asked, revision: historyRevision(values) }
    const { answers, found, total } = yield* paged({
      page,
      pages: historyPages(query.content ?? true, page.after !== undefined),
      values,
      count
    }, (rows) => read(question, { rows, count: page.limit < 0 || page.total !== undefined ? undefined : count }))
    const { envelope, rows } = page.end(found, total ?? Number(answers.count[0]?.total ?? found.length))
    if (envelope.total === 0) return yield* TaskNotFound.of(id)
    return {
      task_id: id,
      history: yield* decodeHistory(rows),
      total: envelope.total,
      next_cursor: envelope.next_cursor
    }
  })

  return { get, handoff, list, history }
})
