/** What the feed says about a column of the board. */
import type { TaskEvent } from "../../api/Contract.ts"

/** What some changes mean for a column that shows these tasks. */
export const changesOf = (
  events: ReadonlyArray<Pick<TaskEvent, "task_id" | "project_id" | "from_queue" | "to_queue">>,
  { project, queue, shown }: { readonly project: string; readonly queue: string; readonly shown: ReadonlySet<string> },
  before: { readonly left: ReadonlyMap<string, string>; readonly came: ReadonlySet<string> }
) => {
  const left = new Map(before.left)
  const came = new Set(before.came)
  let touched = false
  for (const { from_queue, project_id, task_id, to_queue } of events) {
    // The feed names the project before the change: null at the creation of a task.
    if (project_id !== project && !(project_id === null && from_queue === null)) continue
    if (to_queue === queue && from_queue !== queue) {
      left.delete(task_id)
      if (!shown.has(task_id)) came.add(task_id)
      touched = true
    } else if (to_queue !== queue && (from_queue === queue || shown.has(task_id))) {
      came.delete(task_id)
      if (shown.has(task_id)) left.set(task_id, to_queue ?? "deleted")
      touched = true
    } else if (to_queue === queue) touched = true
  }
  return { left, came, touched }
}
