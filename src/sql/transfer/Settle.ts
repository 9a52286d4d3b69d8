/**
 * What follows when the records of an export are written. The pages of an export are read one after the other, so two
 * tasks may come from different moments: the statements restore the invariants between them.
 */
import { literal } from "./Literal.ts"
import { recount } from "./Recount.ts"

/** The name of a blocker means this task as well. */
const meant = "(blocker_id, iif(blocker_id GLOB 'TASK-*', substr(blocker_id, 6), NULL))"
const left =
  "(SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies WHERE task_id = tasks.id AND satisfied_at IS NULL)"

/**
 * Answers for each task, in the order of the file, the ids of tasks before it that it excludes: if two tasks have one
 * path or one open external key, the one that was read first was deleted before the other was created.
 */
export const exclusions = () => {
  const known = new Map<string, unknown>()
  return ({ external_key, file_path, id, queue, scope }: Readonly<Record<string, unknown>>): ReadonlyArray<unknown> => {
    const open = external_key != null && !["done", "failed", "cancelled"].includes(String(queue))
    const excluded: Array<unknown> = []
    for (const name of [["path", file_path], ...(open ? [["key", external_key]] : [])]) {
      const unique = JSON.stringify([scope, ...name])
      if (known.has(unique)) excluded.push(known.get(unique))
      known.set(unique, id)
    }
    return excluded
  }
}

/** The statements, for one scope or for all (null). `now` is in milliseconds. */
export const settle = (scope: string | null, now: number): ReadonlyArray<string> => {
  const within = scope === null ? "1" : `scope = ${literal(scope)}`
  return [
    `DELETE FROM dependencies WHERE ${within} AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = task_id);`,
    `INSERT INTO history (task_id, version, scope, event, from_queue, actor, reason, grants, at)
    SELECT task_id, max(version) + 1, scope, 'deleted', to_queue, 'import', 'It was deleted while it was exported.', grants, ${now}
    FROM history WHERE ${within} GROUP BY task_id
    HAVING to_queue IS NOT NULL AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = task_id);`,
    `UPDATE dependencies SET satisfied_at = ${now} WHERE ${within} AND satisfied_at IS NULL AND EXISTS (
    SELECT 1 FROM tasks WHERE tasks.id IN ${meant} AND tasks.scope = dependencies.scope
      AND (queue = 'done' OR (on_failure = 'skip' AND queue IN ('failed', 'cancelled'))));`,
    `INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
    SELECT id, version + 1, scope, iif(${left} IS NULL, 'unblocked', 'blockers_changed'), queue, queue,
      'What it waited for was done while it was exported.', grants, ${now}
    FROM tasks WHERE ${within} AND blocked_by IS NOT ${left};`,
    `UPDATE tasks SET version = version + 1, blocked_by = ${left} WHERE ${within} AND blocked_by IS NOT ${left};`,
    ...recount(scope, now),
    // History that was shortened before does not begin at the beginning, and that is no fault.
    `INSERT OR IGNORE INTO sweeps (name, position, due_at) SELECT 'history', '', 0
    WHERE EXISTS (SELECT 1 FROM history GROUP BY task_id HAVING min(iif(event = 'imported', 1, version)) > 1);`
  ]
}

/** The tables that hold something already where the export is to go, separated by commas. */
export const occupied = (scope: string | null): string => {
  const tables = [
    "tasks",
    "history",
    "projects",
    "drafts",
    "messages",
    "actions",
    "flows",
    "roles",
    "orchestrators",
    "usage",
    "usage_caps"
  ]
  const some = (table: string) =>
    `iif(EXISTS (SELECT 1 FROM ${table}${scope === null ? "" : ` WHERE scope = ${literal(scope)}`}), '${table} ', '')`
  return `SELECT ${tables.map(some).join(" || ")} AS occupied;`
}
