/**
 * The counters of a project, beside those of its scope in `queue_counts`: under a name that no scope can have, so that the
 * statement which keeps the one keeps both. A project has counters from when it is created, or else from when the cron first
 * counts it; until then its tasks are counted.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"

// How many projects are counted in a minute.
const Projects = 20

/** Which counters are kept under this name: names of scopes hold no control characters (domain/Identifier.ts). */
export const isScope = "queue_counts.scope >= ' '"

export const make = memoize((sql: D1Client.D1Client) => {
  /** What the counters of a project are kept under; null for none. */
  const keyOf = (project: Fragment | string): Fragment => sql`char(31) || ${project}`

  /** The counters of projects that have no tasks yet: which of the given rows of `projects` those are, a condition. */
  const begin = (where: Fragment): Statement<any> =>
    sql`
      INSERT INTO queue_counts (scope, counts) SELECT ${keyOf(sql`projects.id`)}, '{}' FROM projects
      WHERE ${where} AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.project_id = projects.id)
      ON CONFLICT DO NOTHING`

  /** Has no counters any more, when `where` holds. */
  const end = (project: string, where: Fragment): Statement<any> =>
    sql`DELETE FROM queue_counts WHERE scope = ${keyOf(project)} AND ${where}`

  /** How many tasks a project of the scope has in each queue, as an expression. */
  const of = (project: string, scope: Fragment | string): Fragment =>
    sql`coalesce(
      (SELECT counts FROM queue_counts WHERE queue_counts.scope = ${keyOf(project)}
        AND EXISTS (SELECT 1 FROM projects WHERE id = ${project} AND projects.scope = ${scope})),
      (SELECT json_group_object(queue, n) FROM (
        SELECT queue, count(*) AS n FROM tasks INDEXED BY tasks_project
        WHERE project_id = ${project} AND scope = ${scope} GROUP BY queue)))`

  /** Counts projects of before there were counters, a few at a time, and remembers that it is through. */
  const countOld = (): ReadonlyArray<Statement<any>> => [
    sql`
      INSERT INTO queue_counts (scope, counts)
      SELECT ${keyOf(sql`old.id`)}, (
        SELECT json_group_object(queue, n)
        FROM (SELECT queue, count(*) AS n FROM tasks WHERE project_id = old.id GROUP BY queue))
      FROM (
        SELECT projects.id FROM (
            SELECT coalesce(max(position), '') AS position FROM sweeps WHERE name = 'projects'
            HAVING coalesce(max(due_at), 0) = 0) AS place
          CROSS JOIN projects ON projects.id > place.position
        ORDER BY projects.id LIMIT ${Projects}) AS old
      WHERE NOT EXISTS (SELECT 1 FROM queue_counts WHERE scope = ${keyOf(sql`old.id`)}) ON CONFLICT DO NOTHING`,
    sql`
      INSERT INTO sweeps (name, position, due_at)
      SELECT 'projects', coalesce(max(id), ''), iif(count(*) < ${Projects}, 9e15, 0) FROM (
        SELECT projects.id FROM (
            SELECT coalesce(max(position), '') AS position FROM sweeps WHERE name = 'projects'
            HAVING coalesce(max(due_at), 0) = 0) AS place
          CROSS JOIN projects ON projects.id > place.position
        ORDER BY projects.id LIMIT ${Projects})
      WHERE true HAVING NOT EXISTS (SELECT 1 FROM sweeps WHERE name = 'projects' AND due_at > 0)
      ON CONFLICT (name) DO UPDATE SET position = excluded.position, due_at = excluded.due_at`
  ]

  return { keyOf, begin, end, of, countOld }
})
