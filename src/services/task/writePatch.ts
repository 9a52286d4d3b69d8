/** Writing what a PATCH makes of a task, unless the task has changed since it was read: plan, count, change. */
import * as Effect from "effect/Effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import { excerpt, MaxReason } from "../../domain/Excerpt.ts"
import { messageId, type ScopeName, type TaskId } from "../../domain/Identifier.ts"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { Waits } from "../../domain/dependency/Dependency.ts"
import { ends } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import type { TaskPatch } from "../../domain/task/TaskInput.ts"
import { column, type Patched } from "../../domain/task/TaskPatch.ts"
import * as Cascade from "../../sql/dependency/Cascade.ts"
import { noCycle } from "../../sql/dependency/Cycles.ts"
import * as Dependency from "../../sql/dependency/Dependency.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { nextToken } from "../../sql/lease/Claim.ts"
import { type Statement, statement, type Value, type Values } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import * as ExternalKey from "./externalKey.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

/** A PATCH as it is planned, with what the task waits for from then on, if that changes, and the blockers that are new. */
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

// A renewal is no change of the task, and a lease that the PATCH writes must not undo one that came after the read.
const recorded = statement(`
  INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
  SELECT id, version + 1, scope, :event, queue, :queue, :actor, :excerpt, :details, grants, :now
  FROM tasks WHERE id = :id AND version = :version AND (:any_lease OR lease_expires_at IS :lease)
    AND (:project IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project AND scope = tasks.scope))
    AND ${noCycle}`)

// The task leaves the counters of its project and enters those of the new one, in the queue it goes to.
const projectsCounted = statement(`
  UPDATE queue_counts SET counts = json_patch(counts, json_object(
    to_queue, nullif(coalesce(counts ->> ('$."' || to_queue || '"'), 0) + step, 0)))
  FROM (
    SELECT to_queue, value ->> 0 AS owner, value ->> 1 AS step FROM planned
      CROSS JOIN json_each(json_array(json_array(char(31) || project_id, -1), json_array(char(31) || :project, 1)))
    WHERE planned.id = :id) AS moved
  WHERE scope = moved.owner`)

const notice = statement(`
  INSERT INTO messages (id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at)
  SELECT :message, scope, id, 'system', NULL, 'force_queue', :content, NULL, 'pending', :now FROM planned WHERE id = :id`)

const noticeCounted = statement(`
  INSERT INTO queue_counts (scope, counts, messages_revision) SELECT scope, '{}', 1 FROM planned WHERE id = :id
  ON CONFLICT (scope) DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1`)

const itself = "SELECT :id AS id"
const cascade = Cascade.make(itself)
// What the task waits for may have failed while it was held.
const cascadeOfFreed = Cascade.make(itself, { ownFailure: "1" })

/** What a change writes besides the columns that the PATCH names. */
interface Besides {
  readonly granted: boolean
  readonly waits: boolean
  /** Whether the token of a lease that expired ends with this change. */
  readonly leaves: boolean
  /** Whether the task may fail with its blockers. */
  readonly freed: boolean
}

// Clients use few sets of columns. A client that uses very many costs the text of the statement each time.
const MaxTexts = 200
const texts = new Map<string, Statement>()

// What a task that fails with a blocker has in these columns.
const whenFailed: Record<string, string> = {
  failure_reason: `iif(${Cascade.oversized}, NULL, planned.reason)`,
  lapsed_token: "NULL",
  available_at: "NULL",
  completed_at: "NULL",
  needs_intervention: "0"
}

/** Changes the columns that are named, each to the parameter `:set_<name>`. */
const changing = (names: ReadonlyArray<string>, besides: Besides): Statement => {
  const key = `${names.join()} ${JSON.stringify(besides)}`
  const known = texts.get(key)
  if (known !== undefined) return known
  const columns: Record<string, string> = {
    ...(besides.freed ? Object.fromEntries(Object.keys(whenFailed).map((name) => [name, name])) : {}),
    ...Object.fromEntries(names.map((name) => [name, `:set_${name}`])),
    ...(besides.granted ? { grants: nextToken("grants") } : {}),
    ...(besides.waits ? { blocked_by: Cascade.waitsStill } : {}),
    ...(besides.leaves ? { lapsed_token: "NULL" } : {})
  }
  const assignments = Object.entries(columns).map(([name, value]) =>
    besides.freed && name in whenFailed
      ? `${name} = iif(planned.event = 'dependency_failed', ${whenFailed[name]}, ${value})`
      : name === "queue"
      ? "queue = to_queue"
      : `${name} = ${value}`
  )
  const made = statement(`
    UPDATE tasks SET ${[...assignments, "updated_at = :now", "version = planned.version"].join(", ")}
    FROM planned WHERE tasks.id = :id AND planned.id = :id RETURNING *`)
  if (texts.size >= MaxTexts) texts.clear()
  texts.set(key, made)
  return made
}

const patchedTask = Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" })

const asValue = (value: unknown): Value => typeof value === "boolean" ? Number(value) : value as Value

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make
  const { limits } = yield* Settings
  const externalKey = yield* ExternalKey.make
  const random = yield* SecureRandom.SecureRandom

  /** The limits of the attempt (the view `lapsing`): of a new grant, or changed by the PATCH while the task is held. */
  const limitsOf = (task: TaskRow, columns: Patched["columns"], granted: boolean): Values => {
    const changes = "max_attempts" in columns || "max_lease_losses" in columns
    const held = (columns.claimed_by === undefined ? task.claimed_by : columns.claimed_by) !== null
    if (!held || !(granted || changes)) return {}
    const limit = (name: "max_attempts" | "max_lease_losses") =>
      Number((columns[name] === undefined ? task[name] : columns[name]) ?? limits[name]) || null
    return { loss_limit: limit("max_lease_losses"), attempt_limit: limit("max_attempts") }
  }

  /** The task as it is then, or undefined if it has another version than the one planned for, or would wait for itself. */
  return Effect.fnUntraced(function*(task: TaskRow, order: Order, plan: Planned, now: number) {
    const { added, changes, protocol, waits } = plan
    const { grants = task.grants, ...columns } = plan.columns
    const { forcedBy, patch } = order
    const { agent_name, branch_name } = patch
    const queue = String(columns.queue ?? task.queue)
    const project = columns.project_id ?? null
    const granted = grants !== task.grants
    const event = forcedBy !== undefined ? "force_queue" : protocol ? "patched" : "edited"
    const actor = forcedBy ?? (agent_name || ((yield* CurrentActor).name ?? task.claimed_by))
    const reason = patch.reason ?? patch.context ?? patch.execution_notes ?? null
    const written = { ...columns, ...limitsOf(task, columns, granted) }
    const values: Values = {
      ...Object.fromEntries(Object.entries(written).map(([name, value]) => [`set_${name}`, asValue(value)])),
      ...Dependency.valuesOf(waits ?? []),
      id: task.id,
      scope: task.scope,
      version: task.version,
      any_lease: Number(columns.lease_expires_at === undefined && columns.queue === undefined),
      lease: asValue(column(task.lease_expires_at)),
      project: asValue(project),
      added: JSON.stringify(added),
      event,
      queue,
      actor,
      excerpt: reason === null ? null : excerpt(reason, MaxReason),
      details: JSON.stringify({
        ...changes,
        ...(branch_name ? { branch_name } : {}),
        ...(forcedBy === undefined ? {} : { from: task.queue, to: queue })
      }),
      message: yield* Effect.provideService(messageId, SecureRandom.SecureRandom, random),
      content: patch.reason ?? "",
      now
    }
    // A task may fail with its blockers when it is free again. An administrator's word goes before that.
    const freed = forcedBy === undefined && columns.claimed_by === null && !ends.includes(queue)
    const follows = queue !== task.queue || freed
    const { counted, dependents, failed, satisfied, unblocked } = freed ? cascadeOfFreed : cascade
    const changed = changing(Object.keys(written), {
      granted,
      waits: waits !== undefined,
      leaves: queue !== task.queue || forcedBy !== undefined,
      freed
    })
    const { answers, replay } = yield* once.atomic({
      recorded: recorded(values),
      dependenciesRemoved: waits === undefined ? undefined : Dependency.removed(values),
      dependencies: waits === undefined || waits.length === 0 ? undefined : Dependency.ofChanged(values),
      failed: follows ? failed(values) : undefined,
      satisfied: follows ? satisfied(values) : undefined,
      unblocked: follows ? unblocked(values) : undefined,
      counted: counted(values),
      projectsCounted: columns.project_id === undefined || project === task.project_id
        ? undefined
        : projectsCounted(values),
      notice: forcedBy === undefined ? undefined : notice(values),
      noticeCounted: forcedBy === undefined ? undefined : noticeCounted(values),
      dependents: follows ? dependents(values) : undefined,
      changed: changed(values)
    }, { keep: "changed", answer: patchedTask, values }).pipe(
      Effect.catchTag(
        "UniqueViolation",
        (violation) => externalKey.taken(task.id, patch.external_key ?? null, violation)
      )
    )
    if (replay !== undefined) return yield* firstTask(replay.rows)
    const patched = yield* firstTask(answers.changed)
    if (patched === undefined) return undefined
    yield* logCascade([answers.dependents])
    yield* logTransition(event, patched, actor)
    return patched
  })
})
