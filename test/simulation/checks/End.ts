/** How a run ends: every task done once, or failed or cancelled for a recorded reason; and no history changed afterwards. */
import type { DatabaseSync } from "node:sqlite"
import { type Ledger, ofTasks } from "../Ledger.ts"
import { ensure } from "../Violation.ts"

/** What may end in done, and what may lead out of it; which requests those were is looked at as they are made (`Transitions.ts`). */
const arriving = new Set(["accepted", "force_queue"])
const leaving = new Set(["patched", "force_queue"])

export const check = (raw: DatabaseSync, ledger: Ledger): void => {
  for (const { cancel_reason, claimed_by, failure_reason, id, queue } of ledger.rows().values()) {
    const entries = ledger.recorded.get(id)!
    // A task that was deleted and made again is another one.
    const life = entries.slice(entries.findLastIndex(({ event }) => event === "created"))
    ensure(["done", "failed", "cancelled"].includes(queue), () => `${id} ends in ${queue}, held by ${claimed_by}`)
    const arrivals = life.filter(({ event, from_queue, to_queue }) =>
      arriving.has(event) && to_queue === "done" && from_queue !== "done"
    ).length
    // A task that a PATCH took out of done may have been done again or not.
    const departures = life.filter(({ event, from_queue, to_queue }) =>
      leaving.has(event) && from_queue === "done" && to_queue !== "done" && to_queue !== null
    ).length
    ensure(
      arrivals - departures === (queue === "done" ? 1 : 0),
      () =>
        `${id} is ${queue}, and came to done ${arrivals} times`
    )
    ensure(queue !== "failed" || failure_reason !== null, () =>
      `${id} failed, and nothing says why`)
    ensure(queue !== "cancelled" || cancel_reason !== null, () => `${id} is cancelled, and nothing says why`)
  }
  const stored = raw.prepare(`SELECT * FROM history WHERE ${ofTasks} ORDER BY task_id, version`).all()
  const known = Array.from(ledger.recorded).toSorted(([a], [b]) => a < b ? -1 : 1).flatMap(([, entries]) => entries)
  ensure(JSON.stringify(stored) === JSON.stringify(known), () => "history is not as it was written")
}
