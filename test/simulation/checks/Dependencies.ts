/**
 * Checks dependencies: no task waits for a done blocker, every dependent is updated, and tasks fail with their
 * blockers.
 */
import type { Commit, Edge, Row } from "../Ledger.ts"
import { ensure } from "../Violation.ts"

const fallen = (row: Row | undefined) => row?.queue === "failed" || row?.queue === "cancelled"

const satisfies = (edge: Edge, blocker: Row | undefined) =>
  blocker?.queue === "done" || (edge.on_failure === "skip" && fallen(blocker))

const blockerOf = (rows: ReadonlyMap<string, Row>, edge: Edge) => {
  const row = rows.get(edge.blocker_id)
  return row?.scope === edge.scope ? row : undefined
}

export const check = ({ after, before, edges, entries }: Commit): void => {
  const remaining = new Map<string, Array<string>>()
  for (const edge of edges) {
    const [task, blocker] = [after.get(edge.task_id), blockerOf(after, edge)]
    if (edge.satisfied_at === null) {
      remaining.set(edge.task_id, [...remaining.get(edge.task_id) ?? [], edge.blocker_id])
      ensure(
        !satisfies(edge, blocker),
        () => `${edge.task_id} still waits for ${edge.blocker_id}, which is ${blocker!.queue}`
      )
    }
    const fellNow = fallen(blocker) && entries.has(edge.blocker_id) && !fallen(blockerOf(before, edge))
    if (fellNow && edge.on_failure === "fail" && task !== undefined && task.claimed_by === null) {
      ensure(
        ["failed", "done", "cancelled"].includes(task.queue),
        () => `${edge.blocker_id} is ${blocker!.queue}, and ${edge.task_id}, which fails with it, is ${task.queue}`
      )
    }
  }
  for (const { blocked_by, id } of after.values()) {
    const waits = remaining.get(id)?.join(",") ?? null
    ensure(blocked_by === waits, () => `${id} shows that it waits for ${blocked_by}, and it waits for ${waits}`)
  }
}
