/**
 * Counts every counter anew, and raises tokens, revisions and the numbers of the feed above every number that may have
 * been answered: for a database that was set back by an import or by D1's Time Travel, and for counters that drifted.
 */
import { literal } from "./Literal.ts"

/** The records of scopes that lists show. */
const counted = ["tasks", "projects", "drafts", "messages", "flows"]

const revisions = ["revision", "messages_revision", "drafts_revision", "projects_revision", "machines_revision"]

/**
 * The statements, for one scope or for all (null). `now`, in milliseconds, is a number that no revision and no token
 * has reached: no list was changed, and no task was granted, so many times.
 */
export const recount = (scope: string | null, now: number): ReadonlyArray<string> => {
  const within = scope === null ? "1" : `scope = ${literal(scope)}`
  const projects = `SELECT char(31) || id FROM projects WHERE ${within}`
  return [
    // Lists are named by these numbers (If-None-Match).
    // A reader of the feed goes on after the last number that it read, so the numbers rise above that too.
    `INSERT INTO queue_counts (scope, counts, seq, ${revisions.join(", ")})
      SELECT scope, '{}',
        max(${now}, coalesce((SELECT max(seq) FROM history WHERE history.scope = known.scope AND seq > 0), 0)), ${
      revisions.map(() => now).join(", ")
    } FROM (
        SELECT DISTINCT scope FROM (
          SELECT * FROM (${counted.map((table) => `SELECT scope FROM ${table}`).join(" UNION ALL ")})
          UNION ALL SELECT scope FROM queue_counts WHERE scope >= ' ')) AS known
      WHERE ${within} ON CONFLICT (scope) DO UPDATE SET
        ${revisions.map((column) => `${column} = max(${column} + 1, ${now})`).join(", ")},
        seq = max(seq, excluded.seq),
        messages_total = NULL, drafts_total = NULL, projects_total = NULL;`,
    ...(scope === null ? [`DELETE FROM queue_counts WHERE scope < ' ' AND scope NOT IN (${projects});`] : []),
    `INSERT INTO queue_counts (scope, counts) SELECT char(31) || id, '{}' FROM projects WHERE ${within}
      ON CONFLICT DO NOTHING;`,
    `WITH counted AS MATERIALIZED (
        SELECT owner, json_group_object(queue, n) AS counts FROM (
          SELECT scope AS owner, queue, count(*) AS n FROM tasks WHERE ${within} GROUP BY scope, queue
          UNION ALL SELECT char(31) || project_id, queue, count(*) FROM tasks WHERE ${within} AND project_id > ''
          GROUP BY project_id, queue)
        GROUP BY owner)
      UPDATE queue_counts SET counts = coalesce((SELECT counts FROM counted WHERE owner = queue_counts.scope), '{}')
      WHERE ${within} OR scope IN (${projects});`,
    // Retention removes changes that were counted, so these numbers only rise.
    `UPDATE queue_counts SET
        events = json_patch(events, (SELECT json_group_object(event, max(n, coalesce(events ->> event, 0))) FROM (
          SELECT event, count(*) AS n FROM history WHERE history.scope = queue_counts.scope AND history.seq > 0 GROUP BY event))),
        lives = coalesce((SELECT json_group_object(hour % 24, json_array(hour, n)) FROM (
          SELECT at / 3600000 AS hour, count(*) AS n FROM history
          WHERE history.scope = queue_counts.scope AND history.seq > 0 AND at > ${now - 86_400_000}
            AND to_queue = 'done' AND from_queue <> 'done'
          GROUP BY 1 ORDER BY 1 DESC LIMIT 24)), '{}')
      WHERE ${within} AND scope >= ' ';`,
    // A restored row of a task has the usual value of the column.
    `UPDATE queue_counts SET by_project = 1
      WHERE scope IN (SELECT scope FROM projects WHERE ${within} AND (max_cost_usd > 0 OR max_tokens > 0));`,
    `UPDATE tasks SET by_project = 1 WHERE by_project = 0 AND scope IN (SELECT scope FROM queue_counts WHERE by_project = 1);`,
    `INSERT INTO fencing_floor (id, token) VALUES (1, ${now})
      ON CONFLICT (id) DO UPDATE SET token = max(token, excluded.token);`
  ]
}
