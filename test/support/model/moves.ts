import { type Bench, idOf, type Steps } from "./Bench.ts"
import { handedOn, mayGo, release } from "./World.ts"

export const make = (
  { expecting, queue, world: { tasks } }: Bench
): Steps<"Submit" | "Accept" | "Reject" | "Requeue" | "Fail"> => ({
  Submit: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    const settling = task?.queue === "requires-intervention" && task.came !== "done"
    return expecting(
      task !== undefined && (task.queue === "claimed" || settling || task.lapsed)
        && (!command.fenced || task.holder !== null || task.lapsed),
      queue.submit(
        id,
        {
          commits_count: 0,
          turns_used: command.turns,
          ...(command.fenced ? { fencing_token: task?.grants ?? 0 } : {})
        },
        undefined
      ),
      id,
      () => {
        const target = command.turns >= 80 && task!.scope === "red" ? "needs_continuation" : handedOn(task!)
        release(task!)
        Object.assign(task!, { queue: target, version: task!.version + 1 })
      }
    )
  },
  Accept: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return expecting(
      task !== undefined && mayGo(task, "done"),
      queue.accept(id, { accepted_by: "gate" }, undefined),
      id,
      () => {
        release(task!)
        Object.assign(task!, { queue: "done", version: task!.version + 1 })
      }
    )
  },
  Reject: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return expecting(
      task !== undefined && mayGo(task, "incoming"),
      queue.reject(id, { reason: "no", rejected_by: "gate" }, undefined),
      id,
      () => {
        release(task!)
        Object.assign(task!, { queue: "incoming", version: task!.version + 1, rejections: task!.rejections + 1 })
      }
    )
  },
  Requeue: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    const held = task?.queue === "claimed"
    return expecting(
      task !== undefined && (mayGo(task, "incoming") || (held && mayGo(task, task.origin!))),
      queue.requeue(id, {}, undefined),
      id,
      () => {
        const target = held ? task.origin! : "incoming"
        release(task!)
        Object.assign(task!, { queue: target, version: task!.version + 1, attempts: task!.attempts + 1 })
      }
    )
  },
  Fail: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return expecting(
      task !== undefined && task.queue !== "done" && task.queue !== "failed",
      queue.fail(id, { reason: "broken" }, undefined),
      id,
      () => {
        release(task!)
        Object.assign(task!, { queue: "failed", version: task!.version + 1 })
      }
    )
  }
})
