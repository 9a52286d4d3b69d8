/** PATCH: read the task, plan what it becomes (`domain/TaskPatch.ts`), and write that unless the task has moved on. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Statement } from "effect/sql/Statement"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import type { TaskRow } from "../../domain/Task.ts"
import { InvalidTask, TaskNotFound, VersionConflict } from "../../domain/TaskErrors.ts"
import type { TaskPatch } from "../../domain/TaskInput.ts"
import * as TaskPatches from "../../domain/TaskPatch.ts"
import { Database } from "../../sql/Database.ts"
import * as Dependents from "../../sql/Dependents.ts"
import * as Transition from "../../sql/Transition.ts"
import { Settings } from "../Settings.ts"
import { logTransition, logTransitions } from "./log.ts"
import { firstTask } from "./rows.ts"

// Each failed attempt means that somebody else's change went through, so this many in a row is a storm, not a race.
const Attempts = 5

const unwritten: ReadonlySet<string> = new Set(["version", "reason", "scope"])

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const settings = yield* Settings
  const transition = Transition.make(sql)
  const dependents = Dependents.make(sql)

  const write = Effect.fnUntraced(function*(task: TaskRow, patch: TaskPatch, plan: TaskPatches.Patched, now: number) {
    const { blockers, changes, columns, protocol } = plan
    const queue = String(columns.queue ?? task.queue)
    const project = columns.project_id ?? null
    const where = sql`id = ${task.id} AND version = ${task.version} ${
      project === null ? sql`` : sql`AND EXISTS (SELECT 1 FROM projects WHERE id = ${project} AND scope = tasks.scope)`
    }`
    const change = {
      where,
      event: protocol ? "patched" : "edited",
      to: sql`${queue}`,
      actor: task.claimed_by,
      reason: patch.reason ?? patch.execution_notes ?? null,
      details: JSON.stringify(changes),
      now
    }
    const reopens = task.queue === "done" && queue !== "done"
      ? dependents.hold({ id: task.id, where }, null, `Task ${task.id} is no longer done.`, now)
      : []
    const edges: Array<Statement<any>> = blockers === undefined
      ? []
      : dependents.depend(task.id, task.scope, blockers, now, sql`EXISTS (SELECT 1 FROM tasks WHERE ${where})`)
    const answers = yield* batch([
      ...reopens,
      transition.record(change),
      ...(queue === task.queue ? [] : [transition.count(change)]),
      ...edges,
      sql`
        UPDATE tasks SET ${sql.update({ ...columns, updated_at: now }, [])}, version = version + 1
          ${blockers === undefined ? sql`` : sql`, blocked_by = ${dependents.remaining(sql`tasks.id`)}`}
          ${queue === task.queue ? sql`` : sql`, lapsed_token = NULL`}
        WHERE ${where} RETURNING *`
    ])
    const patched = yield* firstTask(answers.at(-1))
    if (reopens.length > 0) yield* logTransitions("blocked", answers[reopens.length - 1])
    return patched
  })

  return Effect.fn("TaskQueue.patch")(
    function*(id: TaskId, patch: TaskPatch, scope: ScopeName | undefined) {
      if (Object.keys(patch).every((field) => unwritten.has(field))) return yield* InvalidTask.noFields()
      const now = yield* Clock.currentTimeMillis
      for (let attempt = 1;; attempt++) {
        const [rows, projects, edges = []] = yield* batch([
          sql`SELECT * FROM tasks WHERE id = ${id} ${scope === undefined ? sql`` : sql`AND scope = ${scope}`}`,
          sql`SELECT scope FROM projects WHERE id = ${patch.project_id ?? null}`,
          sql`SELECT blocker_id FROM dependencies WHERE task_id = ${id} ORDER BY position`
        ])
        const task = yield* firstTask(rows)
        if (task === undefined) return yield* TaskNotFound.of(id)
        if (typeof patch.version === "number" && patch.version !== task.version) {
          return yield* VersionConflict.of(id, patch.version, task.version)
        }
        if (patch.project_id && projects?.[0]?.scope !== task.scope) {
          return yield* InvalidTask.unknownProject(patch.project_id)
        }
        const plan = TaskPatches.plan(
          task,
          edges.map((edge) => String(edge.blocker_id)),
          patch,
          now,
          settings.defaultLeaseSeconds * 1000
        )
        if ("error" in plan) return yield* plan
        if (Object.keys(plan.columns).length === 0 && plan.blockers === undefined) return task
        const patched = yield* write(task, patch, plan, now)
        if (patched !== undefined) {
          yield* logTransition(plan.protocol ? "patched" : "edited", patched, task.claimed_by)
          return patched
        }
        if (attempt === Attempts) return yield* VersionConflict.of(id, task.version, task.version + 1)
      }
    }
  )
})
