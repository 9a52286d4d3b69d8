/**
 * PATCH and force-queue: reads the task, plans the change (`domain/task/PatchPlan.ts`), and writes it if the task has
 * not changed since.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../../domain/access/Caller.ts"
import type { OnFailure, Waits } from "../../../domain/dependency/Dependency.ts"
import { excerpt, MaxReason } from "../../../domain/Excerpt.ts"
import { messageId, type ScopeName, type TaskId } from "../../../domain/Identifier.ts"
import { seed } from "../../../domain/lease/Backoff.ts"
import { expectationProblem, fenceProblem } from "../../../domain/lease/Fence.ts"
import type { ForcedMove } from "../../../domain/task/MoveInput.ts"
import { ends } from "../../../domain/task/Moves.ts"
import * as PatchPlan from "../../../domain/task/PatchPlan.ts"
import { column, type Columns, TaskRow } from "../../../domain/task/Task.ts"
import { InvalidTask, TaskNotFound } from "../../../domain/task/TaskErrors.ts"
import type { TaskPatch } from "../../../domain/task/TaskInput.ts"
import { Database } from "../../../sql/Database.ts"
import * as Cascade from "../../../sql/dependency/Cascade.ts"
import { noCycle } from "../../../sql/dependency/Cycles.ts"
import * as Dependency from "../../../sql/dependency/Dependency.ts"
import * as Feed from "../../../sql/Feed.ts"
import * as Idempotency from "../../../sql/Idempotency.ts"
import { columnsOf } from "../../../sql/JsonRow.ts"
import { nextToken } from "../../../sql/lease/Claim.ts"
import * as Expiry from "../../../sql/lease/Expiry.ts"
import { type Statement, statement, type Value, type Values } from "../../../sql/Statement.ts"
import { taskInScope } from "../../../sql/task/Task.ts"
import * as Cycle from "../../dependency/cycle.ts"
import { Settings } from "../../Settings.ts"
import * as ExternalKey from "../externalKey.ts"
import { logCascade, logTransition } from "../log.ts"
import { answered, decodeRules, firstTask } from "../rows.ts"
import { Overtaken, repeated } from "./repeated.ts"

/** A planned PATCH: `waits` are the blockers if they change, `added` the new ones among them. */
interface Planned extends PatchPlan.Patched {
  readonly waits: ReadonlyArray<Waits> | undefined
  readonly added: ReadonlyArray<string>
}

export interface Order {
  readonly id: TaskId
  readonly patch: TaskPatch
  readonly scope: ScopeName | undefined
  /** The administrator who forces the move, if one does. */
  readonly forcedBy?: string | undefined
}

// A renewal raises no version. So a PATCH that changes the lease also checks that the lease is as it was read.
const recorded = statement(`
  INSERT INTO history (
    task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, details, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${
  Feed.nextSeq("tasks", "first")
}, :event, queue, :queue, :actor, :excerpt, :details, grants, :now,
    title, project_id
  FROM tasks WHERE id = :id AND version = :version AND (:any_lease OR lease_expires_at IS :lease)
    AND (:project IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project AND scope = tasks.scope))
    AND ${noCycle}`)

// The task leaves the counters of its project and enters those of the new project, in its new queue.
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

const counted = Feed.counted("= :scope")

const cascade = Cascade.ofTask()
// A blocker may have failed while the task was held.
const cascadeOfFreed = Cascade.ofTask("1")

/** What the change writes besides the columns of the PATCH. */
interface Besides {
  readonly granted: boolean
  readonly waits: boolean
  /** Whether late calls under an expired lease end with this change. */
  readonly leaves: boolean
  /** Whether the task is free afterwards and may fail with its blockers. */
  readonly freed: boolean
}

// Clients use few sets of columns, so the texts are kept. If there are very many, they are built again.
const MaxTexts = 200
const texts = new Map<string, Statement>()

// The values of these columns if the task fails with a blocker.
const whenFailed: Record<string, string> = {
  failure_reason: `iif(${Cascade.oversized}, NULL, planned.reason)`,
  lapsed_token: "NULL",
  available_at: "NULL",
  completed_at: "NULL",
  needs_intervention: "0"
}

/** Changes the named columns, each to the parameter `:set_<name>`. */
const changing = (names: ReadonlyArray<string>, besides: Besides): Statement => {
  const key = `${names.join()} ${JSON.stringify(besides)}`
  const known = texts.get(key)
  if (known !== undefined) return known
  const columns: Record<string, string> = {
    // Also the queue: the PATCH may leave it, and the task fails all the same.
    ...(besides.freed ? Object.fromEntries(["queue", ...Object.keys(whenFailed)].map((name) => [name, name])) : {}),
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

export const makeWrite = Effect.gen(function*() {
  const once = yield* Idempotency.make
  const { limits } = yield* Settings
  const externalKey = yield* ExternalKey.make
  const random = yield* SecureRandom.SecureRandom

  /**
   * The limits of the attempt (the view `expiring`), if the PATCH grants a lease or changes the limits of a held task.
   */
  const limitsOf = (task: TaskRow, columns: Columns, granted: boolean): Values => {
    const changes = "max_attempts" in columns || "max_lease_losses" in columns
    const isHeld = (columns.claimed_by === undefined ? task.claimed_by : columns.claimed_by) !== null
    if (!isHeld || !(granted || changes)) return {}
    const limit = (name: "max_attempts" | "max_lease_losses") =>
      Number((columns[name] === undefined ? task[name] : columns[name]) ?? limits[name]) || null
    return { loss_limit: limit("max_lease_losses"), attempt_limit: limit("max_attempts") }
  }

  /**
   * Writes the plan. Answers the task, or undefined if its version is not the planned one or the dependencies would
   * form a circle.
   */
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
    // A task that becomes free may fail with its blockers, unless an administrator moves it.
    const freed = forcedBy === undefined && columns.claimed_by === null && !ends.includes(queue)
    const follows = queue !== task.queue || freed
    const { dependents, failed, satisfied, unblocked } = freed ? cascadeOfFreed : cascade
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
      projectsCounted: columns.project_id === undefined || project === task.project_id
        ? undefined
        : projectsCounted(values),
      notice: forcedBy === undefined ? undefined : notice(values),
      noticeCounted: forcedBy === undefined ? undefined : noticeCounted(values),
      changed: changed(values),
      dependents: follows ? dependents(values) : undefined,
      counted: counted(values)
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

// Fields that describe the change and not the task.
const remarks: ReadonlySet<string> = new Set([
  "version",
  "fencing_token",
  "reason",
  "agent_name",
  "branch_name",
  "scope"
])

const projectScope = statement("SELECT scope FROM projects WHERE id = :project")
const machineInReach = statement("SELECT scope FROM orchestrators WHERE id = :machine AND scope = :reach")
const rulesOfFlow = statement(`
  SELECT rules FROM flows WHERE (scope, name) = (SELECT scope, coalesce(:flow, flow) FROM tasks WHERE id = :id)`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const settings = yield* Settings
  const once = yield* Idempotency.make
  const write = yield* makeWrite
  const findCycle = yield* Cycle.make

  const run = Effect.fnUntraced(function*(order: Order) {
    const { forcedBy, id, patch, scope } = order
    const { scope: reach } = yield* CurrentActor
    const now = yield* Clock.currentTimeMillis
    return yield* repeated(Effect.gen(function*() {
      const values: Values = {
        id,
        scope: scope ?? null,
        project: patch.project_id ?? null,
        machine: patch.orchestrator_id ?? null,
        reach: reach ?? null,
        flow: patch.flow || null
      }
      const { answers: { dependencies, flows, found, machines, projects }, replay } = yield* once.read({
        found: taskInScope(values),
        projects: projectScope(values),
        machines: machineInReach(values),
        dependencies: Dependency.named(values),
        flows: rulesOfFlow(values)
      }, patchedTask)
      if (replay !== undefined) return (yield* firstTask(replay.rows))!
      const task = yield* firstTask(found)
      if (task === undefined) return yield* TaskNotFound.of(id)
      const problem = expectationProblem(task, patch, false)
      if (problem !== undefined) return yield* problem
      if (patch.project_id && projects[0]?.scope !== task.scope) {
        return yield* InvalidTask.unknownProject(patch.project_id)
      }
      // An unknown machine is accepted if no machine of another scope has the id: clients resume work for machines that
      // never registered.
      if (reach !== undefined && patch.orchestrator_id && machines.length === 0) {
        return yield* InvalidTask.unknownOrchestrator(patch.orchestrator_id)
      }
      const waited = dependencies.map(({ blocker_id, on_failure }) => ({
        blocker: String(blocker_id),
        on_failure: on_failure as OnFailure
      }))
      const project = "project_id" in patch ? patch.project_id : task.project_id
      const plan = PatchPlan.plan(task, patch, {
        waitsFor: waited.map(({ blocker }) => blocker),
        rules: decodeRules(flows[0]?.rules)?.[project ? "child" : "task"],
        forced: forcedBy !== undefined,
        now,
        leaseMillis: settings.defaultLeaseSeconds * 1000,
        attemptSeconds: settings.maxAttemptSeconds ?? null
      })
      if ("error" in plan) return yield* plan
      // A PATCH that only describes the task needs no token.
      const unnamed = forcedBy === undefined && plan.protocol && settings.requireFencingToken
        ? fenceProblem(task, patch.fencing_token, true)
        : undefined
      if (unnamed !== undefined) return yield* unnamed
      const changes = Object.keys(plan.columns).length > 0 || plan.blockers !== undefined
      if (!changes && forcedBy === undefined) return task
      const known = (name: string) => waited.find(({ blocker }) => blocker === name)
      const added = (plan.blockers ?? []).filter((blocker) => known(blocker) === undefined)
      const waits = plan.blockers?.map((blocker) => known(blocker) ?? { blocker, on_failure: "wait" as const })
      const patched = yield* write(task, order, { ...plan, waits, added }, now)
      if (patched !== undefined) return patched
      const cycle = yield* findCycle(task, added)
      if (cycle !== undefined) return yield* cycle
      return new Overtaken(task)
    }))
  })

  /**
   * Clients take expired leases back too, from lists that may be old. The server then takes the lease back itself. So
   * the loss is counted once and a late call of the holder still counts. A renewal, a new grant or a result since the
   * client read the list is kept.
   */
  const takeBack = Effect.fnUntraced(function*(id: TaskId, scope: ScopeName | undefined) {
    const own = { id, scope: scope ?? null }
    const { found } = yield* batch({ found: taskInScope(own) })
    const task = yield* firstTask(found)
    if (task === undefined) return yield* TaskNotFound.of(id)
    const { backoff } = settings
    const steps = Expiry.bound(Expiry.steps(true, "listed", backoff.baseSeconds > 0), {
      now: yield* Clock.currentTimeMillis,
      seed: yield* seed,
      scope: task.scope,
      ids: JSON.stringify([id]),
      backoff_base: backoff.baseSeconds,
      backoff_max: backoff.maxSeconds
    })
    const { after, dependents, reclaimed } = yield* batch({ ...steps, after: taskInScope(own) })
    yield* logCascade([dependents, reclaimed])
    return (yield* firstTask(after)) ?? (yield* TaskNotFound.of(id))
  })

  const patch = Effect.fn("TaskQueue.patch")(
    function*(id: TaskId, changes: TaskPatch, scope: ScopeName | undefined) {
      if (Object.keys(changes).every((field) => remarks.has(field))) return yield* InvalidTask.noFields()
      if (PatchPlan.takesBack(changes)) return yield* takeBack(id, scope)
      return answered(yield* run({ id, patch: changes, scope }))
    }
  )

  const force = Effect.fn("TaskQueue.force")(
    function*(id: TaskId, { actor, queue, reason, ...expected }: ForcedMove, scope: ScopeName | undefined) {
      return yield* run({
        id,
        scope,
        // The lease ends, wherever the task goes.
        patch: { queue, reason, claimed_by: null, needs_intervention: false, ...expected },
        forcedBy: actor || ((yield* CurrentActor).name ?? "administrator")
      })
    }
  )

  return { patch, force }
})
