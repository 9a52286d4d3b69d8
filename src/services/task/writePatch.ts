/** Writing what a PATCH makes of a task, unless the task has moved on since it was read: record, count, change. */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { Waits } from "../../domain/dependency/Dependency.ts"
import { messageId, type ScopeName, type TaskId } from "../../domain/Identifier.ts"
import { ends } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import type { TaskPatch } from "../../domain/task/TaskInput.ts"
import { column, type Patched } from "../../domain/task/TaskPatch.ts"
import { Database } from "../../sql/Database.ts"
import * as Cycles from "../../sql/dependency/Cycles.ts"
import * as Edges from "../../sql/dependency/Edges.ts"
import * as Token from "../../sql/lease/Token.ts"
import * as Cascade from "../../sql/legacy/Cascade.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import * as Messages from "../../sql/record/Messages.ts"
import * as Revision from "../../sql/task/Revision.ts"
import * as Transition from "../../sql/task/Transition.ts"
import * as ExternalKey from "./externalKey.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

/** A PATCH as it is planned, with what the task waits for from then on, if that changes, and whom it did not wait for. */
interface Planned extends Patched {
  readonly waits: ReadonlyArray<Waits> | undefined
  readonly added: ReadonlyArray<string>
}

export interface Order {
  readonly id: TaskId
  readonly patch: TaskPatch
  readonly scope: ScopeName | undefined
  /** Whether an administrator moves the task, and who says so. */
  readonly forcedBy?: string | undefined
}

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const once = yield* Idempotency.make
  const externalKey = yield* ExternalKey.make
  const row = columnsOf(sql, TaskRow)
  const transition = Transition.make(sql)
  const edges = Edges.make(sql)
  const cascade = Cascade.make(sql)
  const cycles = Cycles.make(sql)
  const messages = Messages.make(sql)
  const revision = Revision.make(sql)
  const random = yield* SecureRandom.SecureRandom

  /** The task as it is then, or undefined when it is not the version that was planned for, or would wait in a circle. */
  return Effect.fnUntraced(function*(task: TaskRow, order: Order, plan: Planned, now: number) {
    const { added, changes, protocol, waits } = plan
    const { grants = task.grants, ...columns } = plan.columns
    const { forcedBy, patch } = order
    const { agent_name, branch_name } = patch
    const queue = String(columns.queue ?? task.queue)
    const project = columns.project_id ?? null
    // A renewal is no change of the task, and must not be undone by what was planned before it.
    const lease = columns.lease_expires_at === undefined && columns.queue === undefined
      ? sql``
      : sql`AND lease_expires_at IS ${column(task.lease_expires_at)}`
    const may = sql`id = ${task.id} AND version = ${task.version} ${lease} ${
      project === null ? sql`` : sql`AND EXISTS (SELECT 1 FROM projects WHERE id = ${project} AND scope = tasks.scope)`
    } AND ${cycles.none(task.id, task.scope, added)}`
    const where = sql`id = ${task.id} AND version = ${task.version} AND ${Transition.recorded(sql, task)}`
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
    const replaced = waits === undefined
      ? []
      : edges.replace(task.id, waits, now, sql`EXISTS (SELECT 1 FROM tasks WHERE ${where})`)
    const notice = forcedBy === undefined ? [] : [
      messages.insert({
        id: yield* Effect.provideService(messageId, SecureRandom.SecureRandom, random),
        scope: task.scope,
        task_id: task.id,
        from_actor: "system",
        to_actor: null,
        type: "force_queue",
        content: patch.reason ?? "",
        parent_message_id: null,
        now
      }, sql`changes() > 0`),
      revision.raiseIn("messages", task.scope, { added: sql`changes()` })
    ]
    const moved = columns.project_id === undefined || project === task.project_id
      ? []
      : transition.countMoved(project as string | null, change)
    const before = [
      transition.record({ ...change, where: may }),
      transition.count(change),
      ...moved,
      ...replaced
    ]
    // Who waits for the task follows it, if it went anywhere.
    const source = cascade.of(task.id, now)
    // What it waits for itself may have failed while it was held; an administrator's word goes before that.
    const freed = forcedBy === undefined && columns.claimed_by === null && !ends.includes(queue)
    const fall = queue === task.queue && !freed
      ? []
      : cascade.fall(freed ? cascade.own(task.id, now) : source, now, sql`changes() > 0`)
    const settle = fall.length === 0 ? [] : cascade.settle(source, now)
    const until = before.length + 1 + notice.length + fall.length
    const { answers, replay } = yield* once.atomic([
      ...before,
      sql`
        UPDATE tasks SET ${sql.update({ ...columns, updated_at: now }, [])}, version = version + 1
          ${grants === task.grants ? sql`` : sql`, grants = ${Token.next(sql, sql`grants`)}`}
          ${waits === undefined ? sql`` : sql`, blocked_by = ${edges.remaining(sql`tasks.id`)}`}
          ${queue === task.queue && forcedBy === undefined ? sql`` : sql`, lapsed_token = NULL`}
        WHERE ${where} RETURNING *`,
      ...notice,
      ...fall,
      ...(freed ? [cascade.ifFallen(task.id)] : []),
      ...settle
    ], {
      after: before.length,
      ...(freed ? { atEnd: { may: cascade.mayFall, rows: sql`tasks WHERE id = ${task.id}` } } : {}),
      row,
      from: sql`tasks WHERE id = ${task.id} AND changes() > 0`
    }).pipe(
      Effect.catchTag(
        "UniqueViolation",
        (violation) => externalKey.taken(task.id, patch.external_key ?? null, violation)
      )
    )
    if (replay !== undefined) return yield* firstTask(replay.rows)
    const patched = yield* firstTask(answers[before.length])
    if (patched === undefined) return undefined
    yield* logCascade([
      ...answers.slice(before.length + 1 + notice.length, until),
      ...answers.slice(until + Number(freed))
    ])
    yield* logTransition(event, patched, actor)
    return (yield* firstTask(freed ? answers[until] : [])) ?? patched
  })
})
