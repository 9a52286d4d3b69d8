/** What a PATCH or an administrator does: tasks go where they are put, and leave no contradiction. */
import { assert } from "@effect/vitest"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { release, waiting } from "./World.ts"

const DefaultLeaseSeconds = 300

export const make = (
  { expecting, queue, world }: Bench
): Steps<"Move" | "Force" | "Assign" | "Block" | "Retitle"> => {
  const { edges, grant, tasks, unmet } = world
  return {
    Move: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(
        // Nobody is given a task that waits for others.
        task !== undefined
          && (command.queue !== "claimed" || task.holder !== null || unmet(id).length === 0),
        queue.patch(id, { queue: command.queue }, undefined),
        id,
        () => {
          const from = task!.queue
          if (from === command.queue) return
          const { holder, origin } = task!
          if (command.queue !== "claimed") release(task!)
          else if (holder === null) grant(task!, "unknown", DefaultLeaseSeconds, waiting(from))
          else Object.assign(task!, { origin: waiting(from), holder, lapsed: false })
          assert.isTrue(holder === null || origin !== null)
          if (command.queue === "requires-intervention" && origin !== command.queue) task!.came = from
          Object.assign(task!, { queue: command.queue, version: task!.version + 1 })
        }
      )
    },
    Force: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(
        task !== undefined && (command.queue !== "claimed" || unmet(id).length === 0),
        queue.force(id, { queue: command.queue, reason: "stuck" }, undefined),
        id,
        () => {
          const from = task!.queue
          const origin = from === "claimed" ? task!.origin! : waiting(from)
          release(task!)
          if (command.queue === "claimed") grant(task!, "unknown", DefaultLeaseSeconds, origin)
          const again = from === command.queue || origin === command.queue
          if (command.queue === "requires-intervention" && !again) task!.came = from
          Object.assign(task!, { queue: command.queue, version: task!.version + 1 })
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
          task!.version++
          if (agent === null) {
            const origin = task!.origin!
            const claimed = task!.queue === "claimed"
            Object.assign(task!, { holder: null, origin: null, ...(claimed ? { queue: origin } : {}) })
            if (claimed) task!.lapsed = false
            return
          }
          const from = task!.queue
          const origin = from === "claimed" ? task!.origin! : from
          grant(task!, agent, DefaultLeaseSeconds, origin)
          if (from === "incoming") task!.queue = "claimed"
        }
      )
    },
    Block: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      const blockers = [...new Set(command.blockers)]
      return expecting(
        task !== undefined && !blockers.includes(command.id),
        queue.patch(id, { blocked_by: blockers.join(",") }, undefined),
        id,
        () => {
          const before = edges.filter((edge) => edge.task === id)
          if (before.map((edge) => edge.blocker).join() === blockers.join()) return
          for (const edge of before) edges.splice(edges.indexOf(edge), 1)
          for (const blocker of blockers) edges.push({ task: id, blocker, scope: task!.scope })
          task!.version++
        }
      )
    },
    Retitle: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(task !== undefined, queue.patch(id, { title: command.title }, undefined), id, () => {
        if (task!.title !== command.title) Object.assign(task!, { title: command.title, version: task!.version + 1 })
      })
    }
  }
}
