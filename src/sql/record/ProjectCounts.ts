/**
 * The counters of a project's tasks, by queue. They are rows of `queue_counts` beside those of scopes, under names that
 * no scope can have. So one statement updates the counters of a task's scope and of its project. A project gets its
 * counters when it is created; a foreign key keeps tasks from naming it before. The cron makes those of older projects.
 * Until then `of` counts the tasks.
 */
import { type Statement, statement } from "../Statement.ts"

/** How many projects are counted in a minute. */
const Projects = 20

/**
 * Whether a row of `queue_counts` belongs to a scope: names of scopes contain no control characters
 * (`domain/Identifier.ts`).
 */
export const isScope = "queue_counts.scope >= ' '"

/** The name of a project's counters in `queue_counts.scope`, as an expression. It is null without a project. */
export const keyOf = (project: string): string => `char(31) || ${project}`

/** The number of tasks of the project `:id` in each queue, as an expression. `scope` is an expression too. */
export const of = (scope: string): string =>
  `coalesce(
  (SELECT counts FROM queue_counts WHERE queue_counts.scope = ${keyOf(":id")}
    AND EXISTS (SELECT 1 FROM projects WHERE id = :id AND projects.scope = ${scope})),
  (SELECT json_group_object(queue, n) FROM (
    SELECT queue, count(*) AS n FROM tasks INDEXED BY tasks_project
    WHERE project_id = :id AND scope = ${scope} GROUP BY queue)))`

/** The same for each row of `projects`, which may be the table or an alias. */
export const ofEach = `coalesce(
  (SELECT counts FROM queue_counts WHERE queue_counts.scope = ${keyOf("projects.id")}),
  (SELECT json_group_object(queue, n) FROM (
    SELECT queue, count(*) AS n FROM tasks INDEXED BY tasks_project
    WHERE project_id = projects.id AND tasks.scope = projects.scope GROUP BY queue)))`

/** The next projects to count: those after the place where the cron stopped, until it has counted all. */
const next = `
  SELECT projects.id FROM (
      SELECT coalesce(max(position), '') AS position FROM sweeps WHERE name = 'projects'
      HAVING coalesce(max(due_at), 0) = 0) AS place
    CROSS JOIN projects ON projects.id > place.position
  ORDER BY projects.id LIMIT ${Projects}`

/** Whether the cron has not yet come to the end of the projects. */
export const anyOld: Statement = statement(
  "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM sweeps WHERE name = 'projects' AND due_at > 0)"
)

/** Counts the tasks of a few projects without counters. */
export const countOld: Statement = statement(`
  INSERT INTO queue_counts (scope, counts)
  SELECT ${keyOf("old.id")}, (
    SELECT json_group_object(queue, n)
    FROM (SELECT queue, count(*) AS n FROM tasks WHERE project_id = old.id GROUP BY queue))
  FROM (${next}) AS old
  WHERE NOT EXISTS (SELECT 1 FROM queue_counts WHERE scope = ${keyOf("old.id")}) ON CONFLICT DO NOTHING`)

/** Stores the place where `countOld` stopped, or that it is done. */
export const countedOld: Statement = statement(`
  INSERT INTO sweeps (name, position, due_at)
  SELECT 'projects', coalesce(max(id), ''), iif(count(*) < ${Projects}, 9e15, 0) FROM (${next})
  WHERE true HAVING NOT EXISTS (SELECT 1 FROM sweeps WHERE name = 'projects' AND due_at > 0)
  ON CONFLICT (name) DO UPDATE SET position = excluded.position, due_at = excluded.due_at`)
