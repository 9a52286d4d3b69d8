/**
 * PATCH and force-queue: read the task, plan what it becomes (`domain/TaskPatch.ts`), and write that unless the task has
 * moved on meanwhile.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type { Statement } from "effect/sql/Statement"
import { CurrentActor } from "../../domain/Actor.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { InvalidTask } from "../../domain/InvalidTask.ts"
import type { ForcedMove } from "../../domain/MoveInput.ts"
import { messageId } from "../../domain/RecordId.ts"
import type { TaskRow } from "../../domain/Task.ts"
import { TaskNotFound, VersionConflict } from "../../domain/TaskErrors.ts"
import type { TaskPatch } from "../../domain/TaskInput.ts"
import * as TaskPatches from "../../domain/TaskPatch.ts"
import { Database } from "../../sql/Database.ts"
import * as Dependents from "../../sql/Dependents.ts"
import * as Messages from "../../sql/Messages.ts"
import * as Transition from "../../sql/Transition.ts"
import { Settings } from "../Settings.ts"
import { logTransition, logTransitions } from "./log.ts"
import { decodeRules, firstTask } from "./rows.ts"

// Each failed attempt means that somebody else's change went through, so this many in a row is a storm, not a race.
const Attempts = 5

// What says something about the change, and nothing about the task.
const remarks: ReadonlySet<string> = new Set(["version", "reason", "agent_name", "branch_name", "scope"])

interface Order {
  readonly id: TaskId
  readonly patch: TaskPatch
  readonly scope: ScopeName | undefined
  /** Whether an administrator moves the task, and who says so. */
  readonly forcedBy?: string | undefined
}

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const settings = yield* Settings
  const transition = Transition.make(sql)
  const dependents = Dependents.make(sql)
  const messages = Messages.make(sql)
  const random = yield* SecureRandom.SecureRandom

  const write = Effect.fnUntraced(function*(task: TaskRow, order: Order, plan: TaskPatches.Patched, now: number) {
    const { blockers, changes, columns, protocol } = plan
    const { forcedBy, patch } = order
    const { agent_name, branch_name } = patch
    const queue = String(columns.queue ?? task.queue)
    const project = columns.project_id ?? null
    const where = sql`id = ${task.id} AND version = ${task.version} ${
      project === null ? sql`` : sql`AND EXISTS (SELECT 1 FROM projects WHERE id = ${project} AND scope = tasks.scope)`
    }`
    const event = forcedBy !== undefined ? "force_queue" : protocol ? "patched" : "edited"
    const actor = forcedBy ?? (agent_name || ((yield* CurrentActor).name ?? task.claimed_by))
    const change = {
      where,
      event,
      to: sql`${queue}`,
      actor,
      reason: patch.reason ?? patch.context ?? patch.execution_notes ?? null,
      details: JSON.stringify({
        ...changes,
        ...(branch_name ? { branch_name } : {}),
        ...(forcedBy === undefined ? {} : { from: task.queue, to: queue })
      }),
      now
    }
    const reopens = task.queue === "done" && queue !== "done"
      ? dependents.hold({ id: task.id, where }, null, `Task ${task.id} is no longer done.`, now)
      : []
    const releases = task.queue !== "done" && queue === "done"
      ? dependents.release({ id: task.id, where }, null, `Task ${task.id} is done.`, now)
      : []
    const edges: Array<Statement<any>> = blockers === undefined
      ? []
      : dependents.depend(task.id, task.scope, blockers, now, sql`EXISTS (SELECT 1 FROM tasks WHERE ${where})`)
    const notice = forcedBy === undefined ? [] : [messages.insert({
      id: yield* Effect.provideService(messageId, SecureRandom.SecureRandom, random),
      scope: task.scope,
      task_id: task.id,
      from_actor: "system",
      to_actor: null,
      type: "force_queue",
      content: patch.reason ?? "",
      parent_message_id: null,
      now
    }, sql`changes() > 0`)]
    const answers = yield* batch([
      ...reopens,
      ...releases,
      transition.record(change),
      ...(queue === task.queue ? [] : [transition.count(change)]),
      ...edges,
      sql`
        UPDATE tasks SET ${sql.update({ ...columns, updated_at: now }, [])}, version = version + 1
          ${blockers === undefined ? sql`` : sql`, blocked_by = ${dependents.remaining(sql`tasks.id`)}`}
          ${queue === task.queue && forcedBy === undefined ? sql`` : sql`, lapsed_token = NULL`}
        WHERE ${where} RETURNING *`,
      ...notice
    ])
    const patched = yield* firstTask(
      answers[
        reopens.length + releases.length + edges.length
        + (queue === task.queue ? 1 : 2)
      ]
    )
    if (patched === undefined) return undefined
    if (reopens.length > 0) yield* logTransitions("blocked", answers[reopens.length - 1])
    if (releases.length > 0) yield* logTransitions("unblocked", answers[releases.length - 1])
    yield* logTransition(event, patched, actor)
    return patched
  })

  const run = Effect.fnUntraced(function*(order: Order) {
    const { forcedBy, id, patch, scope } = order
    const { scope: reach } = yield* CurrentActor
    const now = yield* Clock.currentTimeMillis
    for (let attempt = 1;; attempt++) {
      const [rows, projects, machines, edges = [], flows] = yield* batch([
        sql`SELECT * FROM tasks WHERE id = ${id} ${scope === undefined ? sql`` : sql`AND scope = ${scope}`}`,
        sql`SELECT scope FROM projects WHERE id = ${patch.project_id ?? null}`,
        sql`SELECT scope FROM orchestrators WHERE id = ${patch.orchestrator_id ?? null}`,
        sql`SELECT blocker_id FROM dependencies WHERE task_id = ${id} ORDER BY position`,
        sql`
          SELECT rules FROM flows
          WHERE (scope, name) = (SELECT scope, coalesce(${patch.flow || null}, flow) FROM tasks WHERE id = ${id})`
      ])
      const task = yield* firstTask(rows)
      if (task === undefined) return yield* TaskNotFound.of(id)
      if (typeof patch.version === "number" && patch.version !== task.version) {
        return yield* VersionConflict.of(id, patch.version, task.version)
      }
      if (patch.project_id && projects?.[0]?.scope !== task.scope) {
        return yield* InvalidTask.unknownProject(patch.project_id)
      }
      if (reach !== undefined && patch.orchestrator_id && machines?.[0]?.scope !== reach) {
        return yield* InvalidTask.unknownOrchestrator(patch.orchestrator_id)
      }
      const plan = TaskPatches.plan(task, patch, {
        waitsFor: edges.map((edge) => String(edge.blocker_id)),
        rules: decodeRules(flows?.[0]?.rules)?.[task.project_id === null ? "task" : "child"],
        forced: forcedBy !== undefined,
        now,
        leaseMillis: settings.defaultLeaseSeconds * 1000
      })
      if ("error" in plan) return yield* plan
      const changes = Object.keys(plan.columns).length > 0 || plan.blockers !== undefined
      if (!changes && forcedBy === undefined) return task
      const patched = yield* write(task, order, plan, now)
      if (patched !== undefined) return patched
      if (attempt === Attempts) return yield* VersionConflict.of(id, task.version, task.version + 1)
    }
  })

  const patch = Effect.fn("TaskQueue.patch")(
    function*(id: TaskId, changes: TaskPatch, scope: ScopeName | undefined) {
      if (Object.keys(changes).every((field) => remarks.has(field))) return yield* InvalidTask.noFields()
      return yield* run({ id, patch: changes, scope })
    }
  )

  const force = Effect.fn("TaskQueue.force")(
    function*(id: TaskId, { actor, queue, reason, version }: ForcedMove, scope: ScopeName | undefined) {
      return yield* run({
        id,
        scope,
        // Whoever held the task holds it no longer, wherever it goes.
        patch: { queue, reason, claimed_by: null, needs_intervention: false, ...(version == null ? {} : { version }) },
        forcedBy: actor || ((yield* CurrentActor).name ?? "administrator")
      })
    }
  )

  return { patch, force }
})
