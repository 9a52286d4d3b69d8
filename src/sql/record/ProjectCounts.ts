/**
 * The counters of a project's tasks, by queue. They are rows of `queue_counts` beside those of scopes, under names that no
 * scope can have, so that one statement keeps the counters of a task's scope and of its project. A project gets its counters when
 * it is created. Those of older projects, and of projects that had tasks before, are counted by the cron. Until then `of`
 * counts the tasks.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement as Template } from "effect/sql/Statement"
import { type Statement, statement } from "../Statement.ts"

/** How many projects are counted in a minute. */
const Projects = 20

/** Whether a row of `queue_counts` is that of a scope: names of scopes hold no control characters (`domain/Identifier.ts`). */
export const isScope = "queue_counts.scope >= ' '"

/** The name of a project's counters in `queue_counts.scope`, as an expression. It is null for no project. */
export const keyOf = (project: string): string => `char(31) || ${project}`

/** How many tasks the project `:id` of a scope has in each queue, as an expression. `scope` is an expression, too. */
export const of = (scope: string): string =>
  `coalesce(
  (SELECT counts FROM queue_counts WHERE queue_counts.scope = ${keyOf(":id")}
    AND EXISTS (SELECT 1 FROM projects WHERE id = :id AND projects.scope = ${scope})),
  (SELECT json_group_object(queue, n) FROM (
    SELECT queue, count(*) AS n FROM tasks INDEXED BY tasks_project
    WHERE project_id = :id AND scope = ${scope} GROUP BY queue)))`

/** The projects to be counted next: those after the place where the cron stopped, unless it has been through all. */
const next = `
  SELECT projects.id FROM (
      SELECT coalesce(max(position), '') AS position FROM sweeps WHERE name = 'projects'
      HAVING coalesce(max(due_at), 0) = 0) AS place
    CROSS JOIN projects ON projects.id > place.position
  ORDER BY projects.id LIMIT ${Projects}`

/** Counts the tasks of a few projects that have no counters yet. */
export const countOld: Statement = statement(`
  INSERT INTO queue_counts (scope, counts)
  SELECT ${keyOf("old.id")}, (
    SELECT json_group_object(queue, n)
    FROM (SELECT queue, count(*) AS n FROM tasks WHERE project_id = old.id GROUP BY queue))
  FROM (${next}) AS old
  WHERE NOT EXISTS (SELECT 1 FROM queue_counts WHERE scope = ${keyOf("old.id")}) ON CONFLICT DO NOTHING`)

/** Remembers how far `countOld` came, or that it has been through all projects. */
export const countedOld: Statement = statement(`
  INSERT INTO sweeps (name, position, due_at)
  SELECT 'projects', coalesce(max(id), ''), iif(count(*) < ${Projects}, 9e15, 0) FROM (${next})
  WHERE true HAVING NOT EXISTS (SELECT 1 FROM sweeps WHERE name = 'projects' AND due_at > 0)
  ON CONFLICT (name) DO UPDATE SET position = excluded.position, due_at = excluded.due_at`)

/** The old form, for statements that are not constant yet. */
export const make = memoize((sql: D1Client.D1Client) => {
  /** What the counters of a project are kept under; null for none. */
  const keyOf = (project: Fragment | string): Fragment => sql`char(31) || ${project}`

  /** The counters of projects that have no tasks yet: which of the given rows of `projects` those are, a condition. */
  const begin = (where: Fragment): Template<any> =>
    sql`
      INSERT INTO queue_counts (scope, counts) SELECT ${keyOf(sql`projects.id`)}, '{}' FROM projects
      WHERE ${where} AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.project_id = projects.id)
      ON CONFLICT DO NOTHING`

  /** How many tasks a project of the scope has in each queue, as an expression. */
  const of = (project: string, scope: Fragment | string): Fragment =>
    sql`coalesce(
      (SELECT counts FROM queue_counts WHERE queue_counts.scope = ${keyOf(project)}
        AND EXISTS (SELECT 1 FROM projects WHERE id = ${project} AND projects.scope = ${scope})),
      (SELECT json_group_object(queue, n) FROM (
        SELECT queue, count(*) AS n FROM tasks INDEXED BY tasks_project
        WHERE project_id = ${project} AND scope = ${scope} GROUP BY queue)))`

  return { keyOf, begin, of, countOld: () => [countOld(), countedOld()] }
})
