/** Tasks, in any order: each with its row, its history, its dependencies and its counter. */
import * as Result from "effect/Result"
import { ends } from "../../../domain/task/Moves.ts"
import { reader } from "../../../domain/transfer/ImportedRecords.ts"
import { blockersOf, columnsOf, ImportedTask } from "../../../domain/transfer/ImportedTask.ts"
import type { Row } from "../../../sql/Batch.ts"
import { waitsStill } from "../../../sql/dependency/Cascade.ts"
import { blockerKey } from "../../../sql/dependency/Dependency.ts"
import * as Feed from "../../../sql/Feed.ts"
import { statement, type Values, variants } from "../../../sql/Statement.ts"
import * as FilePath from "../../../sql/task/FilePath.ts"
import { type Answers, type Planner, readAll, reportOf } from "./plan.ts"

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

/** Tasks whose path contains their id, and then the other tasks: no index finds a path that both kinds have. */
const ownFirst = <A extends { readonly id?: unknown; readonly file_path?: unknown }>(rows: ReadonlyArray<A>) =>
  [true, false].map((own) => rows.filter(({ file_path, id }) => FilePath.isOwn(String(id), String(file_path)) === own))

/** What writing would answer: a task is written if nothing is in its way. */
const rehearse = ({ verdicts = [] }: Answers, projects: ReadonlyArray<string>): Answers => {
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
  return {
    written,
    verdicts: found.map((row) => ({
      ...row,
      here: row.here === 1 || ids.has(row.id) ? 1 : 0,
      path_taken: row.path_taken === 1 || paths.has(row.file_path) ? 1 : 0
    }))
  }
}

const field = (column: string) => `given.value ->> '${column}'`

const project = `SELECT 1 FROM projects WHERE id = ${field("project_id")} AND scope = :scope`

// A task with the id of a deleted task continues the counts of that one.
const before = (column: string) =>
  `coalesce((SELECT ${column} FROM history WHERE task_id = ${field("id")} ORDER BY version DESC LIMIT 1), 0)`

/** Writes the tasks of the JSON list `rows`, if nothing is in their way. */
const insert = variants((rows: string, columns: string) =>
  statement(`
    INSERT INTO tasks (scope, loss_limit, attempt_limit, version, grants, ${columns})
    SELECT :scope, iif(${field("claimed_by")} IS NULL, NULL, :loss_limit), iif(${
    field("claimed_by")
  } IS NULL, NULL, :attempt_limit),
      max(${field("version")}, ${before("version")} + 1),
      iif(${field("claimed_by")} IS NULL, ${before("grants")}, max(${field("fencing_token")}, ${before("grants")} + 1)),
      ${columns.split(", ").map(field).join(", ")}
    FROM json_each(${rows}) AS given
    WHERE (${field("project_id")} IS NULL OR EXISTS (${project})) AND NOT ${FilePath.taken(field("file_path"))}
    ON CONFLICT DO NOTHING RETURNING id`)
)

const verdicts = `
  SELECT ${field("id")} AS id, ${field("file_path")} AS file_path, ${field("project_id")} AS project_id,
    EXISTS (SELECT 1 FROM tasks WHERE id = ${field("id")} AND +scope = :scope) AS here,
    EXISTS (SELECT 1 FROM tasks WHERE id = ${field("id")} AND scope <> :scope) AS elsewhere,
    ${FilePath.taken(field("file_path"))} AS path_taken,
    ${field("project_id")} IS NOT NULL AND NOT EXISTS (${project}) AS unknown_project
  FROM json_each(:tasks_keys) AS given ORDER BY given.key`
const judged = statement(verdicts)

/**
 * The tasks that this batch has written: others have history already. The `+` keeps SQLite from searching the whole
 * scope.
 */
const written = "unrecorded WHERE id IN (SELECT value ->> 'id' FROM json_each(:tasks_keys)) AND +scope = :scope"

const dependencies = statement(`
  INSERT OR IGNORE INTO dependencies (scope, blocker_key, blocker_id, task_id, position)
  SELECT :scope, value ->> 'key', value ->> 'blocker', value ->> 'task', value ->> 'position' FROM json_each(:edges)
  WHERE value ->> 'task' IN (SELECT id FROM ${written})`)

/** Marks dependencies whose blockers are done, or failed with `on_failure: "skip"`. */
const satisfied = (which: string) =>
  statement(`
    UPDATE dependencies SET satisfied_at = :now WHERE satisfied_at IS NULL AND ${which} AND EXISTS (
      SELECT 1 FROM waits WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met)`)

const ownSatisfied = satisfied(
  "+scope = :scope AND task_id IN (SELECT value ->> 'task' FROM json_each(:edges))"
)

const blocked = statement(`UPDATE tasks SET blocked_by = ${waitsStill} WHERE id IN (SELECT id FROM ${written})`)

const countersMade = statement(`
  INSERT INTO queue_counts (scope, counts) SELECT :scope, '{}' WHERE EXISTS (SELECT 1 FROM ${written})
  ON CONFLICT DO NOTHING`)

const recorded = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, to_queue, reason, grants, at, title, project_id)
  SELECT id, version, scope, ${
  Feed.nextSeq("unrecorded", "many")
}, 'imported', queue, 'Copied from another server.', grants,
    :now, title, project_id
  FROM ${written}`)

// Tasks may wait for imported tasks that have ended. `updated_at` of the waiting tasks stays: it shows when someone
// worked on them.
const toEnded = "+scope = :scope AND blocker_key IN (SELECT value FROM json_each(:ended))"
const dependents = `(SELECT task_id FROM dependencies WHERE ${toEnded})`
const endedSatisfied = satisfied(toEnded)
const unblockedRecorded = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${
  Feed.nextSeq("foreseen", "many")
}, iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue,
    'A task it waited for was imported, and is over.', grants, :now, title, project_id
  FROM foreseen WHERE id IN ${dependents} AND blocked_by IS NOT waits_for`)
const unblocked = statement(`
  UPDATE tasks SET version = planned.version, blocked_by = ${waitsStill}
  FROM planned WHERE planned.id = tasks.id AND tasks.id IN ${dependents}`)

const counted = Feed.counted("= :scope")

export const planTasks: Planner = {
  verdicts,
  columns: Object.fromEntries(
    ["id", "file_path", "project_id", "here", "elsewhere", "path_taken", "unknown_project"].map((name) => [name, name])
  ),
  none: { tasks_keys: "[]" },
  plan: ({ attempt, dryRun, now, scope }, records) => {
    const { conflicts, fitting } = readAll("tasks", read, records)
    const rows = fitting.map(({ task }) => columnsOf(task, now))
    const columns = Object.keys(rows[0] ?? {}).filter((name) => name !== "version" && name !== "fencing_token").join(
      ", "
    )
    const keys = rows.map(({ file_path, id, project_id }) => ({ file_path, id, project_id }))
    const edges = fitting.flatMap(({ blockers, task }) =>
      blockers.map((blocker, position) => ({ task: task.id, blocker, position, key: blockerKey(blocker) }))
    )
    const ended = fitting.flatMap(({ task }) => ends.includes(task.queue) ? [blockerKey(task.id)] : [])
    const [own = [], others = []] = ownFirst(rows)
    const values: Values = {
      ...attempt,
      scope,
      now,
      tasks_keys: JSON.stringify(keys),
      own: JSON.stringify(own),
      others: JSON.stringify(others),
      edges: JSON.stringify(edges),
      ended: JSON.stringify([...new Set(ended)])
    }
    return {
      values,
      steps: rows.length === 0 ? {} : dryRun ? { verdicts: judged(values) } : {
        written: [insert(":own", columns)(values), insert(":others", columns)(values)],
        verdicts: judged(values),
        ...(edges.length === 0 ? {} : {
          dependencies: dependencies(values),
          satisfied: ownSatisfied(values),
          blocked: blocked(values)
        }),
        countersMade: countersMade(values),
        recorded: recorded(values),
        ...(ended.length === 0 ? {} : {
          endedSatisfied: endedSatisfied(values),
          unblockedRecorded: unblockedRecorded(values),
          unblocked: unblocked(values)
        }),
        counted: counted(values)
      },
      report: (answers, before) => {
        const { verdicts = [], written = [] } = dryRun
          ? rehearse(answers, before.get("projects")?.written ?? [])
          : answers
        return reportOf(
          "tasks",
          written.map(({ id }) => String(id)),
          verdicts.map((row) => ({ id: String(row.id), problem: problem(row) })),
          conflicts
        )
      }
    }
  }
}
