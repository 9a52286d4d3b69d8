/** Ends backoffs: tasks that have waited long enough are ready again. Usually there are none. */
import { statement, type Values } from "../Statement.ts"

const due = (scope: string) => `${scope} available_at IS NOT NULL AND available_at <= :now`

// `updated_at` stays: it shows when someone worked on the task.
const make = (where: string) => ({
  backoffRecorded: statement(`
    INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, grants, at)
    SELECT id, version + 1, scope, 'backoff_ended', queue, queue, grants, :now
    FROM tasks INDEXED BY tasks_backing_off WHERE ${where}`),
  backoffCounted: statement(`
    UPDATE queue_counts SET revision = revision + 1 WHERE scope IN (
      SELECT scope FROM tasks INDEXED BY tasks_backing_off WHERE ${where})`),
  backoffEnded: statement(`
    UPDATE tasks INDEXED BY tasks_backing_off SET version = version + 1, available_at = NULL WHERE ${where}`)
})

const inScope = make(due("scope = :scope AND"))
// Reads every waiting task. It is used only if hardly any task waits.
const everywhere = make(due(""))

const bound = (steps: ReturnType<typeof make>, values: Values) => ({
  backoffRecorded: steps.backoffRecorded(values),
  backoffCounted: steps.backoffCounted(values),
  backoffEnded: steps.backoffEnded(values)
})

/** The steps for the tasks of a scope. */
export const end = (now: number, scope: string) => bound(inScope, { now, scope })

/** The steps for the tasks of every scope. */
export const endAll = (now: number) => bound(everywhere, { now })
