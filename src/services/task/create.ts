/** Creating a task: its row, its history, its blockers and its counter in one batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { MaxBlockers, parseBlockers, waitsOf } from "../../domain/dependency/Dependency.ts"
import { aside, builtIn } from "../../domain/flow/FlowRules.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { UnknownHolder } from "../../domain/lease/Lease.ts"
import { ends } from "../../domain/task/Moves.ts"
import { DefaultPriority, rank } from "../../domain/task/Priority.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask } from "../../domain/task/TaskErrors.ts"
import { creatorOf, metadataOf, type NewTask } from "../../domain/task/TaskInput.ts"
import * as Cascade from "../../sql/dependency/Cascade.ts"
import { noCycle } from "../../sql/dependency/Cycles.ts"
import * as Dependency from "../../sql/dependency/Dependency.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { nextToken } from "../../sql/lease/Claim.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import * as Cycle from "../dependency/cycle.ts"
import * as Refusal from "./createRefusal.ts"
import * as ExternalKey from "./externalKey.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

// A task of a project is on the branch of the project, if that has one.
const branch = "coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch)"

const knownProject = "(:project_id IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project_id AND scope = :scope))"

// A scope without roles knows every name.
const knownRole =
  "(:role IS NULL OR (SELECT count(*) = 0 OR count(*) FILTER (WHERE name = :role) = 1 FROM roles WHERE scope = :scope))"

const knownQueue = `(:usual_queue OR coalesce((
  SELECT :queue IN (SELECT value FROM json_each(rules, iif(:project_id IS NULL, '$.task.states', '$.child.states')))
  FROM flows WHERE scope = :scope AND name = :flow), 1))`

// A path that names the task is found by the id in it, and is in no index, so that a new task writes a row less.
const pathTaken = `(
  EXISTS (SELECT 1 FROM tasks WHERE scope = :scope AND file_path = :file_path AND file_path <> 'TASK-' || id || '.md')
  OR EXISTS (SELECT 1 FROM tasks WHERE id = substr(:file_path, 6, length(:file_path) - 8) AND +scope = :scope
    AND +file_path = :file_path))`

// A task under the id of a deleted one goes on counting where that one stopped.
const lastOf = (column: string) =>
  `coalesce((SELECT ${column} FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0)`

const inserted = variants((holder: "held" | "free", blockers: "blockers" | "no blockers") =>
  statement(`
    INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, complexity, role, type,
      branch, content, project_id, pr_number, attempt_count, needs_intervention, auto_accept, hooks, flow, flow_overrides,
      metadata, created_at, updated_at, completed_at, grants, claimed_by, claimed_at, claimed_from, lease_expires_at,
      deadline_at, max_attempt_seconds, max_attempts, max_lease_losses, max_rejections, loss_limit, attempt_limit,
      external_key)
    SELECT :id, :scope, :file_path, :title, :queue, ${lastOf("version")} + 1, :priority, :priority_rank, :complexity, :role,
      :type, ${branch}, :content, :project_id, :pr_number, :attempt_count, :needs_intervention, :auto_accept, :hooks, :flow,
      :flow_overrides, :metadata, :now, :now, :completed_at,
      ${holder === "held" ? nextToken(lastOf("grants")) : lastOf("grants")}, :claimed_by, :claimed_at, :claimed_from,
      :lease_expires_at, :deadline_at, :max_attempt_seconds, :max_attempts, :max_lease_losses, :max_rejections, :loss_limit,
      :attempt_limit, :external_key
    WHERE ${branch} IS NOT NULL AND ${knownProject} AND ${knownRole} AND ${knownQueue} AND NOT ${pathTaken}
      ${blockers === "blockers" ? `AND ${noCycle}` : ""}
    RETURNING id`)
)

const blocked = statement(`
  UPDATE tasks SET blocked_by = ${Cascade.waitsStill} WHERE id IN (SELECT id FROM unrecorded WHERE id = :id)`)

const counted = statement(`
  INSERT INTO queue_counts (scope, counts, revision)
  SELECT owner, json_object(:queue, 1), 1 FROM (
    SELECT :scope AS owner UNION ALL SELECT scope FROM queue_counts WHERE scope = char(31) || :project_id)
  WHERE EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)
  ON CONFLICT (scope) DO UPDATE SET revision = revision + 1,
    counts = json_patch(counts, json_object(:queue, coalesce(counts ->> ('$."' || :queue || '"'), 0) + 1))`)

const recorded = statement(`
  INSERT INTO history (task_id, version, scope, event, to_queue, actor, grants, at)
  SELECT id, version, scope, 'created', queue, :actor, grants, :now FROM unrecorded WHERE id = :id`)

// The task may fail with its blockers, some of which may have failed already. And other tasks may have waited for its name.
const cascade = Cascade.make("SELECT :id AS id", { created: true, ownFailure: "1" })

const taskById = statement("SELECT * FROM tasks WHERE id = :id")

const row = columnsOf(TaskRow)
const created = Idempotency.keeping({ row, from: "tasks", where: "id = :id AND scope = :scope" })
// Later steps of the batch change what the task waits for, and it may fail at once.
const createdAndChanged = Idempotency.keeping({
  row,
  from: "tasks",
  where: "id = :id AND scope = :scope",
  atEnd: { may: "1", from: "tasks", where: "id = :id AND scope = :scope" }
})

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make
  const settings = yield* Settings
  const externalKey = yield* ExternalKey.make
  const findCycle = yield* Cycle.make
  const { exists, refusal } = yield* Refusal.make

  const create = Effect.fnUntraced(function*(scope: ScopeName, task: NewTask) {
    const now = yield* Clock.currentTimeMillis
    const waits = waitsOf(parseBlockers(task.blocked_by), task.depends_on)
    const blockers = waits.map(({ blocker }) => blocker)
    if (blockers.includes(task.id)) return yield* InvalidTask.blockedByItself(task.id)
    if (blockers.length > MaxBlockers) return yield* InvalidTask.tooManyBlockers(MaxBlockers)
    const queue = task.queue || "incoming"
    const flow = task.flow || "default"
    const priority = task.priority || DefaultPriority
    const project = task.project_id || null
    if (queue === "claimed" && blockers.length > 0) return yield* InvalidTask.claimedAndBlocked()
    const { name, scope: reach } = yield* CurrentActor
    // Done is reached by accept, or by an administrator: where there is one, a key does not create its way around that.
    if (queue === "done" && reach !== undefined && settings.apiSecretKey !== undefined) {
      return yield* InvalidTask.createdDone()
    }
    const metadata = metadataOf(task)
    // A task put into `claimed` by hand gets a lease like any other, so that it cannot stay there for ever.
    const claimed = queue === "claimed"
    const leaseEnd = now + settings.defaultLeaseSeconds * 1000
    const attempt = task.max_attempt_seconds ?? settings.maxAttemptSeconds
    const deadline = attempt === undefined ? null : now + attempt * 1000
    const lease = claimed
      ? {
        claimed_by: UnknownHolder,
        claimed_at: now,
        claimed_from: "incoming",
        lease_expires_at: Math.min(leaseEnd, deadline ?? leaseEnd),
        deadline_at: deadline,
        loss_limit: (task.max_lease_losses ?? settings.limits.max_lease_losses) || null,
        attempt_limit: (task.max_attempts ?? settings.limits.max_attempts) || null
      }
      : {
        claimed_by: null,
        claimed_at: null,
        claimed_from: null,
        lease_expires_at: null,
        deadline_at: null,
        loss_limit: null,
        attempt_limit: null
      }
    const actor = creatorOf(task) ?? name
    const values: Values = {
      ...lease,
      ...Dependency.valuesOf(waits),
      id: task.id,
      scope,
      file_path: task.file_path,
      title: task.title || task.id,
      queue,
      priority,
      priority_rank: rank(priority),
      complexity: task.complexity || null,
      role: task.role || null,
      type: task.type || null,
      branch: task.branch || null,
      content: task.content ?? null,
      project_id: project,
      pr_number: task.pr_number ?? null,
      attempt_count: task.attempt_count ?? 0,
      needs_intervention: Number(task.needs_intervention ?? false),
      auto_accept: Number(task.auto_accept ?? false),
      hooks: task.hooks || null,
      flow,
      flow_overrides: task.flow_overrides || null,
      metadata: metadata === null ? null : JSON.stringify(metadata),
      now,
      completed_at: queue === "done" ? now : null,
      max_attempt_seconds: task.max_attempt_seconds ?? null,
      max_attempts: task.max_attempts ?? null,
      max_lease_losses: task.max_lease_losses ?? null,
      max_rejections: task.max_rejections ?? null,
      external_key: task.external_key ?? null,
      usual_queue: Number(builtIn.includes(queue) || aside.includes(queue)),
      added: JSON.stringify(blockers),
      actor
    }
    const waiting = blockers.length > 0
    const follows = ends.includes(queue) || waits.some(({ on_failure }) => on_failure === "fail")
    const { answers, replay } = yield* once.atomic({
      inserted: inserted(claimed ? "held" : "free", waiting ? "blockers" : "no blockers")(values),
      dependencies: waiting ? Dependency.ofCreated(values) : undefined,
      blocked: waiting ? blocked(values) : undefined,
      counted: counted(values),
      failed: follows ? cascade.failed(values) : undefined,
      recorded: recorded(values),
      satisfied: follows ? cascade.satisfied(values) : undefined,
      unblocked: follows ? cascade.unblocked(values) : undefined,
      movesCounted: follows ? cascade.counted(values) : undefined,
      dependents: follows ? cascade.dependents(values) : undefined,
      task: taskById(values)
    }, { keep: "inserted", answer: waiting || follows ? createdAndChanged : created, values }).pipe(
      Effect.catchTag("UniqueViolation", () => exists(task))
    )
    if (replay !== undefined) {
      const task = (yield* firstTask(replay.rows))!
      return replay.rows[0]?.existing === 1 ? { ...task, existing: true as const } : task
    }
    if (answers.inserted.length === 0) {
      const cycle = yield* findCycle({ id: task.id, scope }, blockers)
      return yield* cycle ?? refusal(scope, task, queue, flow)
    }
    const made = (yield* firstTask(answers.task))!
    yield* logTransition("created", made, actor)
    yield* logCascade([answers.dependents])
    return made
  })

  return Effect.fn("TaskQueue.create")((scope: ScopeName, task: NewTask) =>
    create(scope, task).pipe(Effect.catch((refused) => {
      // Whoever creates a task by its key wants it to be there, and it is, whatever else would be in the way of another.
      const existing = task.external_key == null ? Effect.undefined : externalKey.known(scope, task.external_key)
      return Effect.flatMap(
        existing,
        (found) => found === undefined ? Effect.fail(refused) : Effect.succeed({ ...found, existing: true as const })
      )
    }))
  )
})
