/**
 * An export as the SQL that brings an empty scope or server to what it says, and on from there to what must hold: pages are
 * read one after the other, so that two tasks may be as they were at different moments.
 */
import type { Header, Line } from "./Dump.ts"
import { insert, literal } from "./insert.ts"

/** The name of a blocker means this task as well. */
const meant = "(blocker_id, iif(blocker_id GLOB 'TASK-*', substr(blocker_id, 6), NULL))"
const left =
  "(SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies WHERE task_id = tasks.id AND satisfied_at IS NULL)"

/** What belongs to scopes, and is told in lists. */
const told = ["tasks", "projects", "drafts", "messages", "flows"]

/** The statements, in order. `lines` reads the records, once more with each call. */
export const statements = async function*(header: Header, lines: () => AsyncIterable<Line>, now: number) {
  const within = header.scope === null ? "1" : `scope = ${literal(header.scope)}`
  const projects = new Set<unknown>()
  for await (const line of lines()) {
    if (line.kind !== "projects") continue
    projects.add(line.record.id)
    yield* insert(line)
  }
  const paths = new Map<string, unknown>()
  for await (const { kind, record } of lines()) {
    if (kind === "projects") continue
    if (kind !== "tasks") {
      yield* insert({ kind, record })
      continue
    }
    // Of two tasks that cannot both have been there, the one that was read first had been deleted when the other was.
    const { external_key, file_path, id, queue, scope } = record
    const open = external_key != null && !["done", "failed", "cancelled"].includes(String(queue))
    for (const name of [["path", file_path], ...(open ? [["key", external_key]] : [])]) {
      const unique = JSON.stringify([scope, ...name])
      if (paths.has(unique)) yield `DELETE FROM tasks WHERE id = ${literal(paths.get(unique))};`
      paths.set(unique, id)
    }
    // A project that was deleted meanwhile had no tasks left.
    yield* insert({
      kind,
      record: projects.has(record.project_id) ? record : { ...record, project_id: null }
    })
  }
  yield `DELETE FROM dependencies WHERE ${within} AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = task_id);`
  yield `INSERT INTO history (task_id, version, scope, event, from_queue, actor, reason, grants, at)
    SELECT task_id, max(version) + 1, scope, 'deleted', to_queue, 'import', 'It was deleted while it was exported.', grants, ${now}
    FROM history WHERE ${within} GROUP BY task_id
    HAVING to_queue IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = task_id);`
  yield `UPDATE dependencies SET satisfied_at = ${now} WHERE ${within} AND satisfied_at IS NULL AND EXISTS (
    SELECT 1 FROM tasks WHERE tasks.id IN ${meant} AND tasks.scope = dependencies.scope
      AND (queue = 'done' OR (on_failure = 'skip' AND queue IN ('failed', 'cancelled'))));`
  yield `INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
    SELECT id, version + 1, scope, iif(${left} IS NULL, 'unblocked', 'blockers_changed'), queue, queue,
      'What it waited for was done while it was exported.', grants, ${now}
    FROM tasks WHERE ${within} AND blocked_by IS NOT ${left};`
  yield `UPDATE tasks SET version = version + 1, blocked_by = ${left} WHERE ${within} AND blocked_by IS NOT ${left};`
  // Lists are named by these numbers (If-None-Match): they go on above any that the other server had.
  yield `INSERT INTO queue_counts (scope, counts, revision, messages_revision, drafts_revision, projects_revision)
    SELECT DISTINCT scope, '{}', ${now}, ${now}, ${now}, ${now} FROM (
      ${told.map((table) => `SELECT scope FROM ${table}`).join(" UNION ALL ")})
    WHERE ${within} ON CONFLICT (scope) DO UPDATE SET revision = ${now}, messages_revision = ${now},
      drafts_revision = ${now}, projects_revision = ${now}, messages_total = NULL, drafts_total = NULL, projects_total = NULL;`
  yield `INSERT INTO queue_counts (scope, counts) SELECT char(31) || id, '{}' FROM projects WHERE ${within};`
  yield `UPDATE queue_counts SET counts = counted.counts FROM (
      SELECT owner, json_group_object(queue, n) AS counts FROM (
        SELECT scope AS owner, queue, count(*) AS n FROM tasks WHERE ${within} GROUP BY scope, queue
        UNION ALL SELECT char(31) || project_id, queue, count(*) FROM tasks WHERE ${within} AND project_id > ''
        GROUP BY project_id, queue)
      GROUP BY owner) AS counted
    WHERE scope = counted.owner;`
  // History that was shortened before does not begin at the beginning, and that is no fault.
  yield `INSERT OR IGNORE INTO sweeps (name, position, due_at) SELECT 'history', '', 0
    WHERE EXISTS (SELECT 1 FROM history GROUP BY task_id HAVING min(iif(event = 'imported', 1, version)) > 1);`
}

/** The tables that hold something already where the export is to go, separated by commas. */
export const occupied = ({ scope }: Header): string => {
  const tables = ["tasks", "history", "projects", "drafts", "messages", "actions", "flows", "roles", "orchestrators"]
  const some = (table: string) =>
    `iif(EXISTS (SELECT 1 FROM ${table}${scope === null ? "" : ` WHERE scope = ${literal(scope)}`}), '${table} ', '')`
  return `SELECT ${tables.map(some).join(" || ")} AS occupied;`
}
