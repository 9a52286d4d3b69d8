/**
 * The invariants of the database: queries in plain SQLite that must return no rows, at any time and after any request
 * or crash. Each returned row is a violation. This is no part of the Worker: the tests and the doctor use it.
 */
import { MaxRecord } from "../../../src/domain/Size.ts"

// The generated column `tasks.bytes` says the same, and a database of an older release does not have it.
const bytes = [
  "file_path",
  "title",
  "priority",
  "branch",
  "flow",
  "complexity",
  "role",
  "type",
  "content",
  "blocked_by",
  "claimed_by",
  "last_rejection_reason",
  "check_results",
  "execution_notes",
  "pr_url",
  "checks",
  "staging_url",
  "plan_id",
  "hooks",
  "flow_overrides",
  "metadata",
  "cancel_reason",
  "failure_reason",
  "setbacks"
].map((name) => `coalesce(octet_length(${name}), 0)`).join(" + ")

export interface Integrity {
  /** What holds. */
  readonly name: string
  /** Finds what contradicts it. */
  readonly sql: string
  /** The migration that brought what it is about, if an older release has to be asked without it. */
  readonly since?: number
}

// After retention, or after the import of one scope, a history need not begin at its first version.
const shortened = "EXISTS (SELECT 1 FROM sweeps WHERE name = 'history')"

export const integrity: ReadonlyArray<Integrity> = [
  {
    name: "the counters equal what counting the tasks gives",
    sql: `
      SELECT replace(scope, char(31), 'project ') AS scope, queue, sum(n) AS drift FROM (
        SELECT scope, key AS queue, value AS n FROM queue_counts, json_each(counts)
        UNION ALL SELECT scope, queue, -count(*) FROM tasks GROUP BY scope, queue
        UNION ALL SELECT char(31) || project_id, queue, -count(*) FROM tasks
        WHERE char(31) || project_id IN (SELECT scope FROM queue_counts) GROUP BY project_id, queue)
      GROUP BY scope, queue HAVING sum(n) <> 0`
  },
  {
    name: "the totals equal counting the records",
    sql: ["messages", "drafts", "projects"].map((kind) => `
      SELECT scope, '${kind}' AS kind, ${kind}_total AS total FROM queue_counts AS c
      WHERE ${kind}_total <> (SELECT count(*) FROM ${kind} WHERE ${kind}.scope = c.scope)`).join(" UNION ALL ")
  },
  {
    name: "every version has one history row, and the newest is the task's own",
    sql: `
      SELECT task_id FROM history GROUP BY task_id HAVING count(*) <> max(version) - min(version) + 1
      UNION ALL
      SELECT task_id FROM history GROUP BY task_id HAVING min(iif(event = 'imported', 1, version)) > 1
        AND NOT ${shortened}
      UNION ALL
      SELECT id FROM tasks WHERE version IS NOT (SELECT max(version) FROM history WHERE task_id = tasks.id)
      UNION ALL
      SELECT id FROM tasks WHERE queue IS NOT (
        SELECT to_queue FROM history WHERE task_id = tasks.id ORDER BY version DESC LIMIT 1)`
  },
  {
    name: "every change of the feed is counted, and a task's later changes have higher numbers",
    since: 12,
    sql: `
      SELECT task_id, history.seq FROM history JOIN queue_counts ON queue_counts.scope = history.scope
      WHERE history.seq > queue_counts.seq
      UNION ALL
      SELECT task_id, later.seq FROM history AS later JOIN history AS earlier USING (task_id, scope)
      WHERE earlier.version = later.version - 1 AND later.seq <= earlier.seq`
  },
  {
    name: "every event of the feed is counted",
    since: 21,
    // Retention removes events that stay counted.
    sql: `
      SELECT history.scope, event FROM history JOIN queue_counts ON queue_counts.scope = history.scope
      WHERE history.seq IS NOT NULL GROUP BY history.scope, event HAVING count(*) > coalesce(max(events ->> event), 0)`
  },
  {
    name: "where projects may be stopped, claims find every task by its project",
    since: 20,
    sql:
      "SELECT id FROM tasks JOIN queue_counts USING (scope) WHERE queue_counts.by_project = 1 AND tasks.by_project = 0"
  },
  {
    name: "projects with a cap or a breaker are known to claims",
    since: 20,
    sql: `
      SELECT scope, id FROM projects WHERE (max_cost_usd IS NOT NULL OR max_tokens IS NOT NULL
        OR EXISTS (SELECT 1 FROM breakers WHERE breakers.scope = projects.scope AND project_id = projects.id))
        AND NOT EXISTS (SELECT 1 FROM queue_counts WHERE queue_counts.scope = projects.scope AND by_project = 1)`
  },
  {
    name: "a task moves on from the queue it was in",
    sql: `
      SELECT task_id, version FROM (
        SELECT task_id, version, from_queue, lag(to_queue) OVER own AS was, lag(version) OVER own IS NULL AS first
        FROM history WINDOW own AS (PARTITION BY task_id ORDER BY version))
      WHERE from_queue IS NOT was AND NOT (first AND version > 1 AND ${shortened})`
  },
  {
    name: "a lease is whole or absent, and a claimed task has one",
    sql: `
      SELECT id FROM tasks WHERE (claimed_by IS NULL) <> (lease_expires_at IS NULL)
        OR (claimed_by IS NULL) <> (fencing_token IS NULL) OR (claimed_by IS NULL) <> (claimed_at IS NULL)
        OR (claimed_by IS NULL) <> (claimed_from IS NULL) OR (claimed_by IS NULL AND queue = 'claimed')`
  },
  {
    name: "every grant has a token of its own, higher than those before",
    sql: `
      SELECT task_id, version FROM (
        SELECT task_id, version, grants, lag(grants) OVER (PARTITION BY task_id ORDER BY version) AS before
        FROM history WHERE event IN ('claimed', 'review_claimed'))
      WHERE grants <= before`
  },
  {
    name: "a task shows the blockers it waits for, and no others",
    sql: `
      SELECT id FROM tasks WHERE blocked_by IS NOT (
        SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies
        WHERE task_id = tasks.id AND satisfied_at IS NULL)`
  },
  {
    name: "nothing waits for a task that is done",
    // The plus signs have SQLite look tasks up by their ids, however many are done.
    sql: `
      SELECT task_id, blocker_id FROM dependencies AS edge WHERE satisfied_at IS NULL AND EXISTS (
        SELECT 1 FROM tasks WHERE +scope = edge.scope AND +queue = 'done'
          AND id IN (blocker_id, iif(blocker_id GLOB 'TASK-*', substr(blocker_id, 6), NULL)))`
  },
  {
    name: "what is kept under an idempotency key can be answered again",
    sql: "SELECT id FROM idempotency_keys WHERE answer IS NULL OR NOT json_valid(answer)"
  },
  {
    name: "the newest history row is in the scope of its task",
    sql: `
      SELECT id FROM tasks WHERE scope IS NOT (
        SELECT scope FROM history WHERE task_id = tasks.id ORDER BY version DESC LIMIT 1)`
  },
  {
    name: "a path is of one task in its scope",
    sql: "SELECT scope, file_path FROM tasks GROUP BY scope, file_path HAVING count(*) > 1"
  },
  {
    name: "what a task refers to is in its scope",
    sql: `
      SELECT tasks.id FROM tasks JOIN projects ON projects.id = project_id WHERE projects.scope <> tasks.scope
      UNION ALL
      SELECT task_id FROM dependencies JOIN tasks ON tasks.id = task_id WHERE dependencies.scope <> tasks.scope`
  },
  { name: "no task is larger than claims hand out", sql: `SELECT id FROM tasks WHERE ${bytes} > ${MaxRecord}` },
  { name: "nothing refers to what there is not", sql: "SELECT * FROM pragma_foreign_key_check" }
]
