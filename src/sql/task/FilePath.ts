/** The path of a task. No other task of the scope has it. */

/** Whether the path contains the id of its task. */
export const isOwn = (id: string, path: string): boolean => path === `TASK-${id}.md`

/**
 * Whether a task of `:scope` has the path, as an expression; `path` is one too. Clients usually choose a path with the
 * id of the task. Such a path is found by that id and is in no index (`tasks_file_path`), so a new task writes one row
 * less.
 */
export const taken = (path: string): string =>
  `(EXISTS (SELECT 1 FROM tasks WHERE scope = :scope AND file_path = ${path} AND file_path <> 'TASK-' || id || '.md')
    OR EXISTS (SELECT 1 FROM tasks WHERE id = substr(${path}, 6, length(${path}) - 8)
      AND +scope = :scope AND +file_path = ${path}))`
