/** An export as SQL for an empty scope or server. */
import type { Header, Line } from "../../../src/cli/transfer/Dump.ts"
import { literal } from "../../../src/sql/transfer/Literal.ts"
import { exclusions, settle } from "../../../src/sql/transfer/Settle.ts"
import { insert } from "./insert.ts"
import type { Merged } from "./scopes.ts"

/**
 * Fails if the history of a task is of another scope as well: the scope had none before, so the file names a task that another
 * scope has, or had. The table has a single row, which has the id 1.
 */
const onlyOwnHistory = (within: string) =>
  `INSERT INTO fencing_floor (id, token) SELECT 2, 0 WHERE EXISTS (
    SELECT 1 FROM history AS other
    WHERE NOT (other.${within}) AND other.task_id IN (SELECT task_id FROM history WHERE ${within}));`

type Known = Readonly<Record<"tasks" | "projects", ReadonlySet<unknown>>> & {
  /** The drafts of each scope. */
  readonly drafts: ReadonlyMap<unknown, ReadonlySet<number>>
}

type Moved = Merged["draftsMoved"]

/** The kind of a record in the answer of a request: those that may name a draft by its number. */
const kindOf = (record: Line["record"]): string | undefined =>
  "linked_project_id" in record
    ? "drafts"
    : "entity_type" in record
    ? "actions"
    : "from_actor" in record && "task_id" in record
    ? "messages"
    : undefined

/** Gives drafts other numbers, and what names them by those. */
const renumbered = ({ kind, record }: Line, moved: Moved, known: Known): Line => {
  if (kind === "idempotency_keys") {
    // A repeated request is answered with the number that the draft has now.
    const answer: unknown = JSON.parse(String(record["answer"]))
    const rows = Array.isArray(answer) ? answer as ReadonlyArray<Line["record"]> : []
    if (moved.size === 0 || !rows.some((row) => kindOf(row) !== undefined)) return { kind, record }
    const own = rows.map((row) => renumbered({ kind: kindOf(row) ?? "", record: row }, moved, known).record)
    return { kind, record: { ...record, answer: JSON.stringify(own) } }
  }
  const by = moved.get(String(record["scope"])) ?? 0
  if (by === 0) return { kind, record }
  const named = (id: unknown) =>
    known.drafts.get(record["scope"])?.has(Number(id)) === true ? String(Number(id) + by) : id
  if (kind === "drafts") return { kind, record: { ...record, id: Number(record["id"]) + by } }
  if (kind === "actions" && record["entity_type"] === "draft") {
    return { kind, record: { ...record, entity_id: named(record["entity_id"]) } }
  }
  // Clients write about drafts as about tasks, by their number.
  return kind === "messages" && !known.tasks.has(record["task_id"])
    ? { kind, record: { ...record, task_id: named(record["task_id"]) } }
    : { kind, record }
}

/** The statements, in order. `lines` reads the records, once more with each call. */
export const statements = async function*(
  header: Header,
  lines: () => AsyncIterable<Line>,
  now: number,
  { draftsMoved, isKept }: Merged = { draftsMoved: new Map(), isKept: () => true }
) {
  const within = header.scope === null ? "1" : `scope = ${literal(header.scope)}`
  const known = { projects: new Set<unknown>(), tasks: new Set<unknown>(), drafts: new Map<unknown, Set<number>>() }
  for await (const line of lines()) {
    const { kind, record } = line
    if (kind === "projects") yield* insert(line)
    if (kind === "projects" || kind === "tasks") known[kind].add(record.id)
    if (kind === "drafts") {
      const own = known.drafts.get(record.scope) ?? new Set()
      known.drafts.set(record.scope, own.add(Number(record.id)))
    }
  }
  const excluded = exclusions()
  for await (const { kind, record } of lines()) {
    if (kind === "projects" || !isKept({ kind, record })) continue
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
