/** An export as SQL for an empty scope or server. */
import type { Header, Line } from "../../../src/cli/transfer/Dump.ts"
import { literal } from "../../../src/sql/transfer/Literal.ts"
import { exclusions, settle } from "../../../src/sql/transfer/Settle.ts"
import { insert } from "./insert.ts"

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
  const excluded = exclusions()
  for await (const { kind, record } of lines()) {
    if (kind === "projects") continue
    if (kind !== "tasks") {
      yield* insert(renumbered({ kind, record }, draftsMoved, known))
      continue
    }
    for (const other of excluded(record)) yield `DELETE FROM tasks WHERE id = ${literal(other)};`
    // A project that was deleted meanwhile had no tasks left.
    yield* insert({
      kind,
      record: known.projects.has(record.project_id) ? record : { ...record, project_id: null }
    })
  }
  if (header.scope !== null) yield onlyOwnHistory(within)
  yield* settle(header.scope, now)
}
