/** What has to hold of the database whatever was sent: the invariants that SQL can tell, and that the victim's rows are as they were. */
import type { Transport } from "./Transport.ts"

type Query = NonNullable<Transport["query"]>

/** Each finds rows only where something is wrong. */
const contradictions: Record<string, string> = {
  "a counter drifted": `
    SELECT scope, key AS queue, value AS n FROM queue_counts, json_each(counts) WHERE value <> 0
    EXCEPT SELECT scope, queue, count(*) FROM tasks GROUP BY scope, queue`,
  "a queue is not counted": `
    SELECT scope, queue, count(*) AS n FROM tasks GROUP BY scope, queue
    EXCEPT SELECT scope, key, value FROM queue_counts, json_each(counts)`,
  "a version without history": `
    SELECT task_id FROM history GROUP BY task_id HAVING count(*) <> max(version) - min(version) + 1`,
  "a task whose version is not its last in history": `
    SELECT id FROM tasks WHERE version <> (SELECT max(version) FROM history WHERE task_id = tasks.id)`,
  "a task that is not where history says": `
    SELECT id, queue FROM tasks WHERE queue IS NOT (
      SELECT to_queue FROM history WHERE task_id = tasks.id ORDER BY version DESC LIMIT 1)`,
  "a lease in part": `
    SELECT id FROM tasks WHERE (claimed_by IS NULL) <> (lease_expires_at IS NULL) OR (claimed_by IS NULL) <> (fencing_token IS NULL)`,
  "a blocker that is not listed": `
    SELECT id FROM tasks WHERE (blocked_by IS NULL) <> NOT EXISTS (
      SELECT 1 FROM dependencies WHERE task_id = tasks.id AND satisfied_at IS NULL)`,
  "a project of another scope": `
    SELECT tasks.id FROM tasks JOIN projects ON projects.id = project_id WHERE projects.scope <> tasks.scope`,
  "a dependency of another scope": `
    SELECT task_id FROM dependencies JOIN tasks ON tasks.id = task_id WHERE dependencies.scope <> tasks.scope`,
  "a reference to nothing": "PRAGMA foreign_key_check",
  "a torn database": "SELECT * FROM pragma_quick_check WHERE quick_check <> 'ok'"
}

export const problems = async (query: Query): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  for (const [what, sql] of Object.entries(contradictions)) {
    const rows = await query(sql)
    if (rows.length > 0) found.push(`${what}: ${JSON.stringify(rows.slice(0, 3))}`)
  }
  return found
}

/** Every row of a scope, by table. */
export const rowsOf = async (query: Query, scope: string): Promise<Record<string, ReadonlyArray<unknown>>> => {
  const tables = await query(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%scope %TEXT%' ORDER BY name"
  )
  const rows: Record<string, ReadonlyArray<unknown>> = {}
  for (const { name } of tables) {
    rows[String(name)] = await query(`SELECT * FROM ${String(name)} WHERE scope = '${scope}'`)
  }
  return rows
}
