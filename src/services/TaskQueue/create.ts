/** Creating a task: its row, its history, its blockers and its counter in one batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ScopeName } from "../../domain/Identifier.ts"
import { UnknownHolder } from "../../domain/Lease.ts"
import { DefaultPriority, rank } from "../../domain/Priority.ts"
import { InvalidTask, TaskExists } from "../../domain/TaskErrors.ts"
import type { NewTask } from "../../domain/TaskInput.ts"
import { MaxBlockers, parseBlockers } from "../../domain/TaskPatch.ts"
import { Database } from "../../sql/Database.ts"
import * as Dependents from "../../sql/Dependents.ts"
import * as Transition from "../../sql/Transition.ts"
import { Settings } from "../Settings.ts"
import { logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { atomic, batch, sql } = yield* Database
  const settings = yield* Settings
  const transition = Transition.make(sql)
  const dependents = Dependents.make(sql)

  /** A retry of a create repeats both; then it is the id that says so. */
  const exists = Effect.fnUntraced(function*(task: NewTask) {
    const [same] = yield* batch([sql`SELECT id FROM tasks WHERE id = ${task.id}`])
    return yield* same?.length === 0 ? TaskExists.filePath(task.id, task.file_path) : TaskExists.id(task.id)
  })

  return Effect.fn("TaskQueue.create")(function*(scope: ScopeName, task: NewTask) {
    const now = yield* Clock.currentTimeMillis
    const blockers = parseBlockers(task.blocked_by)
    if (blockers.includes(task.id)) return yield* InvalidTask.blockedByItself(task.id)
    if (blockers.length > MaxBlockers) return yield* InvalidTask.tooManyBlockers(MaxBlockers)
    const queue = task.queue || "incoming"
    const priority = task.priority || DefaultPriority
    const project = task.project_id || null
    if (queue === "claimed" && blockers.length > 0) return yield* InvalidTask.claimedAndBlocked()
    // A task put into `claimed` by hand gets a lease like any other, so that it cannot stay there for ever.
    const claimed = queue === "claimed"
    const inScope = sql`id = ${project} AND scope = ${scope}`
    const valid = project === null ? sql`1` : sql`EXISTS (SELECT 1 FROM projects WHERE ${inScope})`
    // A task under the id of a deleted one goes on counting where that one stopped.
    const before = sql`SELECT version, grants FROM history WHERE task_id = ${task.id} ORDER BY version DESC LIMIT 1`
    const grants = sql`coalesce((SELECT grants FROM (${before})), 0) + ${Number(claimed)}`
    const self = sql`id = ${task.id}`

    const answers = yield* atomic([
      sql`
        INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, complexity, role, type,
          branch, content, project_id, pr_number, attempt_count, needs_intervention, auto_accept, hooks, flow,
          flow_overrides, metadata, created_at, updated_at, completed_at, grants, claimed_by, claimed_at, claimed_from, lease_expires_at)
        SELECT ${task.id}, ${scope}, ${task.file_path}, ${task.title || task.id}, ${queue},
          coalesce((SELECT version FROM (${before})), 0) + 1, ${priority}, ${rank(priority)}, ${
        task.complexity || null
      },
          ${task.role || null}, ${task.type || null},
          coalesce((SELECT branch FROM projects WHERE ${inScope}), ${task.branch}), ${task.content ?? null}, ${project},
          ${task.pr_number ?? null}, ${task.attempt_count ?? 0}, ${Number(task.needs_intervention ?? false)},
          ${Number(task.auto_accept ?? false)}, ${task.hooks || null}, ${task.flow || "default"},
          ${task.flow_overrides || null}, ${
        task.metadata == null ? null : JSON.stringify(task.metadata)
      }, ${now}, ${now},
          ${queue === "done" ? now : null}, ${grants}, ${claimed ? UnknownHolder : null}, ${claimed ? now : null},
          ${claimed ? "incoming" : null}, ${claimed ? now + settings.defaultLeaseSeconds * 1000 : null}
        WHERE ${valid}`,
      sql`
        INSERT INTO history (task_id, version, scope, event, to_queue, grants, at)
        SELECT id, version, scope, 'created', queue, grants, ${now} FROM tasks WHERE ${self}`,
      transition.countNew(scope, queue, valid),
      ...(blockers.length === 0 ? [] : [
        ...dependents.depend(task.id, scope, blockers, now, valid),
        sql`UPDATE tasks SET blocked_by = ${dependents.remaining(sql`tasks.id`)} WHERE ${self}`
      ]),
      ...(queue === "done"
        ? dependents.release({ id: task.id, where: self }, null, `Task ${task.id} is done.`, now)
        : []),
      sql`SELECT * FROM tasks WHERE ${self} AND ${valid}`
    ]).pipe(Effect.catchTag("UniqueViolation", () => exists(task)))
    const created = yield* firstTask(answers.at(-1))
    if (created === undefined) return yield* InvalidTask.unknownProject(String(project))
    yield* logTransition("created", created, null)
    return created
  })
})
