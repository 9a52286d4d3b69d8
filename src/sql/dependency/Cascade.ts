/**
 * The consequences of a planned change for the dependents of the changed tasks, in the same batch. `failed` plans the
 * failures of tasks that fail with their blockers. `satisfied` and `unblocked` update the dependencies of the others.
 * `counted` counts everything that is planned, and `dependents` changes the dependents.
 *
 * These statements run between the plan of the change (a history row ahead of its task, see the view `planned`) and the
 * statement that carries it out. A refused change plans nothing, so it has no consequences. If no task waits, they read
 * no row. The recursions go over ids and reach each task once, by however many paths.
 */
import { MaxRecord } from "../../domain/Size.ts"
import { type Statement, statement } from "../Statement.ts"

/** The dependencies on the task `id`, from the view `waits`. */
const waitsFor = (id: string) => `waits ON waits.blocker = ${id}`

/** Whether a task takes no more text (`domain/Size.ts`). Then only its history records what happens to it. */
export const oversized = `tasks.bytes > ${MaxRecord}`
export const MaxBytes = MaxRecord

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
  /** Counts the planned moves of the dependents, which are those that fail. */
  readonly followersCounted: Statement
  /** Changes the dependents, and answers them with the event for the log. */
  readonly dependents: Statement
}

/**
 * Begins a FROM clause whose rest is read only if the condition holds. D1 counts no row for it, but some for an empty
 * recursion.
 */
export const onlyIf = (condition: string) => `json_each(iif(${condition}, '[1]', '[]')) AS only CROSS JOIN`

/** Counts the planned moves of the tasks in `ids`, a query. */
const counting = (ctes: string, ids: string, condition: string): Statement =>
  statement(`
    ${ctes}
    UPDATE queue_counts SET revision = revision + 1, counts = (
      SELECT json_group_object(queue, n) FROM (
        SELECT queue, sum(step) AS n FROM (
          SELECT key AS queue, value AS step FROM json_each(counts)
          UNION ALL SELECT value ->> 0, value ->> 1 FROM json_each(moved.steps))
        GROUP BY queue HAVING sum(step) <> 0))
    FROM (
      SELECT owner, json_group_array(json_array(queue, step)) AS steps
      FROM ${onlyIf(condition)} planned_counts WHERE planned_counts.id IN (${ids}) GROUP BY owner) AS moved
    WHERE scope = moved.owner`)

/** Counts the planned moves of the tasks in `moved`, a query for ids. */
export const counted = (moved: string, condition: string): Statement => counting("", moved, condition)

/** Counts the planned move of the task with the id `id`, an expression. */
export const countedOne = (id: string): Statement =>
  statement(`
    UPDATE queue_counts SET revision = revision + 1, counts = iif(from_queue = to_queue, counts, json_patch(counts, json_object(
      from_queue, nullif(coalesce(counts ->> ('$."' || from_queue || '"'), 0) - 1, 0),
      to_queue, coalesce(counts ->> ('$."' || to_queue || '"'), 0) + 1)))
    FROM (
      SELECT scope AS owner, char(31) || project_id AS project, from_queue, to_queue FROM planned WHERE id = ${id} LIMIT 1) AS moved
    WHERE scope = moved.owner OR scope = moved.project`)

interface Options {
  /**
   * The condition under which a moved task fails with its own blockers: one may have failed while the task was held, or
   * before the dependency was added. Without it, no task does.
   */
  readonly ownFailure?: string
  /** Whether this batch creates the tasks (the view `unrecorded`). Then `dependents` changes them too. */
  readonly created?: boolean
}

/** The tasks that move. */
interface Moved {
  /** A query for their ids. */
  readonly ids: string
  /** Whether an id is one of theirs. */
  readonly is: (id: string) => string
  /** False if no task waits for them, or none of them comes to an end or back from one. Then nothing else is read. */
  readonly waitedFor: string
  /** The same, for their own blockers. */
  readonly waiting: string
}

/** The task `:id`. */
export const itself: Moved = {
  ids: "SELECT :id",
  is: (id) => `${id} = :id`,
  waitedFor:
    "(EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '')) AND EXISTS (SELECT 1 FROM ending WHERE id = :id))",
  waiting: "EXISTS (SELECT 1 FROM dependencies WHERE task_id = :id)"
}

/** The task `:id`, which this batch creates: it has no plan. */
export const itselfCreated: Moved = {
  ...itself,
  waitedFor: "EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', ''))"
}

/** The statements for tasks that move. */
export const make = (
  { ids, is, waitedFor, waiting }: Moved,
  { created = false, ownFailure }: Options = {}
): Cascade => {
  const plan = created ? "unrecorded" : "planned"
  // The batch has planned that the task fails with a blocker.
  const failing = "EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)"
  // The moved tasks, those that fail with them, and the dependents of these.
  const affected = `affected (id) AS (
    ${ids} UNION
    SELECT waits.task_id FROM affected CROSS JOIN ${waitsFor("affected.id")} WHERE ${is("affected.id")} OR ${failing})`
  // The dependencies whose blocker moved, or failed with `on_failure: "skip"`.
  const touched = `affected CROSS JOIN ${waitsFor("affected.id")}
    AND (${is("affected.id")} OR (waits.on_failure = 'skip' AND ${failing}))`
  // A created task may fail although no task waits for it.
  const others = `tasks.id IN (SELECT affected.id FROM ${
    onlyIf(created ? `${waitedFor} OR ${waiting}` : waitedFor)
  } affected) ${created ? "" : `AND NOT ${is("tasks.id")}`}`
  const own = ownFailure === undefined ? "" : `UNION ALL
      SELECT waits.task_id, 'Blocker ' || blocker || iif(waits.queue = 'failed', ' failed.', ' was cancelled.')
      FROM waits CROSS JOIN ${plan} ON ${plan}.id = waits.task_id
      WHERE ${is("waits.task_id")} AND fails AND waits.queue IN ('failed', 'cancelled') AND ${ownFailure}`
  const [queue, left] = created ? ["unrecorded.queue", "1"] : ["to_queue", "from_queue <> to_queue"]
  return {
    failed: statement(`
      WITH RECURSIVE moved (id) AS (${ids}),
      lost (id, because) AS (
        SELECT waits.task_id, 'Blocker ' || moved.id || iif(${queue} = 'failed', ' failed.', ' was cancelled.')
        FROM moved CROSS JOIN ${waitsFor("moved.id")} CROSS JOIN ${plan} ON ${plan}.id = moved.id
        WHERE fails AND ${queue} IN ('failed', 'cancelled') AND ${left}
        ${own}),
      reached (id) AS (
        SELECT id FROM lost UNION
        SELECT waits.task_id FROM reached CROSS JOIN failable USING (id) CROSS JOIN ${
      waitsFor("reached.id")
    } WHERE fails),
      reasons (id, because) AS (
        SELECT id, because FROM lost UNION ALL
        SELECT waits.task_id, 'Blocker ' || reached.id || ' failed.'
        FROM reached CROSS JOIN failable USING (id) CROSS JOIN ${waitsFor("reached.id")} WHERE fails)
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
      SELECT failable.id, version + 1, scope, 'dependency_failed', queue, 'failed', min(because), grants, :now
      FROM ${
      onlyIf(ownFailure === undefined ? waitedFor : `${waitedFor} OR ${waiting}`)
    } reasons CROSS JOIN failable ON failable.id = reasons.id
      GROUP BY failable.id`),

    satisfied: statement(`
      WITH RECURSIVE ${affected}
      UPDATE dependencies SET satisfied_at = iif(satisfied_at IS NULL, :now, NULL)
      WHERE (blocker_key, task_id, blocker_id) IN (
          SELECT waits.blocker_key, waits.task_id, waits.blocker_id FROM ${onlyIf(waitedFor)} ${touched})
        AND (satisfied_at IS NULL) = EXISTS (
          SELECT 1 FROM waits WHERE waits.task_id = dependencies.task_id AND waits.blocker_id = dependencies.blocker_id
            AND (waits.queue = 'done' OR (waits.on_failure = 'skip' AND waits.queue IN ('failed', 'cancelled'))))`),

    unblocked: statement(`
      WITH RECURSIVE ${affected},
      waiting_for (id, because) AS (
        SELECT waits.task_id, min('Task ' || affected.id || CASE waits.queue WHEN 'done' THEN ' is done.'
          WHEN 'failed' THEN ' failed.' WHEN 'cancelled' THEN ' was cancelled.' ELSE ' is in ' || waits.queue || ' again.' END)
        FROM ${touched} GROUP BY waits.task_id)
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
      SELECT foreseen.id, version + 1, scope, iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because,
        grants, :now
      FROM ${
      onlyIf(waitedFor)
    } waiting_for CROSS JOIN foreseen ON foreseen.id = waiting_for.id WHERE blocked_by IS NOT waits_for`),

    followersCounted: counting(
      `WITH RECURSIVE ${affected}`,
      `
SELECT id FROM affected WHERE NOT ${is("id")} AND ${failing}`,
      waitedFor
    ),

    dependents: statement(`
      WITH RECURSIVE ${affected}
      UPDATE tasks SET version = planned.version, queue = to_queue, blocked_by = ${waitsStill},
        updated_at = iif(queue = to_queue, updated_at, :now),
        lapsed_token = iif(queue = to_queue, lapsed_token, NULL),
        available_at = iif(queue = to_queue, available_at, NULL),
        completed_at = iif(queue = to_queue, completed_at, NULL),
        needs_intervention = iif(queue = to_queue, needs_intervention, 0),
        failure_reason = CASE WHEN queue = to_queue THEN failure_reason WHEN ${oversized} THEN NULL ELSE (
          SELECT reason FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1) END
      FROM planned WHERE planned.id = tasks.id AND ${others}
      RETURNING id, scope, version, claimed_by, fencing_token, queue,
        CASE WHEN queue = 'failed' AND updated_at = :now THEN 'dependency_failed'
          WHEN blocked_by IS NULL THEN 'unblocked' ELSE 'blocked' END AS event`)
  }
}
