/**
 * Deletes a task. Its history and messages stay. Its dependents wait for it no longer, and proposed actions about it
 * expire.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../../domain/access/Caller.ts"
import type { ScopeName, TaskId } from "../../../domain/Identifier.ts"
import { TaskNotFound } from "../../../domain/task/TaskErrors.ts"
import * as Cascade from "../../../sql/dependency/Cascade.ts"
import { blockerKey } from "../../../sql/dependency/Dependency.ts"
import * as Feed from "../../../sql/Feed.ts"
import * as Idempotency from "../../../sql/Idempotency.ts"
import { withdrawal } from "../../../sql/record/Actions.ts"
import { statement, type Values } from "../../../sql/Statement.ts"
import { logCascade, logTransition, logTransitions } from "../log.ts"
import { firstTask } from "../rows.ts"

const recorded = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, actor, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${
  Feed.nextSeq("tasks", "first")
}, 'deleted', queue, NULL, coalesce(:actor, claimed_by), grants, :now,
    title, project_id
  FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope)`)

// The dependencies on the deleted task. If a task `TASK-<id>` exists too, that name means only that task from now on.
const onIt = `blocker_key = :key AND scope = (SELECT scope FROM planned WHERE id = :id)
  AND (blocker_id = :id OR (blocker_id = :twin AND NOT EXISTS (
    SELECT 1 FROM tasks WHERE id = :twin AND +tasks.scope = dependencies.scope)))`

const satisfied = statement(`UPDATE dependencies SET satisfied_at = :now WHERE satisfied_at IS NULL AND ${onIt}`)

const unblockedRecorded = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, reason, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${
  Feed.nextSeq("foreseen", "many")
}, iif(waits_for IS NULL, 'unblocked', 'blockers_changed'),
    queue, queue, :because, grants, :now, title, project_id
  FROM foreseen WHERE id IN (SELECT task_id FROM dependencies WHERE ${onIt}) AND blocked_by IS NOT waits_for`)

const unblocked = statement(`
  UPDATE tasks SET version = planned.version, blocked_by = ${Cascade.waitsStill}
  FROM planned WHERE planned.id = tasks.id AND tasks.id <> :id AND tasks.id IN (SELECT task_id FROM dependencies WHERE ${onIt})
  RETURNING id, scope, queue, version, claimed_by, fencing_token`)

const dependenciesOnIt = statement(`DELETE FROM dependencies WHERE ${onIt}`)
const dependenciesOfIt = statement(`
  DELETE FROM dependencies WHERE task_id = :id AND EXISTS (SELECT 1 FROM planned WHERE planned.id = :id)`)

// The task is gone when its deletion is counted, but its history is not.
const itsScope = "= (SELECT scope FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1)"
const counted = Feed.counted(itsScope)

const withdrawn = withdrawal("id IN (SELECT id FROM planned WHERE id = :id)")

const removed = statement("DELETE FROM tasks WHERE id IN (SELECT id FROM planned WHERE id = :id) RETURNING *")

// Tasks that wait for `TASK-<id>` went on when this task was done. From now on they wait for the other task only.
const named = Cascade.make({
  scope: itsScope,
  waitedFor: "dependencies WHERE blocker_key = :key",
  task: ":twin"
})

// A deletion is repeated only as a part of a bulk request, whose answer has no more than these columns.
const deletedTask = Idempotency.keeping({
  row: { id: "task_id", queue: "NULL", version: "NULL" },
  from: "history",
  where: "task_id = :id AND version = (SELECT max(version) FROM history WHERE task_id = :id)"
})

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make

  return Effect.fn("TaskQueue.remove")(function*(id: TaskId, scope: ScopeName | undefined) {
    const values: Values = {
      id,
      twin: `TASK-${id}`,
      key: blockerKey(id),
      scope: scope ?? null,
      actor: (yield* CurrentActor).name,
      because: `Task ${id} was deleted.`,
      now: yield* Clock.currentTimeMillis
    }
    const { answers } = yield* once.batch({
      recorded: recorded(values),
      satisfied: satisfied(values),
      unblockedRecorded: unblockedRecorded(values),
      unblocked: unblocked(values),
      dependenciesOnIt: dependenciesOnIt(values),
      dependenciesOfIt: dependenciesOfIt(values),
      withdrawn: withdrawn(values),
      removed: removed(values),
      namedSatisfied: named.satisfied(values),
      namedUnblocked: named.unblocked(values),
      namedDependents: named.dependents(values),
      counted: counted(values)
    }, { keep: "removed", answer: deletedTask, values })
    const task = yield* firstTask(answers.removed)
    if (task === undefined) return yield* TaskNotFound.of(id)
    yield* logTransitions("unblocked", answers.unblocked)
    yield* logCascade([answers.namedDependents])
    yield* logTransition("deleted", task, null)
  })
})
