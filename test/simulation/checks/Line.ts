/** Claims that wait at their object for a task: none waits while a task is ready that it would get. */
import type { Exchange } from "../Exchange.ts"
import type { Ledger } from "../Ledger.ts"
import type { Objects } from "../objects/Objects.ts"
import { ensure } from "../Violation.ts"
import type { World } from "../World.ts"
import { isReady } from "./Claims.ts"

/** Whether it has looked for a task, found none, and waits for another look. The answer to a grant may take a while. */
const waits = ({ asked, batches, body, granted, repeats }: Exchange) =>
  asked.verb === "claim" && body.wait_seconds > 0 && batches > 0 && granted.length === 0 && !repeats

export const make = (world: World, objects: Objects, ledger: Ledger) => {
  const { journal, raw } = world
  const parked = raw.prepare("SELECT 1 FROM parked_accounts WHERE scope = ? AND account = ? AND until > ?")
  return {
    look: () => {
      const waiting = objects.underWay().filter(waits)
      for (const { body, name, scope, sentAt } of waiting) {
        journal.saw("a claim waits")
        // The end of a park or of a breaker's wait changes nothing, so it lets no claim look again.
        if (body.account != null && parked.get(scope!, body.account, sentAt) !== undefined) continue
        const role: string | undefined = body.role_filter?.[0]
        for (const row of ledger.rows().values()) {
          ensure(
            !isReady(row, scope!, body.queue ?? "incoming", role) || world.isStopped(row, sentAt),
            () => `${name} waits, and ${row.id} is ready`
          )
        }
      }
    }
  }
}
