/**
 * Changes the blockers of a task: reads them, computes the new list, and writes it if the task has not changed since.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { MaxBlockers, type Waits } from "../../domain/dependency/Dependency.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import { expectationProblem } from "../../domain/lease/Fence.ts"
import type { Expected } from "../../domain/task/MoveInput.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Cascade from "../../sql/dependency/Cascade.ts"
import { noCycle } from "../../sql/dependency/Cycles.ts"
import * as Dependency from "../../sql/dependency/Dependency.ts"
import * as Feed from "../../sql/Feed.ts"
import type { Reach } from "../../sql/Reach.ts"
import { statement, type Values } from "../../sql/Statement.ts"
import { taskInScope } from "../../sql/task/Task.ts"
import { Settings } from "../Settings.ts"
import { Overtaken, repeated } from "../task/change/repeated.ts"
import { logCascade, logTransition } from "../task/log.ts"
import { firstTask } from "../task/rows.ts"
import * as Cycle from "./cycle.ts"
import { listingOf } from "./read.ts"

const forHistory = (waits: ReadonlyArray<Waits>) =>
  waits.map(({ blocker, on_failure }) => ({ task_id: blocker, on_failure }))

const recorded = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${Feed.nextSeq("tasks", "first")}, 'dependencies_changed', queue, queue,
    coalesce(:actor, claimed_by), :details, grants, :now, title, project_id
  FROM tasks WHERE id = :id AND version = :version AND ${noCycle}`)

const counted = Feed.counted("= :scope")

// A free task fails if a new blocker has failed. A blocker that it had before has had its effect already.
const cascade = Cascade.ofTask(`waits.blocker_id IN (SELECT value FROM json_each(:risks))
  AND EXISTS (SELECT 1 FROM tasks WHERE tasks.id = :id AND claimed_by IS NULL)`)

const changed = statement(`
  UPDATE tasks SET version = task.version, updated_at = :now, queue = task.queue, blocked_by = task.blocked_by,
    lapsed_token = task.lapsed_token, available_at = task.available_at, completed_at = task.completed_at,
    needs_intervention = task.needs_intervention, failure_reason = task.failure_reason
  FROM following AS task WHERE tasks.id = :id AND task.id = :id RETURNING *`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const settings = yield* Settings
  const findCycle = yield* Cycle.make

  return Effect.fnUntraced(function*<E>(
    id: TaskId,
    { fencing_token, version }: Expected,
    scope: Reach,
    next: (waits: ReadonlyArray<Waits>) => Effect.Effect<ReadonlyArray<Waits>, E>
  ) {
    const { name } = yield* CurrentActor
    const now = yield* Clock.currentTimeMillis
    return yield* repeated(Effect.gen(function*() {
      const own = { id, scope: scope ?? null }
      const { listed, rows } = yield* batch({ rows: taskInScope(own), listed: Dependency.listed(own) })
      const task = yield* firstTask(rows)
      if (task === undefined) return yield* TaskNotFound.of(id)
      const problem = expectationProblem(task, { fencing_token, version }, settings.requireFencingToken)
      if (problem !== undefined) return yield* problem
      const listing = yield* listingOf(id, rows[0], listed)
      const old = listing.dependencies.map(({ blocker_id, on_failure }) => ({ blocker: blocker_id, on_failure }))
      const waits = yield* next(old)
      if (JSON.stringify(waits) === JSON.stringify(old)) return listing
      if (waits.some(({ blocker }) => blocker === id)) return yield* InvalidTask.blockedByItself(id)
      if (waits.length > MaxBlockers) return yield* InvalidTask.tooManyBlockers(MaxBlockers)
      const known = new Set(old.map(({ blocker }) => blocker))
      const added = waits.flatMap(({ blocker }) => known.has(blocker) ? [] : [blocker])
      const risks = waits.flatMap(({ blocker, on_failure }) =>
        on_failure === "fail" && !old.some((edge) => edge.blocker === blocker && edge.on_failure === "fail")
          ? [blocker]
          : []
      )
      const values: Values = {
        ...Dependency.valuesOf(waits),
        id,
        scope: task.scope,
        version: task.version,
        added: JSON.stringify(added),
        risks: JSON.stringify(risks),
        actor: name,
        details: JSON.stringify({ dependencies: [forHistory(old), forHistory(waits)] }),
        now
      }
      const risky = risks.length > 0
      const answers = yield* batch({
        recorded: recorded(values),
        dependenciesRemoved: Dependency.removed(values),
        dependencies: waits.length === 0 ? undefined : Dependency.ofChanged(values),
        failed: risky ? cascade.failed(values) : undefined,
        satisfied: risky ? cascade.satisfied(values) : undefined,
        unblocked: risky ? cascade.unblocked(values) : undefined,
        changed: changed(values),
        dependents: risky ? cascade.dependents(values) : undefined,
        counted: counted(values),
        listed: Dependency.listed(values)
      })
      const done = yield* firstTask(answers.changed)
      if (done !== undefined) {
        yield* logTransition("dependencies_changed", done, name)
        yield* logCascade([answers.dependents])
        return yield* listingOf(id, answers.changed[0], answers.listed)
      }
      const cycle = yield* findCycle(task, added)
      if (cycle !== undefined) return yield* cycle
      return new Overtaken(task)
    }))
  })
})
