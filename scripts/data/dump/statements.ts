/**
 * An export as SQL for an empty scope or server. The pages of an export are read one after the other, so two tasks may
 * come from different moments: the SQL also restores the invariants between them.
 */
import type { Header, Line } from "../../../src/cli/transfer/Dump.ts"
import { insert, literal } from "./insert.ts"
import { recount } from "./recount.ts"

/** The name of a blocker means this task as well. */
const meant = "(blocker_id, iif(blocker_id GLOB 'TASK-*', substr(blocker_id, 6), NULL))"
const left =
  "(SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies WHERE task_id = tasks.id AND satisfied_at IS NULL)"

/**
 * Fails if the history of a task is of another scope as well: the scope had none before, so the file names a task that another
 * scope has, or had. The table has a single row, which has the id 1.
 */
const onlyOwnHistory = (within: string) =>
  `INSERT INTO fencing_floor (id, token) SELECT 2, 0 WHERE EXISTS (
    SELECT 1 FROM history AS other
    WHERE NOT (other.${within}) AND other.task_id IN (SELECT task_id FROM history WHERE ${within}));`

/** Gives drafts other numbers, and what names them by those; `known` has the ids of what there is of each kind. */
const renumbered = (
  { kind, record }: Line,
  by: number,
  known: Readonly<Record<string, ReadonlySet<unknown>>>
): Line => {
  const named = (id: unknown) => known["drafts"]!.has(Number(id)) ? String(Number(id) + by) : id
  if (by === 0) return { kind, record }
  if (kind === "drafts") return { kind, record: { ...record, id: Number(record.id) + by } }
  if (kind === "actions" && record.entity_type === "draft") {
    return { kind, record: { ...record, entity_id: named(record.entity_id) } }
  }
  // Clients write about drafts as about tasks, by their number.
  return kind === "messages" && !known["tasks"]!.has(record.task_id)
    ? { kind, record: { ...record, task_id: named(record.task_id) } }
    : { kind, record }
}

/**
 * The statements, in order. `lines` reads the records, once more with each call. The numbers of drafts are raised by
 * `draftsMoved`.
 */
export const statements = async function*(
  header: Header,
  lines: () => AsyncIterable<Line>,
  now: number,
  draftsMoved = 0
) {
  const within = header.scope === null ? "1" : `scope = ${literal(header.scope)}`
  const known = { projects: new Set<unknown>(), tasks: new Set<unknown>(), drafts: new Set<unknown>() }
  for await (const line of lines()) {
    if (line.kind === "projects") yield* insert(line)
    if (Object.hasOwn(known, line.kind)) known[line.kind as keyof typeof known].add(line.record.id)
  }
  const paths = new Map<string, unknown>()
  for await (const { kind, record } of lines()) {
    if (kind === "projects") continue
    if (kind !== "tasks") {
      yield* insert(renumbered({ kind, record }, draftsMoved, known))
      continue
    }
    // If two tasks exclude each other, the one that was read first was deleted before the other was created.
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
      record: known.projects.has(record.project_id) ? record : { ...record, project_id: null }
    })
  }
  if (header.scope !== null) yield onlyOwnHistory(within)
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
  yield* recount(header.scope, now)
  // History that was shortened before does not begin at the beginning, and that is no fault.
  yield `INSERT OR IGNORE INTO sweeps (name, position, due_at) SELECT 'history', '', 0
    WHERE EXISTS (SELECT 1 FROM history GROUP BY task_id HAVING min(iif(event = 'imported', 1, version)) > 1);`
}

/** The tables that hold something already where the export is to go, separated by commas. */
export const occupied = ({ scope }: Header): string => {
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
