/** The dependencies of a task: its rows in `dependencies`, written and read. */
import type { Waits } from "../../domain/dependency/Dependency.ts"
import { statement, type Values } from "../Statement.ts"

/** The key of a blocker: the same for `x` and `TASK-x`. In SQL it is `replace(id, 'TASK-', '')`. */
export const blockerKey = (id: string) => id.replaceAll("TASK-", "")

/** The parameters for a list of dependencies: `:waits` with everything, `:blockers` with the names only. */
export const valuesOf = (waits: ReadonlyArray<Waits>): Values => ({
  waits: JSON.stringify(waits.map(({ blocker, on_failure }) => [blockerKey(blocker), blocker, on_failure])),
  blockers: JSON.stringify(waits.map(({ blocker }) => blocker))
})

const meant = (name: string) => `(${name}, iif(${name} GLOB 'TASK-*', substr(${name}, 6), NULL))`

/**
 * Adds or changes dependencies of the task `:id`, if the batch has planned a change of it or created it (`proof`, a
 * view).
 */
const add = (proof: "planned" | "unrecorded") =>
  statement(`
    INSERT INTO dependencies (scope, blocker_key, blocker_id, task_id, position, on_failure, satisfied_at)
    SELECT task.scope, given.value ->> 0, given.value ->> 1, task.id, given.key, given.value ->> 2, iif(EXISTS (
        SELECT 1 FROM tasks WHERE +tasks.scope = task.scope AND tasks.id IN ${meant("given.value ->> 1")}
          AND (+tasks.queue = 'done' OR (given.value ->> 2 = 'skip' AND +tasks.queue IN ('failed', 'cancelled')))),
      :now, NULL)
    FROM ${proof} AS task CROSS JOIN json_each(:waits) AS given WHERE task.id = :id
    ON CONFLICT (blocker_key, task_id, blocker_id) DO UPDATE SET position = excluded.position,
      on_failure = excluded.on_failure,
      satisfied_at = iif(excluded.satisfied_at IS NULL, NULL, coalesce(satisfied_at, excluded.satisfied_at))`)

/** Adds the dependencies of a task that this batch creates. */
export const ofCreated = add("unrecorded")

/** Adds or changes the dependencies of a task that this batch changes. */
export const ofChanged = add("planned")

/** Removes the dependencies of a task that this batch changes, except for those on `:blockers`. */
export const removed = statement(`
  DELETE FROM dependencies WHERE task_id = :id AND EXISTS (SELECT 1 FROM planned WHERE planned.id = :id)
    AND blocker_id NOT IN (SELECT value FROM json_each(:blockers))`)

/**
 * Answers the dependencies of a task in order, with the queue of each blocker. If a name means two tasks, the one that
 * is done counts.
 */
export const listed = statement(`
  SELECT blocker_id, on_failure, satisfied_at, (
    SELECT queue FROM tasks WHERE tasks.id IN ${meant("dependencies.blocker_id")} AND +tasks.scope = dependencies.scope
    ORDER BY queue = 'done' DESC, tasks.id = dependencies.blocker_id DESC LIMIT 1) AS queue
  FROM dependencies WHERE task_id = :id ORDER BY position`)

/** Answers the names and `on_failure` of a task's blockers, in order. */
export const named = statement("SELECT blocker_id, on_failure FROM dependencies WHERE task_id = :id ORDER BY position")
