/** The hooks of a task are completed. */
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { Hook } from "./lives.ts"
import { record } from "./Task.ts"

export const make = ({ posting, queue, world: { tasks } }: Bench): Steps<"CompleteHook"> => ({
  CompleteHook: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    return posting(
      task !== undefined && (!command.fenced || task.holder !== null || task.lapsed !== null),
      queue.completeHook(
        id,
        Hook,
        { status: "passed", ...(command.fenced ? { fencing_token: task?.grants ?? 0 } : {}) },
        undefined
      ),
      id,
      () => record(task!, "hook_completed", task!.holder)
    )
  }
})
