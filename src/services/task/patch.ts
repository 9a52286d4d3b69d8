/**
 * PATCH and force-queue: read the task, plan what it becomes (`domain/task/TaskPatch.ts`), and write that unless the task has
 * moved on meanwhile.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { OnFailure } from "../../domain/dependency/Dependency.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { seed } from "../../domain/lease/Backoff.ts"
import { expectationProblem, fenceProblem } from "../../domain/lease/Fence.ts"
import type { ForcedMove } from "../../domain/task/MoveInput.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import type { TaskPatch } from "../../domain/task/TaskInput.ts"
import * as TaskPatches from "../../domain/task/TaskPatch.ts"
import { takesBack } from "../../domain/task/TaskPatch.ts"
import { Database } from "../../sql/Database.ts"
import * as Dependency from "../../sql/dependency/Dependency.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import * as Expiry from "../../sql/lease/Expiry.ts"
import { statement, type Values } from "../../sql/Statement.ts"
import { Overtaken, repeated } from "../Attempts.ts"
import * as Cycle from "../dependency/cycle.ts"
import { Settings } from "../Settings.ts"
import { logCascade } from "./log.ts"
import { answered, decodeRules, firstTask } from "./rows.ts"
import * as WritePatch from "./writePatch.ts"

// What says something about the change, and nothing about the task.
const remarks: ReadonlySet<string> = new Set([
  "version",
  "fencing_token",
  "reason",
  "agent_name",
  "branch_name",
  "scope"
])

const taskInScope = statement("SELECT * FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope)")
const projectScope = statement("SELECT scope FROM projects WHERE id = :project")
const machineInReach = statement("SELECT scope FROM orchestrators WHERE id = :machine AND scope = :reach")
const rulesOfFlow = statement(`
  SELECT rules FROM flows WHERE (scope, name) = (SELECT scope, coalesce(:flow, flow) FROM tasks WHERE id = :id)`)

const patchedTask = Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" })

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const settings = yield* Settings
  const once = yield* Idempotency.make
  const write = yield* WritePatch.make
  const findCycle = yield* Cycle.make

  const run = Effect.fnUntraced(function*(order: WritePatch.Order) {
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
      // One that is not known here is kept as it is named: clients resume work for machines that never registered.
      if (reach !== undefined && patch.orchestrator_id && machines.length === 0) {
        return yield* InvalidTask.unknownOrchestrator(patch.orchestrator_id)
      }
      const waited = dependencies.map(({ blocker_id, on_failure }) => ({
        blocker: String(blocker_id),
        on_failure: on_failure as OnFailure
      }))
      const project = "project_id" in patch ? patch.project_id : task.project_id
      const plan = TaskPatches.plan(task, patch, {
        waitsFor: waited.map(({ blocker }) => blocker),
        rules: decodeRules(flows[0]?.rules)?.[project ? "child" : "task"],
        forced: forcedBy !== undefined,
        now,
        leaseMillis: settings.defaultLeaseSeconds * 1000,
        attemptSeconds: settings.maxAttemptSeconds ?? null
      })
      if ("error" in plan) return yield* plan
      // What only describes the task is nobody's in particular.
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
   * Clients take leases back too, from a list that may be old. What has run out is taken back as the server does it, so
   * that the loss is counted once and the holder may still hand in; whatever has happened to the task since they looked
   * (a renewal, a new grant, a result) stays.
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
      if (takesBack(changes)) return yield* takeBack(id, scope)
      return answered(yield* run({ id, patch: changes, scope }))
    }
  )

  const force = Effect.fn("TaskQueue.force")(
    function*(id: TaskId, { actor, queue, reason, ...expected }: ForcedMove, scope: ScopeName | undefined) {
      return yield* run({
        id,
        scope,
        // Whoever held the task holds it no longer, wherever it goes.
        patch: { queue, reason, claimed_by: null, needs_intervention: false, ...expected },
        forcedBy: actor || ((yield* CurrentActor).name ?? "administrator")
      })
    }
  )

  return { patch, force }
})
