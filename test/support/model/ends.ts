/** Commands that cancel, release, fail or redrive tasks. */
import * as DateTime from "effect/DateTime"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { isEnd, leave, record } from "./Task.ts"

export const make = (
  { posting, queue, world: { clock, free, parked, tasks } }: Bench
): Steps<"Cancel" | "Redrive" | "Release" | "Park"> => ({
  Cancel: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && (!isEnd(task.queue) || task.queue === "cancelled"),
      queue.cancel(id, { reason: "not needed" }, undefined),
      id,
      () => {
        if (task!.queue === "cancelled") return
        if (task!.holder === null) leave(task!, { event: "cancelled", to: "cancelled" })
        else if (!task!.cancelling) {
          task!.cancelling = true
          record(task!, "cancel_requested", null)
        }
      }
    )
  },
  Redrive: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      (task?.queue === "failed" && (command.terminal || !task.terminal)) || task?.queue === "cancelled",
      queue.redrive(id, { reason: "again", terminal: command.terminal }, undefined),
      id,
      () => {
        Object.assign(task!, { attempts: 0, losses: 0, rejections: 0 })
        leave(task!, { event: "redriven", actor: null, to: "incoming" })
      }
    )
  },
  Park: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    const until = clock.now + command.seconds * 1000
    return posting(
      task !== undefined && task.holder !== null && command.off === 0,
      queue.park(id, {
        account: command.account,
        until: DateTime.makeUnsafe(until),
        fencing_token: (task?.grants ?? 0) + command.off
      }, undefined),
      id,
      () => {
        const key = `${task!.scope} ${command.account}`
        parked.set(key, Math.max(parked.get(key) ?? 0, until))
        const to = task!.queue === "claimed" ? task!.origin! : task!.queue
        leave(task!, { event: "parked", to, yields: true, terminal: task!.terminal })
        free(task!)
      }
    )
  },
  Release: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && task.holder !== null,
      queue.requeue(id, { release: true }, undefined),
      id,
      () => {
        const to = task!.queue === "claimed" ? task!.origin! : task!.queue
        leave(task!, { event: "released", to, yields: true, terminal: task!.terminal })
        free(task!)
      }
    )
  }
})
