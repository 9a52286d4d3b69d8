import { type Bench, idOf, type Steps } from "./Bench.ts"
import { handedOn, isEnd, leave, mayGo } from "./Task.ts"

export const make = (
  { posting, queue, world: { backsOff, free, tasks } }: Bench
): Steps<"Submit" | "Accept" | "Reject" | "Requeue" | "Fail"> => ({
  Submit: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    const settling = task?.queue === "requires-intervention" && task.came !== "done"
    return posting(
      task !== undefined && (task.queue === "claimed" || settling || task.lapsed !== null)
        && (!command.fenced || task.holder !== null || task.lapsed !== null),
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
        const burntOut = command.turns >= 80
        const to = burntOut && task!.scope === "red" ? "needs_continuation" : handedOn(task!)
        const event = burntOut && to === "needs_continuation" ? "burnout_detected" : "submitted"
        leave(task!, { event, to, actor: (task!.lapsed ?? task!).holder, yields: true })
      }
    )
  },
  Accept: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && mayGo(task, "done"),
      queue.accept(id, { accepted_by: "gate" }, undefined),
      id,
      () => {
        leave(task!, { event: "accepted", actor: "gate", to: "done" })
      }
    )
  },
  Reject: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && mayGo(task, "incoming"),
      queue.reject(id, { reason: "no", rejected_by: "gate" }, undefined),
      id,
      () => {
        leave(task!, {
          event: "rejected",
          actor: "gate",
          to: "incoming",
          yields: true,
          counts: ["rejections"],
          budget: "rejections",
          setback: true
        })
        free(task!)
      }
    )
  },
  Requeue: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    const held = task?.queue === "claimed"
    return posting(
      task !== undefined && (mayGo(task, "incoming") || (held && mayGo(task, task.origin!))),
      queue.requeue(id, {}, undefined),
      id,
      () => {
        leave(task!, {
          event: "requeued",
          to: held ? task.origin! : "incoming",
          yields: true,
          counts: ["attempts"],
          budget: "attempts",
          setback: true,
          backsOff: backsOff()
        })
        free(task!)
      }
    )
  },
  Fail: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && !isEnd(task.queue),
      queue.fail(id, { reason: "broken" }, undefined),
      id,
      () => {
        leave(task!, { event: "failed", to: "failed", setback: true })
      }
    )
  }
})
