/** Ends backoffs: tasks that have waited long enough are ready again. Usually there are none. */
import * as Feed from "../Feed.ts"
import { statement, type Values } from "../Statement.ts"

const due = (scope: string) => `${scope} available_at IS NOT NULL AND available_at <= :now`

// `updated_at` stays: it shows when someone worked on the task.
const make = (where: string, scope: string, rows: "many" | "scopes") => ({
  backoffRecorded: statement(`
    INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, grants, at, title, project_id)
    SELECT id, version + 1, scope, ${Feed.nextSeq("tasks", rows)}, 'backoff_ended', queue, queue, grants, :now, title,
      project_id
    FROM tasks INDEXED BY tasks_backing_off WHERE ${where}`),
  backoffEnded: statement(`
    UPDATE tasks INDEXED BY tasks_backing_off SET version = version + 1, available_at = NULL WHERE ${where}`),
  counted: Feed.counted(scope)
})

const inScope = make(due("scope = :scope AND"), "= :scope", "many")
// Reads every waiting task. It is used only if hardly any task waits.
const everywhere = make(due(""), "IS NOT NULL", "scopes")

const bound = (steps: ReturnType<typeof make>, values: Values) => ({
  backoffRecorded: steps.backoffRecorded(values),
  backoffEnded: steps.backoffEnded(values),
  backoffCounted: steps.counted(values)
})

/** The steps for the tasks of a scope, in a batch that counts its plans itself. */
export const ended = (now: number, scope: string) => {
  const { backoffEnded, backoffRecorded } = end(now, scope)
  return { backoffRecorded, backoffEnded }
}

/** The steps for the tasks of a scope. */
export const end = (now: number, scope: string) => bound(inScope, { now, scope })

/** The steps for the tasks of every scope. */
export const endAll = (now: number) => bound(everywhere, { now })
