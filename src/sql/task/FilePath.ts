/** Where a task is described: a path is taken once in a scope. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

/** Whether the file is named after the task. */
export const isOwn = (id: string, path: string): boolean => path === `TASK-${id}.md`

/**
 * Whether a task of the scope has the path, as an expression. Clients name the file after the task, and such a path is found
 * by the id that is in it: it is in no index, so that a new task writes a row less (`tasks_file_path`).
 */
export const taken = (sql: D1Client.D1Client, scope: string, path: Fragment): Fragment =>
  sql`(
    EXISTS (SELECT 1 FROM tasks WHERE scope = ${scope} AND file_path = ${path} AND file_path <> 'TASK-' || id || '.md')
    OR EXISTS (SELECT 1 FROM tasks WHERE id = substr(${path}, 6, length(${path}) - 8)
      AND +scope = ${scope} AND +file_path = ${path}))`
