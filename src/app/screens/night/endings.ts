/** What the events of a night come to. */
import type { TaskEvent } from "../../api/Contract.ts"

export const endings = ["failed", "lost", "rejected", "done"] as const
export type Ending = typeof endings[number]

export const titles: Record<Ending, string> = {
  failed: "Failed",
  lost: "Lost",
  rejected: "Rejected",
  done: "Done"
}

const losses = new Set(["lease_expired", "review_lease_expired", "deadline_exceeded"])

/** The events that are read: those with an ending, and those that say what became of a task afterwards. */
export const readTypes = [
  "accepted",
  "rejected",
  "failed",
  "dependency_failed",
  "lease_expired",
  "review_lease_expired",
  "deadline_exceeded",
  "requeued",
  "redriven",
  "cancelled",
  "patched",
  "force_queue",
  "deleted"
]

/** What an event comes to. A rejection or a lost lease that spends the budget of a task is a failure, too. */
export const endingsOf = ({ event, from_queue, to_queue }: TaskEvent): ReadonlyArray<Ending> => [
  ...(to_queue === "failed" && from_queue !== "failed" ? ["failed" as const] : []),
  ...(losses.has(event) ? ["lost" as const] : []),
  ...(event === "rejected" ? ["rejected" as const] : []),
  ...(to_queue === "done" && from_queue !== "done" ? ["done" as const] : [])
]

export interface Happened {
  readonly event: TaskEvent
  /** The last event of the task after it, if there was one. */
  readonly next: TaskEvent | undefined
}

export interface Night {
  /** The newest first. */
  readonly of: Record<Ending, ReadonlyArray<Happened>>
  /** Failures after which nothing happened. */
  readonly stillFailed: number
  readonly projects: ReadonlyArray<{ readonly id: string | null; readonly counts: Record<Ending, number> }>
}

/** Sums up events that are in the order of their numbers. */
export const sumUp = (events: ReadonlyArray<TaskEvent>): Night => {
  const last = new Map<string, TaskEvent>()
  for (const event of events) {
    if (event.from_queue !== event.to_queue || endingsOf(event).length > 0) last.set(event.task_id, event)
  }
  const of: Record<Ending, Array<Happened>> = { failed: [], lost: [], rejected: [], done: [] }
  const projects = new Map<string | null, Record<Ending, number>>()
  for (const event of events.toReversed()) {
    const latest = last.get(event.task_id)
    const next = latest !== undefined && latest.seq > event.seq ? latest : undefined
    for (const ending of endingsOf(event)) {
      of[ending].push({ event, next })
      const counts = projects.get(event.project_id) ?? { failed: 0, lost: 0, rejected: 0, done: 0 }
      counts[ending]++
      projects.set(event.project_id, counts)
    }
  }
  return {
    of,
    stillFailed: of.failed.filter(({ next }) => next === undefined).length,
    projects: [...projects].map(([id, counts]) => ({ id, counts })).sort((a, b) =>
      b.counts.failed - a.counts.failed || b.counts.done - a.counts.done || (a.id ?? "").localeCompare(b.id ?? "")
    )
  }
}
