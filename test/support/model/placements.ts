/** What a PATCH or an administrator does: tasks go where they are put, and leave no contradiction. */
import { assert } from "@effect/vitest"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { record, release, waiting } from "./Task.ts"

const DefaultLeaseMillis = 300_000

export const make = (
  { expecting, posting, queue, world }: Bench
): Steps<"Move" | "Force" | "Assign" | "Retitle"> => {
  const { free, grant, tasks, unmet } = world
  return {
    Move: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(
        // Nobody gets a task with an unmet blocker. It becomes done only by an accept.
        task !== undefined
          && (command.queue !== "claimed" || task.holder !== null || unmet(id).length === 0)
          && (command.queue !== "done" || task.queue === "done"),
        queue.patch(id, { queue: command.queue }, undefined),
        id,
        () => {
          const from = task!.queue
          const { cancelling, holder, origin } = task!
          if (from === command.queue) {
            // A failed task may name a holder. The PATCH that fails it takes it from them.
            if (from !== "failed" || holder === null) return
            record(task!, "patched", holder)
            release(task!)
            free(task!)
            return
          }
          assert.isTrue(holder === null || origin !== null)
          // If a cancellation was requested, the PATCH that ends the lease cancels the task. Only to fail it is a
          // verdict.
          const queue = command.queue !== "claimed" && command.queue !== "failed" && cancelling
            ? "cancelled"
            : command.queue
          if (queue === "requires-intervention" && origin !== queue) task!.came = from
          record(task!, "patched", holder)
          task!.queue = queue
          task!.reasoned = false
          task!.terminal = false
          if (queue !== "claimed") {
            release(task!)
            if (holder !== null) free(task!)
          } else if (holder === null) grant(task!, "unknown", DefaultLeaseMillis, waiting(from), false)
          else Object.assign(task!, { origin: waiting(from), lapsed: null })
        }
      )
    },
    Force: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return posting(
        task !== undefined && (command.queue !== "claimed" || unmet(id).length === 0),
        queue.force(id, { queue: command.queue, reason: "stuck" }, undefined),
        id,
        () => {
          const from = task!.queue
          const origin = from === "claimed" ? task!.origin! : waiting(from)
          const again = from === command.queue || origin === command.queue
          if (command.queue === "requires-intervention" && !again) task!.came = from
          if (from !== "failed") task!.reasoned = true
          if (command.queue !== "failed") task!.terminal = false
          record(task!, "force_queue", "administrator")
          task!.queue = command.queue
          release(task!)
          if (command.queue === "claimed") grant(task!, "unknown", DefaultLeaseMillis, origin, false)
        }
      )
    },
    Assign: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(
        task !== undefined && (command.agent === null || command.agent === task.holder
          || (task.queue !== "done" && unmet(id).length === 0)),
        queue.patch(id, { claimed_by: command.agent }, undefined),
        id,
        () => {
          const { agent } = command
          if (agent === task!.holder) return
          record(task!, "patched", task!.holder)
          if (agent === null) {
            const { cancelling, origin } = task!
            if (cancelling) task!.queue = "cancelled"
            else if (task!.queue === "claimed") task!.queue = origin!
            release(task!)
            free(task!)
            return
          }
          const from = task!.queue
          const origin = from === "claimed" ? task!.origin! : from
          if (from === "incoming") task!.queue = "claimed"
          const { cancelling } = task!
          grant(task!, agent, DefaultLeaseMillis, origin, false)
          // The new holder is asked to stop, like the one before.
          task!.cancelling = cancelling
        }
      )
    },
    Retitle: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(task !== undefined, queue.patch(id, { title: command.title }, undefined), id, () => {
        if (task!.title === command.title) return
        record(task!, "edited", task!.holder)
        task!.title = command.title
      })
    }
  }
}
