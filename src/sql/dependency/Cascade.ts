/**
 * What a planned change of tasks means for the tasks that wait for them, in the same batch: `failed` plans the failures of
 * those that fail with their blockers, `satisfied` and `unblocked` bring up to date what the others wait for, `counted` counts
 * everything that is planned, and `dependents` changes the tasks that follow.
 *
 * All of these run between the plan of the change itself (a history row ahead of its task, see the view `planned`) and the
 * statement that carries it out. So a refused change, which plans nothing, has no consequences. Where no task waits, they read
 * no row. The recursions go over ids and reach each task once, however many ways lead there.
 */
import { MaxRecord } from "../../domain/Size.ts"
import { type Statement, statement } from "../Statement.ts"

/** The dependencies of tasks that wait for the task `id`, from the view `waits`. */
const waitsFor = (id: string) => `waits ON waits.blocker = ${id}`

/** Whether a task takes no more text (`domain/Size.ts`): what is recorded about it is in its history only. */
export const oversized = `tasks.bytes > ${MaxRecord}`
export const MaxBytes = MaxRecord

/** What the task still waits for, as `blocked_by` says it. */
export const waitsStill =
  "(SELECT group_concat(blocker_id, ',' ORDER BY position) FROM dependencies WHERE task_id = tasks.id AND satisfied_at IS NULL)"

export interface Cascade {
  /** Plans the failures. Left out for a change that makes nothing fail. */
  readonly failed: Statement
  /** Marks the dependencies whose blockers are done, or failed where that does not matter; and unmarks the others. */
  readonly satisfied: Statement
  /** Plans what the waiting tasks say they wait for. */
  readonly unblocked: Statement
  /** Counts the planned moves of the tasks that follow: of those that fail. */
  readonly followersCounted: Statement
  /** Changes the tasks that follow, and answers them with the event that the log names. */
  readonly dependents: Statement
}

/** Begins a FROM clause whose rest is read only if the condition holds. D1 counts no row for it, but some for a recursion without rows. */
export const onlyIf = (condition: string) => `json_each(iif(${condition}, '[1]', '[]')) AS only CROSS JOIN`

/** Counts the planned moves of the tasks that `ids`, a query, finds. */
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

/** Counts the planned moves of the tasks that `moved`, a query for ids, finds. */
export const counted = (moved: string, condition: string): Statement => counting("", moved, condition)

/** Counts the planned move of the one task whose id the expression `id` is. */
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
   * The condition under which a task that moved fails with its own blockers: a blocker may have failed while the task was held, or
   * before the task began to wait for it. Without one, no task does.
   */
  readonly ownFailure?: string
  /** Whether the tasks are created by this batch (the view `unrecorded`), so that `dependents` changes them as well. */
  readonly created?: boolean
}

/** The tasks that move. */
interface Moved {
  /** A query for their ids. */
  readonly ids: string
  /** That an id is one of theirs. */
  readonly is: (id: string) => string
  /** A condition that does not hold where no task waits for them: then nothing else is read. */
  readonly waitedFor: string
  /** The same where they wait for no task themselves. */
  readonly waiting: string
}

/** The task `:id`. */
export const itself: Moved = {
  ids: "SELECT :id",
  is: (id) => `${id} = :id`,
  waitedFor:
    "(EXISTS (SELECT 1 FROM dependencies WHERE blocker_key = replace(:id, 'TASK-', '')) AND EXISTS (SELECT 1 FROM planned WHERE id = :id))",
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
  // The task fails with a blocker, as the batch has planned.
  const failing = "EXISTS (SELECT 1 FROM planned WHERE planned.id = affected.id AND from_queue <> to_queue)"
  // The tasks that moved, those that fail with them, and the tasks that wait for any of these.
  const affected = `affected (id) AS (
    ${ids} UNION
    SELECT waits.task_id FROM affected CROSS JOIN ${waitsFor("affected.id")} WHERE ${is("affected.id")} OR ${failing})`
  // The dependencies whose blocker moved, or fails where that does not matter.
  const touched = `affected CROSS JOIN ${waitsFor("affected.id")}
    AND (${is("affected.id")} OR (waits.on_failure = 'skip' AND ${failing}))`
  // A task that is created may fail although no task waits for it.
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
      told (id, because) AS (
        SELECT waits.task_id, min('Task ' || affected.id || CASE waits.queue WHEN 'done' THEN ' is done.'
          WHEN 'failed' THEN ' failed.' WHEN 'cancelled' THEN ' was cancelled.' ELSE ' is in ' || waits.queue || ' again.' END)
        FROM ${touched} GROUP BY waits.task_id)
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, reason, grants, at)
      SELECT foreseen.id, version + 1, scope, iif(waits_for IS NULL, 'unblocked', 'blockers_changed'), queue, queue, because,
        grants, :now
      FROM ${onlyIf(waitedFor)} told CROSS JOIN foreseen ON foreseen.id = told.id WHERE blocked_by IS NOT waits_for`),

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
