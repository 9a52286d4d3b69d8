/** The path of a task's file, which no other task of the scope has. */

/** Whether the file is named after the task. */
export const isOwn = (id: string, path: string): boolean => path === `TASK-${id}.md`

/**
 * Whether a task of `:scope` has the path, as an expression; `path` is one, too. Clients name the file after the task, and such a
 * path is found by the id in it: it is in no index, so that a new task writes a row less (`tasks_file_path`).
 */
export const taken = (path: string): string =>
  `(EXISTS (SELECT 1 FROM tasks WHERE scope = :scope AND file_path = ${path} AND file_path <> 'TASK-' || id || '.md')
    OR EXISTS (SELECT 1 FROM tasks WHERE id = substr(${path}, 6, length(${path}) - 8)
      AND +scope = :scope AND +file_path = ${path}))`
