/** Tasks: each with its row, its history, its blockers and its count, in whatever order they come. */
import * as Result from "effect/Result"
import { ends } from "../../../domain/task/Moves.ts"
import { reader } from "../../../domain/transfer/Imported.ts"
import { blockersOf, columnsOf, ImportedTask } from "../../../domain/transfer/ImportedTask.ts"
import type { Answers, Row } from "../../../sql/Database.ts"
import * as Dependents from "../../../sql/dependency/Dependents.ts"
import * as ProjectCounts from "../../../sql/record/ProjectCounts.ts"
import * as FilePath from "../../../sql/task/FilePath.ts"
import * as Revision from "../../../sql/task/Revision.ts"
import { outcomeOf, type Planner, readAll } from "./plan.ts"

const readTask = reader(ImportedTask)

const read = (record: unknown) =>
  Result.flatMap(readTask(record), (task) => {
    const blockers = blockersOf(task)
    return typeof blockers === "string" ? Result.fail(blockers) : Result.succeed({ task, blockers })
  })

const problem = ({ elsewhere, file_path, here, path_taken, project_id, unknown_project }: Row): string | undefined =>
  here === 1
    ? undefined
    : elsewhere === 1
    ? "Another scope has a task with this id, and ids are unique on the server."
    : path_taken === 1
    ? `file_path: another task of the scope has the path ${String(file_path)} already.`
    : unknown_project === 1
    ? `project_id: the scope has no project ${
      String(project_id)
    }. Import it first or, if it is gone, create it (POST /api/v1/projects), and repeat this.`
    : "The task cannot be written."

/** Those whose files are named after them, and then the others: no index tells that they have the same path. */
const ownFirst = <A extends { readonly id?: unknown; readonly file_path?: unknown }>(rows: ReadonlyArray<A>) =>
  [true, false].map((own) => rows.filter(({ file_path, id }) => FilePath.isOwn(String(id), String(file_path)) === own))

/** What the inserts would answer, and what would be found after it: a task is written that nothing is in the way of. */
const rehearse = ([verdicts = []]: Answers, projects: ReadonlyArray<string>): Answers => {
  const found = verdicts.map((row) => projects.includes(String(row.project_id)) ? { ...row, unknown_project: 0 } : row)
  const ids = new Set<unknown>()
  const paths = new Set<unknown>()
  const written = ownFirst(found).flat().filter(({ elsewhere, file_path, here, id, path_taken, unknown_project }) => {
    const free = [here, elsewhere, path_taken, unknown_project].every((obstacle) => obstacle === 0)
      && !ids.has(id) && !paths.has(file_path)
    if (free) {
      ids.add(id)
      paths.add(file_path)
    }
    return free
  })
  return [
    written,
    [],
    found.map((row) => ({
      ...row,
      here: row.here === 1 || ids.has(row.id) ? 1 : 0,
      path_taken: row.path_taken === 1 || paths.has(row.file_path) ? 1 : 0
    }))
  ]
}

export const planTasks: Planner = (sql, { dryRun, now, scope }, records) => {
  const { conflicts, fitting } = readAll("tasks", read, records)
  if (fitting.length === 0) return { statements: [], columns: [], outcome: () => outcomeOf("tasks", [], [], conflicts) }
  const dependents = Dependents.make(sql)
  const { keyOf } = ProjectCounts.make(sql)
  const rows = fitting.map(({ task }) => columnsOf(task, now))
  const columns = Object.keys(rows[0] ?? {}).filter((name) => name !== "version" && name !== "fencing_token")
  const keys = rows.map(({ file_path, id, project_id }) => ({ file_path, id, project_id }))
  const edges = fitting.flatMap(({ blockers, task }) =>
    blockers.map((blocker, position) => ({ task: task.id, blocker, position }))
  )
  const ended = fitting.flatMap(({ task }) => ends.includes(task.queue) ? [task.id] : [])

  // The names of columns are ours, never a caller's.
  const field = (column: string) => sql.literal(`given.value ->> '${column}'`)
  const project = sql`SELECT 1 FROM projects WHERE id = ${field("project_id")} AND scope = ${scope}`
  const path_taken = FilePath.taken(sql, scope, field("file_path"))
  // Under the id of a task that was deleted it goes on counting where that one stopped.
  const before = (column: string) =>
    sql`coalesce((
      SELECT ${sql(column)} FROM history WHERE task_id = ${field("id")} ORDER BY version DESC LIMIT 1), 0)`
  // Every version has its entry in history, so the tasks whose last one is missing are those just written.
  // The `+` keeps SQLite from searching the scope for what the ids find.
  const written = sql`
    +scope = ${scope} AND id IN (SELECT value FROM json_each(${JSON.stringify(keys.map(({ id }) => id))}))
    AND NOT EXISTS (SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version)`

  const insert = (some: ReadonlyArray<object>) =>
    sql`
        INSERT INTO tasks (scope, version, grants, ${sql.csv(columns.map((column) => sql`${sql(column)}`))})
        SELECT ${scope}, max(${field("version")}, ${before("version")} + 1),
          iif(${field("claimed_by")} IS NULL, ${before("grants")}, max(${field("fencing_token")}, ${
      before("grants")
    } + 1)),
          ${sql.csv(columns.map(field))}
        FROM json_each(${JSON.stringify(some)}) AS given
        WHERE (${field("project_id")} IS NULL OR EXISTS (${project})) AND NOT ${path_taken}
        ON CONFLICT DO NOTHING RETURNING id`
  const verdicts = sql`
        SELECT ${field("id")} AS id, ${field("file_path")} AS file_path, ${field("project_id")} AS project_id,
          EXISTS (SELECT 1 FROM tasks WHERE id = ${field("id")} AND +scope = ${scope}) AS here,
          EXISTS (SELECT 1 FROM tasks WHERE id = ${field("id")} AND scope <> ${scope}) AS elsewhere,
          ${path_taken} AS path_taken,
          ${field("project_id")} IS NOT NULL AND NOT EXISTS (${project}) AS unknown_project
        FROM json_each(${JSON.stringify(keys)}) AS given ORDER BY given.key`

  const waits = edges.length === 0 ? [] : [
    dependents.dependAll(scope, edges, written),
    dependents.settle(dependents.edgesFromAll(scope, edges.map(({ task }) => task)), now),
    sql`UPDATE tasks SET blocked_by = ${dependents.remaining(sql`tasks.id`)} WHERE ${written}`
  ]
  const releases = ended.length === 0 ? [] : [
    dependents.settle(dependents.edgesToAll(scope, ended), now),
    ...dependents.refresh(
      dependents.edgesToAll(scope, ended),
      "A task it waited for was imported, and is over.",
      now
    ),
    Revision.make(sql).raiseIn("tasks", scope)
  ]
  return {
    columns: ["id", "file_path", "project_id", "here", "elsewhere", "path_taken", "unknown_project"],
    statements: dryRun ? [verdicts] : [
      ...ownFirst(rows).map(insert),
      verdicts,
      ...waits,
      sql`
        UPDATE queue_counts SET revision = revision + 1, counts = (
          SELECT json_group_object(queue, total) FROM (
            SELECT queue, sum(n) AS total FROM (
              SELECT key AS queue, value AS n FROM json_each(queue_counts.counts)
              UNION ALL SELECT queue, 1 FROM tasks WHERE ${written} AND ${keyOf(sql`project_id`)} = queue_counts.scope)
            GROUP BY queue))
        WHERE scope IN (SELECT ${keyOf(sql`project_id`)} FROM tasks WHERE ${written})`,
      sql`
        INSERT INTO queue_counts (scope, counts, revision)
        SELECT ${scope}, json_group_object(queue, n), 1
        FROM (SELECT queue, count(*) AS n FROM tasks WHERE ${written} GROUP BY queue) HAVING count(*) > 0
        ON CONFLICT (scope) DO UPDATE SET revision = revision + 1, counts = (
          SELECT json_group_object(queue, total) FROM (
            SELECT queue, sum(n) AS total FROM (
              SELECT key AS queue, value AS n FROM json_each(queue_counts.counts)
              UNION ALL SELECT key, value FROM json_each(excluded.counts))
            GROUP BY queue))`,
      sql`
        INSERT INTO history (task_id, version, scope, event, to_queue, reason, grants, at)
        SELECT id, version, scope, 'imported', queue, 'Copied from another server.', grants, ${now}
        FROM tasks WHERE ${written}`,
      ...releases
    ],
    outcome: (answers, before) => {
      const [named = [], others = [], verdicts = []] = dryRun
        ? rehearse(answers, before.get("projects")?.written ?? [])
        : answers
      return outcomeOf(
        "tasks",
        [...named, ...others].map(({ id }) => String(id)),
        verdicts.map((row) => ({ id: String(row.id), problem: problem(row) })),
        conflicts
      )
    }
  }
}
