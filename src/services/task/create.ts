/** Creates a task: its row, its history, its dependencies and its counter in one batch. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import { MaxBlockers, parseBlockers, waitsOf } from "../../domain/dependency/Dependency.ts"
import { aside, builtIn, invalidQueue } from "../../domain/flow/FlowRules.ts"
import type { DraftId, ScopeName } from "../../domain/Identifier.ts"
import { UnknownHolder } from "../../domain/lease/Lease.ts"
import { capOf } from "../../domain/record/Usage.ts"
import { ends } from "../../domain/task/Moves.ts"
import { DefaultPriority, rank } from "../../domain/task/Priority.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask, TaskExists } from "../../domain/task/TaskErrors.ts"
import { creatorOf, metadataOf, type NewTask } from "../../domain/task/TaskInput.ts"
import { Database } from "../../sql/Database.ts"
import * as Cascade from "../../sql/dependency/Cascade.ts"
import { noCycle } from "../../sql/dependency/Cycles.ts"
import * as Dependency from "../../sql/dependency/Dependency.ts"
import * as Feed from "../../sql/Feed.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { nextToken } from "../../sql/lease/Claim.ts"
import * as ByProject from "../../sql/record/ByProject.ts"
import * as Promotion from "../../sql/record/Promotion.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"
import * as FilePath from "../../sql/task/FilePath.ts"
import * as Cycle from "../dependency/cycle.ts"
import { Settings } from "../Settings.ts"
import * as ExternalKey from "./externalKey.ts"
import { logCascade, logTransition } from "./log.ts"
import { decodeRules, firstTask } from "./rows.ts"

const byId = statement("SELECT id FROM tasks WHERE id = :id")
const branchOfProject = statement("SELECT branch FROM projects WHERE id = :project_id AND scope = :scope")
const rolesOfScope = statement("SELECT name FROM roles WHERE scope = :scope ORDER BY name")
const rulesOfFlow = statement("SELECT rules FROM flows WHERE scope = :scope AND name = :flow")

export const makeRefusal = Effect.gen(function*() {
  const { batch } = yield* Database

  /** The id or the path is taken. A repeated create has both; then the answer names the id. */
  const exists = Effect.fnUntraced(function*(task: NewTask) {
    const { same } = yield* batch({ same: byId({ id: task.id }) })
    return yield* same.length === 0 ? TaskExists.filePath(task.id, task.file_path) : TaskExists.id(task.id)
  })

  /** Reads what the task refers to, in the second round trip that only a refusal costs, and says what is wrong. */
  const refusal = Effect.fnUntraced(function*(scope: ScopeName, task: NewTask, queue: string, flow: string) {
    const values = { project_id: task.project_id || null, scope, flow }
    const { flows, projects, roles } = yield* batch({
      projects: branchOfProject(values),
      roles: rolesOfScope(values),
      flows: rulesOfFlow(values)
    })
    if (!task.branch && !projects[0]?.branch) return yield* InvalidTask.branchRequired()
    const known = roles.map(({ name }) => String(name))
    if (task.role && known.length > 0 && !known.includes(task.role)) {
      return yield* InvalidTask.role(task.role, known, "role")
    }
    const problem = invalidQueue(queue, flow, decodeRules(flows[0]?.rules)?.[task.project_id ? "child" : "task"])
    if (problem !== undefined) return yield* InvalidTask.queue(problem)
    if (task.project_id && projects.length === 0) return yield* InvalidTask.unknownProject(task.project_id)
    return yield* exists(task)
  })

  return { exists, refusal }
})

// A task of a project is on the branch of the project, if that has one.
const branch = "coalesce((SELECT branch FROM projects WHERE id = :project_id AND scope = :scope), :branch)"

const knownProject =
  "(:project_id IS NULL OR EXISTS (SELECT 1 FROM projects WHERE id = :project_id AND scope = :scope))"

// A scope without roles knows every name.
const knownRole =
  "(:role IS NULL OR (SELECT count(*) = 0 OR count(*) FILTER (WHERE name = :role) = 1 FROM roles WHERE scope = :scope))"

const knownQueue = `(:usual_queue OR coalesce((
  SELECT :queue IN (SELECT value FROM json_each(rules, iif(:project_id IS NULL, '$.task.states', '$.child.states')))
  FROM flows WHERE scope = :scope AND name = :flow), 1))`

// A task with the id of a deleted one continues the counts of that one.
const lastOf = (column: string) =>
  `coalesce((SELECT ${column} FROM history WHERE task_id = :id ORDER BY version DESC LIMIT 1), 0)`

const inserted = variants((
  holder: "held" | "free",
  blockers: "blockers" | "no blockers",
  origin: "a draft" | "no draft"
) =>
  statement(`
    INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, complexity, role, type,
      branch, content, project_id, pr_number, attempt_count, needs_intervention, auto_accept, hooks, flow, flow_overrides,
      metadata, created_at, updated_at, completed_at, grants, claimed_by, claimed_at, claimed_from, lease_expires_at,
      deadline_at, max_attempt_seconds, max_attempts, max_lease_losses, max_rejections, loss_limit, attempt_limit,
      external_key, max_cost_usd, max_tokens, by_project${origin === "a draft" ? ", draft_id" : ""})
    SELECT :id, :scope, :file_path, :title, :queue, ${
    lastOf("version")
  } + 1, :priority, :priority_rank, :complexity, :role,
      :type, ${branch}, :content, :project_id, :pr_number, :attempt_count, :needs_intervention, :auto_accept, :hooks, :flow,
      :flow_overrides, :metadata, :now, :now, :completed_at,
      ${holder === "held" ? nextToken(lastOf("grants")) : lastOf("grants")}, :claimed_by, :claimed_at, :claimed_from,
      :lease_expires_at, :deadline_at, :max_attempt_seconds, :max_attempts, :max_lease_losses, :max_rejections, :loss_limit,
      :attempt_limit, :external_key, CAST(:max_cost_usd AS INTEGER), CAST(:max_tokens AS INTEGER), ${ByProject.ofNew}${
    origin === "a draft" ? ", :draft_id" : ""
  }
    WHERE ${branch} IS NOT NULL AND ${knownProject} AND ${knownRole} AND ${knownQueue} AND NOT ${
    FilePath.taken(":file_path")
  }
      ${blockers === "blockers" ? `AND ${noCycle}` : ""}
      ${origin === "a draft" ? `AND ${Promotion.open}` : ""}
    RETURNING id`)
)

const blocked = statement(`
  UPDATE tasks SET blocked_by = ${Cascade.waitsStill} WHERE id IN (SELECT id FROM unrecorded WHERE id = :id)`)

const linked = Promotion.linking("linked_task_id", "EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)")

// The first task of a scope makes its counters.
const counted = statement(`
  INSERT INTO queue_counts (scope, counts, revision, seq, events)
  SELECT owner, json_object(:queue, 1), 1, coalesce((SELECT seq FROM queue_counts WHERE scope = :scope), 0) + 1,
    iif(owner < ' ', '{}', '{"created":1}') FROM (
    SELECT :scope AS owner UNION ALL SELECT scope FROM queue_counts WHERE scope = char(31) || :project_id)
  WHERE EXISTS (SELECT 1 FROM unrecorded WHERE id = :id)
  ON CONFLICT (scope) DO UPDATE SET revision = revision + 1, seq = excluded.seq,
    counts = json_patch(counts, json_object(:queue, coalesce(counts ->> ('$."' || :queue || '"'), 0) + 1)),
    events = iif(scope < ' ', events, json_set(events, '$.created', coalesce(events ->> 'created', 0) + 1))`)

const recorded = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, to_queue, actor, grants, at, title, project_id)
  SELECT id, version, scope, (SELECT seq FROM queue_counts WHERE queue_counts.scope = unrecorded.scope), 'created', queue,
    :actor, grants, :now, title, project_id
  FROM unrecorded WHERE id = :id`)

// The blockers of the task may have failed already, so the task may fail with them. And other tasks may have waited for
// its name.
const cascade = Cascade.ofCreated()
const followersCounted = Feed.counted("= :scope")

const taskById = statement("SELECT * FROM tasks WHERE id = :id")

const row = columnsOf(TaskRow)
const created = Idempotency.keeping({ row, from: "tasks", where: "id = :id AND scope = :scope" })
// Later steps of the batch change `blocked_by`, and the task may fail at once.
const createdAndChanged = Idempotency.keeping({
  row,
  from: "tasks",
  where: "id = :id AND scope = :scope",
  atEnd: { may: "1", from: "tasks", where: "id = :id AND scope = :scope" }
})

/** Creates tasks, with a link to the draft that they come from. An external key that is taken is a refusal. */
export const makeFrom = Effect.gen(function*() {
  const once = yield* Idempotency.make
  const settings = yield* Settings
  const externalKey = yield* ExternalKey.make
  const findCycle = yield* Cycle.make
  const { exists, refusal } = yield* makeRefusal

  return Effect.fnUntraced(function*(scope: ScopeName, task: NewTask, draft?: DraftId) {
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
    // `done` is reached by an accept or an administrator. On a server with a secret, a key may not create a task there.
    if (queue === "done" && reach !== undefined && settings.apiSecretKey !== undefined) {
      return yield* InvalidTask.createdDone()
    }
    const metadata = metadataOf(task)
    // A task that is created in `claimed` gets a lease, so that it cannot stay there for ever.
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
      max_cost_usd: capOf(task.max_cost_usd),
      max_tokens: task.max_tokens ?? null,
      usual_queue: Number(builtIn.includes(queue) || aside.includes(queue)),
      added: JSON.stringify(blockers),
      draft_id: draft ?? null,
      actor
    }
    const waiting = blockers.length > 0
    const follows = ends.includes(queue) || waits.some(({ on_failure }) => on_failure === "fail")
    const { answers, replay } = yield* once.atomic({
      inserted: inserted(
        claimed ? "held" : "free",
        waiting ? "blockers" : "no blockers",
        draft === undefined ? "no draft" : "a draft"
      )(values),
      linked: draft === undefined ? undefined : linked.map((each) => each(values)),
      dependencies: waiting ? Dependency.ofCreated(values) : undefined,
      blocked: waiting ? blocked(values) : undefined,
      counted: counted(values),
      failed: follows ? cascade.failed(values) : undefined,
      satisfied: follows ? cascade.satisfied(values) : undefined,
      unblocked: follows ? cascade.unblocked(values) : undefined,
      recorded: recorded(values),
      dependents: follows ? cascade.dependents(values) : undefined,
      followersCounted: follows ? followersCounted(values) : undefined,
      task: taskById(values)
    }, { keep: "inserted", answer: waiting || follows ? createdAndChanged : created, values }).pipe(
      Effect.catchTag(
        "UniqueViolation",
        (violation) =>
          draft !== undefined && violation.columns.includes("index 'tasks_external_key'")
            ? externalKey.taken(task.id, task.external_key ?? null, violation)
            : exists(task)
      )
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
})

export const make = Effect.gen(function*() {
  const externalKey = yield* ExternalKey.make
  const create = yield* makeFrom

  return Effect.fn("TaskQueue.create")((scope: ScopeName, task: NewTask) =>
    create(scope, task).pipe(Effect.catch((refused) => {
      // A caller that creates a task by its external key wants it to exist. If an open task has the key, that
      // task is the answer, also if another constraint was violated.
      const existing = task.external_key == null ? Effect.undefined : externalKey.known(scope, task.external_key)
      return Effect.flatMap(
        existing,
        (found) => found === undefined ? Effect.fail(refused) : Effect.succeed({ ...found, existing: true as const })
      )
    }))
  )
})
