/**
 * The consequences of a planned change for the dependents of the changed tasks, in the same batch. `failed` plans the
 * failures of tasks that fail with their blockers. `satisfied` and `unblocked` update the dependencies of the others.
 * `dependents` changes the dependents.
 *
 * These statements run between the plan of the change (a history row ahead of its task, see the view `planned`) and the
 * statement that counts it (`Feed.ts`). A refused change plans nothing, so it has no consequences. The recursion goes
 * over ids and reaches each task once, by however many paths.
 */
import { MaxRecord } from "../../domain/Size.ts"
import { nextSeq } from "../Feed.ts"
import { type Statement, statement } from "../Statement.ts"

/** Whether a task takes no more text (`domain/Size.ts`). Then only its history records what happens to it. */
export const oversized = `tasks.bytes > ${MaxRecord}`

/** The unmet blockers of the task, as `blocked_by` names them. */
export const waitsStill =
  "(SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies WHERE task_id = tasks.id AND satisfied_at IS NULL)"

export interface Cascade {
  /** Plans the failures. Absent if the change makes no task fail. */
  readonly failed: Statement
  /** Marks the dependencies whose blockers are done, or failed with `on_failure: "skip"`, and unmarks the others. */
  readonly satisfied: Statement
  /** Plans the new `blocked_by` of the dependents. */
  readonly unblocked: Statement
  /** Changes the dependents, and answers them with the event for the log. */
  readonly dependents: Statement
}

interface Options {
  /** The scopes of the plans: what follows the column in a condition, such as `= :scope`. */
  readonly scope: string
  /** A table and its condition: if no row is found, there are no dependents, and the rest is not read. */
  readonly waitedFor: string
  /** The same for the blockers of the moved tasks. */
  readonly waiting?: string
  /** The id of the task whose dependents are looked at, if not those of the plans: an expression. */
  readonly task?: string
  /** How many scopes the plans are of. */
  readonly rows?: "many" | "scopes"
  /**
   * The condition under which a moved task fails if one of its blockers has failed already: while the task was held, or
   * before the dependency was added. If it is absent, the blockers of moved tasks are not looked at.
   */
  readonly ownFailure?: string
}

const waitForIt = "dependencies WHERE blocker_key = replace(:id, 'TASK-', '')"
const itWaits = "dependencies WHERE task_id = :id"

/** The scope of the task `:id`, as what follows a column in a condition. */
export const itsScope = "= (SELECT scope FROM tasks WHERE id = :id)"

/** The statements for the task `:id`. */
export const ofTask = (ownFailure?: string): Cascade =>
  make({ scope: itsScope, waitedFor: waitForIt, ...(ownFailure === undefined ? {} : { waiting: itWaits, ownFailure }) })

/** The statements for the task `:id`, which the batch has created and counted, and not recorded. */
export const ofCreated = (): Cascade =>
  make({
    scope: "= :scope",
    waitedFor: `${waitForIt} OR task_id = :id`,
    waiting: itWaits,
    task: "(SELECT id FROM unrecorded WHERE id = :id)",
    ownFailure: "1"
  })

/** Begins a FROM clause whose rest is read only if a row is found. */
const ifAny = (rows: string) => `(SELECT 1 FROM ${rows} LIMIT 1) CROSS JOIN`

/** The statements for tasks that move. */
export const make = ({ ownFailure, rows = "many", scope, task, waitedFor, waiting = waitedFor }: Options): Cascade => {
  const edges = `${ifAny(waitedFor)} ${task === undefined ? "touched" : "waits AS touched"}`
  const theirs = task === undefined ? `touched.scope ${scope}` : `touched.blocker = ${task}`
  const own = ownFailure === undefined ? "" : `
        UNION SELECT waits.task_id FROM ${ifAny(waiting)} ${
    task === undefined
      ? `plans CROSS JOIN waits ON waits.task_id = plans.task_id WHERE plans.scope ${scope}`
      : `waits WHERE waits.task_id = ${task}`
  }
        AND fails AND waits.queue IN ('failed', 'cancelled') AND ${ownFailure}`
  return {
    failed: statement(`
      WITH RECURSIVE failing (id) AS (
        SELECT task_id FROM ${edges} WHERE ${theirs} AND fails AND queue IN ('failed', 'cancelled') ${own}
        UNION SELECT task_id FROM failing CROSS JOIN failable USING (id) CROSS JOIN waits ON blocker = id WHERE fails)
      INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id)
      SELECT id, version + 1, scope, ${nextSeq("failable", rows)}, 'dependency_failed', queue, 'failed', (
          SELECT min('Blocker ' || blocker || iif(queue = 'cancelled', ' was cancelled.', ' failed.')) FROM waits
          WHERE task_id = failable.id AND fails AND (queue IN ('failed', 'cancelled') OR blocker IN failing)),
        grants, :now, title, project_id
      FROM failing CROSS JOIN failable USING (id)`),

    satisfied: statement(`
      UPDATE dependencies SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
      WHERE (blocker_key, task_id, blocker_id) IN (SELECT blocker_key, task_id, blocker_id FROM ${edges} WHERE ${theirs})
        AND (satisfied_at IS NULL) = EXISTS (
          SELECT 1 FROM waits WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id AND met)`),

    unblocked: statement(`
      INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id)
      SELECT id, version + 1, scope, ${nextSeq("task", rows)}, iif(waits_for IS NULL, 'unblocked', 'blockers_changed'),
        queue, queue, because, grants, :now, title, project_id
      FROM (SELECT task_id, min(because) AS because FROM ${edges} WHERE ${theirs} GROUP BY task_id)
        CROSS JOIN foreseen AS task ON id = task_id
      WHERE blocked_by IS NOT waits_for`),

    dependents: statement(`
      UPDATE tasks SET version = task.version, queue = task.queue, blocked_by = task.blocked_by, updated_at = task.updated_at,
        lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
        needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
      FROM following AS task WHERE task.id = tasks.id
        AND tasks.id IN (SELECT plans.task_id FROM ${ifAny(waitedFor)} plans WHERE plans.scope ${scope})
      RETURNING id, scope, version, claimed_by, fencing_token, queue,
        iif(queue = 'failed' AND updated_at = :now, 'dependency_failed', iif(blocked_by IS NULL, 'unblocked', 'blocked')) AS event`)
  }
}
