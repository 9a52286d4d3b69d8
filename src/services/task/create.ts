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
import { Database } from "../../sql/Database.ts"
import * as Cycles from "../../sql/dependency/Cycles.ts"
import * as Edges from "../../sql/dependency/Edges.ts"
import * as Token from "../../sql/lease/Token.ts"
import * as Cascade from "../../sql/legacy/Cascade.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import * as FilePath from "../../sql/task/FilePath.ts"
import * as Transition from "../../sql/task/Transition.ts"
import * as Cycle from "../dependency/cycle.ts"
import { Settings } from "../Settings.ts"
import * as Refusal from "./createRefusal.ts"
import * as ExternalKey from "./externalKey.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const once = yield* Idempotency.make
  const row = columnsOf(sql, TaskRow)
  const settings = yield* Settings
  const externalKey = yield* ExternalKey.make
  const transition = Transition.make(sql)
  const edges = Edges.make(sql)
  const cascade = Cascade.make(sql)
  const cycles = Cycles.make(sql)
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
    const inScope = sql`id = ${project} AND scope = ${scope}`
    const branch = project === null
      ? sql`${task.branch || null}`
      : sql`coalesce((SELECT branch FROM projects WHERE ${inScope}), ${task.branch || null})`
    const valid = sql.and([
      project === null ? sql`${Number(Boolean(task.branch))}` : sql`${branch} IS NOT NULL`,
      ...(project === null ? [] : [sql`EXISTS (SELECT 1 FROM projects WHERE ${inScope})`]),
      cycles.none(task.id, scope, blockers),
      sql`NOT ${FilePath.taken(sql, scope, sql`${task.file_path}`)}`,
      ...(task.role
        ? [
          sql`(SELECT count(*) = 0 OR count(*) FILTER (WHERE name = ${task.role}) = 1 FROM roles WHERE scope = ${scope})`
        ]
        : []),
      ...(builtIn.includes(queue) || aside.includes(queue) ? [] : [sql`
        coalesce((SELECT ${queue} IN (SELECT value FROM json_each(rules, ${
        project === null ? "$.task.states" : "$.child.states"
      })) FROM flows WHERE scope = ${scope} AND name = ${flow}), 1)`])
    ])
    // A task under the id of a deleted one goes on counting where that one stopped.
    const before = sql`SELECT version, grants FROM history WHERE task_id = ${task.id} ORDER BY version DESC LIMIT 1`
    const granted = sql`coalesce((SELECT grants FROM (${before})), 0)`
    const grants = claimed ? Token.next(sql, granted) : granted
    const self = sql`id = ${task.id}`
    const actor = creatorOf(task) ?? name
    const blocking = blockers.length === 0 ? [] : [
      edges.depend(task.id, waits, now, sql`changes() > 0`),
      sql`UPDATE tasks SET blocked_by = ${edges.remaining(sql`tasks.id`)} WHERE ${self} AND changes() > 0`
    ]
    // Others may have waited for a task of this name, and some of what it waits for may have failed already.
    const ended = ends.includes(queue)
    const source = ended ? cascade.of(task.id, now) : cascade.to(task.id, blockers, now)
    const cascades = ended || waits.some(({ on_failure }) => on_failure === "fail")

    const steps = [
      sql`
        INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, complexity, role, type,
          branch, content, project_id, pr_number, attempt_count, needs_intervention, auto_accept, hooks, flow,
          flow_overrides, metadata, created_at, updated_at, completed_at, grants, claimed_by, claimed_at, claimed_from,
          lease_expires_at, deadline_at, max_attempt_seconds, max_attempts, max_lease_losses, max_rejections,
          external_key)
        SELECT ${task.id}, ${scope}, ${task.file_path}, ${task.title || task.id}, ${queue},
          coalesce((SELECT version FROM (${before})), 0) + 1, ${priority}, ${rank(priority)}, ${
        task.complexity || null
      },
          ${task.role || null}, ${task.type || null}, ${branch}, ${task.content ?? null}, ${project},
          ${task.pr_number ?? null}, ${task.attempt_count ?? 0}, ${Number(task.needs_intervention ?? false)},
          ${Number(task.auto_accept ?? false)}, ${task.hooks || null}, ${flow}, ${task.flow_overrides || null},
          ${metadata === null ? null : JSON.stringify(metadata)}, ${now}, ${now}, ${queue === "done" ? now : null},
          ${grants}, ${claimed ? UnknownHolder : null}, ${claimed ? now : null}, ${claimed ? "incoming" : null},
          ${claimed ? Math.min(leaseEnd, deadline ?? leaseEnd) : null}, ${claimed ? deadline : null},
          ${task.max_attempt_seconds ?? null}, ${task.max_attempts ?? null}, ${task.max_lease_losses ?? null},
          ${task.max_rejections ?? null}, ${task.external_key ?? null}
        WHERE ${valid} RETURNING id`,
      sql`
        INSERT INTO history (task_id, version, scope, event, to_queue, actor, grants, at)
        SELECT id, version, scope, 'created', queue, ${actor}, grants, ${now} FROM tasks
        WHERE ${self} AND changes() > 0`,
      transition.countNew(scope, project, queue, sql`changes() > 0`),
      ...blocking
    ]
    const followers = cascades
      ? [...cascade.fall(source, now, sql`changes() > 0`), ...cascade.settle(source, now)]
      : []
    const made = sql`tasks WHERE ${self} AND scope = ${scope}`
    const { answers, replay } = yield* once.atomic([...steps, ...followers, sql`SELECT * FROM tasks WHERE ${self}`], {
      // Right after the statement that makes the task, which alone knows whether this request did.
      after: 0,
      row,
      from: sql`${made} AND changes() > 0`,
      // It is told what it waits for later on, and may fail right away with that.
      ...(blocking.length + followers.length === 0 ? {} : { atEnd: { may: sql`1`, rows: made } })
    }).pipe(Effect.catchTag("UniqueViolation", () => exists(task)))
    if (replay !== undefined) {
      const task = (yield* firstTask(replay.rows))!
      return replay.rows[0]?.existing === 1 ? { ...task, existing: true as const } : task
    }
    if (answers[0]?.length === 0) {
      const cycle = yield* findCycle({ id: task.id, scope }, blockers)
      return yield* cycle ?? refusal(scope, task, queue, flow)
    }
    const created = (yield* firstTask(answers.at(-1)))!
    yield* logTransition("created", created, actor)
    if (cascades) yield* logCascade(answers.slice(steps.length, -1))
    return created
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
