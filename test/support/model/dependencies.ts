/** Tasks are made to wait for others, and no longer to. */
import { TaskId } from "../../../src/domain/Identifier.ts"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { record } from "./Task.ts"

export const make = (
  { dependencies, expecting, queue, world }: Bench
): Steps<"Block" | "Depend" | "Undepend"> => {
  const { closesCycle, edges, forget, tasks, wait } = world
  const blockersOf = (id: string) => edges.filter((edge) => edge.task === id).map((edge) => edge.blocker)

  return {
    Block: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      const blockers = [...new Set(command.blockers)]
      const added = blockers.filter((blocker) => !blockersOf(id).includes(blocker))
      return expecting(
        task !== undefined && !closesCycle(task.scope, id, added),
        queue.patch(id, { blocked_by: blockers.join(",") }, undefined),
        id,
        () => {
          if ([blockersOf(id), world.unmet(id)].some((known) => known.join() === blockers.join())) return
          const before = new Map(edges.filter((edge) => edge.task === id).map((edge) => [edge.blocker, edge]))
          forget((edge) => edge.task === id)
          // A blocker that is named again keeps its `on_failure`.
          for (const blocker of blockers) {
            const known = before.get(blocker)
            if (known === undefined) wait(id, blocker, "wait")
            else edges.push(known)
          }
          record(task!, "patched", task!.holder)
        }
      )
    },
    Depend: (command) => {
      const id = idOf(command)
      const { blocker, onFailure } = command
      const task = tasks.get(id)
      const known = edges.find((edge) => edge.task === id && edge.blocker === blocker)
      return expecting(
        task !== undefined && blocker !== command.id &&
          (known !== undefined || !closesCycle(task.scope, id, [blocker])),
        dependencies.put(id, TaskId.make(blocker), { on_failure: onFailure }, undefined),
        id,
        () => {
          if (known?.onFailure === onFailure) return
          wait(id, blocker, onFailure)
          record(task!, "dependencies_changed", task!.holder)
        }
      )
    },
    Undepend: (command) => {
      const id = idOf(command)
      const task = tasks.get(id)
      return expecting(
        task !== undefined && blockersOf(id).includes(command.blocker),
        dependencies.remove(id, command.blocker, {}, undefined),
        id,
        () => {
          forget((edge) => edge.task === id && edge.blocker === command.blocker)
          record(task!, "dependencies_changed", task!.holder)
        }
      )
    }
  }
}
