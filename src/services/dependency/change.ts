/** Changing what a task waits for: read it, work out the new list, and write that unless the task has moved on meanwhile. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { MaxBlockers, type Waits } from "../../domain/dependency/Dependency.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import { expectationProblem } from "../../domain/lease/Fence.ts"
import type { Expected } from "../../domain/task/MoveInput.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Cycles from "../../sql/dependency/Cycles.ts"
import * as Edges from "../../sql/dependency/Edges.ts"
import * as Cascade from "../../sql/legacy/Cascade.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import * as QueueCounts from "../../sql/task/QueueCounts.ts"
import { recorded } from "../../sql/task/Transition.ts"
import { Overtaken, repeated } from "../Attempts.ts"
import { Settings } from "../Settings.ts"
import { logCascade, logTransition } from "../task/log.ts"
import { firstTask } from "../task/rows.ts"
import * as Cycle from "./cycle.ts"
import { listingOf } from "./read.ts"

const told = (waits: ReadonlyArray<Waits>) => waits.map(({ blocker, on_failure }) => ({ task_id: blocker, on_failure }))

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const settings = yield* Settings
  const edges = Edges.make(sql)
  const cycles = Cycles.make(sql)
  const cascade = Cascade.make(sql)
  const counts = QueueCounts.make(sql)
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
      const [rows, listed] = yield* batch([
        sql`SELECT * FROM tasks WHERE id = ${id} AND ${within(sql, scope)}`,
        edges.listed(id)
      ])
      const task = yield* firstTask(rows)
      if (task === undefined) return yield* TaskNotFound.of(id)
      const problem = expectationProblem(task, { fencing_token, version }, settings.requireFencingToken)
      if (problem !== undefined) return yield* problem
      const listing = yield* listingOf(id, rows?.[0], listed)
      const old = listing.dependencies.map(({ blocker_id, on_failure }) => ({ blocker: blocker_id, on_failure }))
      const waits = yield* next(old)
      if (JSON.stringify(waits) === JSON.stringify(old)) return listing
      if (waits.some(({ blocker }) => blocker === id)) return yield* InvalidTask.blockedByItself(id)
      if (waits.length > MaxBlockers) return yield* InvalidTask.tooManyBlockers(MaxBlockers)
      const known = new Set(old.map(({ blocker }) => blocker))
      const added = waits.flatMap(({ blocker }) => known.has(blocker) ? [] : [blocker])
      // The entry in the history says that the change is made: the tasks below are searched for a circle once.
      const may = sql`id = ${id} AND version = ${task.version} AND ${cycles.none(id, task.scope, added)}`
      const where = sql`id = ${id} AND version = ${task.version} AND ${recorded(sql, task)}`
      // Only what is new about the list makes a task fail: one that was brought back waits as it was told to.
      const risks = waits.flatMap(({ blocker, on_failure }) =>
        on_failure === "fail" && !old.some((edge) => edge.blocker === blocker && edge.on_failure === "fail")
          ? [blocker]
          : []
      )
      const source = cascade.to(id, risks, now)
      const answers = yield* batch([
        sql`
          INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, details, grants, at)
          SELECT id, version + 1, scope, 'dependencies_changed', queue, queue, coalesce(${name}, claimed_by),
            ${JSON.stringify({ dependencies: [told(old), told(waits)] })}, grants, ${now}
          FROM tasks WHERE ${may}`,
        counts.count({ where, to: sql`queue` }),
        ...edges.replace(id, waits, now, sql`EXISTS (SELECT 1 FROM tasks WHERE ${where})`),
        sql`
          UPDATE tasks SET version = version + 1, updated_at = ${now}, blocked_by = ${edges.remaining(sql`tasks.id`)}
          WHERE ${where} RETURNING *`,
        ...(risks.length === 0 ? [] : [
          ...cascade.fall(source, now, sql`changes() > 0`),
          ...cascade.settle(source, now)
        ]),
        sql`SELECT version, blocked_by FROM tasks WHERE id = ${id}`,
        edges.listed(id)
      ])
      const written = waits.length === 0 ? 3 : 4
      const changed = yield* firstTask(answers[written])
      if (changed !== undefined) {
        yield* logTransition("dependencies_changed", changed, name)
        if (risks.length > 0) yield* logCascade(answers.slice(written + 1, -2))
        return yield* listingOf(id, answers.at(-2)?.[0], answers.at(-1))
      }
      const cycle = yield* findCycle(task, added)
      if (cycle !== undefined) return yield* cycle
      return new Overtaken(task)
    }))
  })
})
