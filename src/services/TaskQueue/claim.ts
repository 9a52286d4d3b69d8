/** Claiming: one batch takes back what expired, picks the next task and grants it, so that no two claims collide. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName } from "../../domain/Identifier.ts"
import { MaxLeaseSeconds } from "../../domain/Lease.ts"
import { InvalidTask, NoTasksAvailable } from "../../domain/TaskErrors.ts"
import type { Claim } from "../../domain/TaskInput.ts"
import { claimOf, landing, unclaimable } from "../../domain/TaskState.ts"
import { Database } from "../../sql/Database.ts"
import * as Expiry from "../../sql/Expiry.ts"
import * as Transition from "../../sql/Transition.ts"
import { Settings } from "../Settings.ts"
import { logTransition, logTransitions } from "./log.ts"
import { decodeCounts, firstTask } from "./rows.ts"

// A claim is a sign of life, but a heartbeat younger than this says the same without another written row.
const FreshMillis = 30_000

// What an empty-handed orchestrator is told to wait, in seconds: its usual tick is longer, an idle retry loop is not.
const RetryAfterSeconds = 15

const asList = (filter: string | ReadonlyArray<string> | null | undefined): ReadonlyArray<string> =>
  filter === null || filter === undefined || filter === "" ? [] : typeof filter === "string" ? [filter] : filter

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const settings = yield* Settings
  const transition = Transition.make(sql)
  const expire = Expiry.make(sql)

  /**
   * The id of the next task. One index holds who is ready, in the order of claims; another holds the same for each role,
   * so that a claim for some roles reads a row or two for each, and none for the tasks of others that wait in front.
   */
  const next = (
    scope: ScopeName,
    queue: string,
    roles: ReadonlyArray<string>,
    types: ReadonlyArray<string>
  ): Fragment => {
    const ready = sql`
      scope = ${scope} AND queue = ${queue} AND claimed_by IS NULL AND blocked_by IS NULL AND queue <> 'done'
      ${types.length === 0 ? sql`` : sql`AND type IN (SELECT value FROM json_each(${JSON.stringify(types)}))`}`
    const order = sql`ORDER BY priority_rank, created_at, id LIMIT 1`
    if (roles.length === 0) return sql`(SELECT id FROM tasks INDEXED BY tasks_ready WHERE ${ready} ${order})`
    if (roles.length === 1) {
      return sql`(SELECT id FROM tasks INDEXED BY tasks_ready_for WHERE ${ready} AND lane = ${roles[0]} ${order})`
    }
    return sql`(
      SELECT best.id FROM json_each(${JSON.stringify([...new Set(roles)])}) AS asked
      CROSS JOIN tasks AS best ON best.id = (
        SELECT id FROM tasks INDEXED BY tasks_ready_for WHERE ${ready} AND lane = asked.value ${order})
      ORDER BY best.priority_rank, best.created_at, best.id LIMIT 1)`
  }

  return Effect.fn("TaskQueue.claim")(function*(scope: ScopeName, claim: Claim) {
    const now = yield* Clock.currentTimeMillis
    const queue = claim.queue || "incoming"
    if (unclaimable.includes(queue)) return yield* InvalidTask.unclaimable(queue)
    const seconds = claim.lease_duration_seconds || settings.defaultLeaseSeconds
    if (seconds < 1 || seconds > MaxLeaseSeconds) return yield* InvalidTask.lease(MaxLeaseSeconds)

    const move = claimOf(queue)
    const orchestrator = sql`SELECT status FROM orchestrators WHERE id = ${claim.orchestrator_id}`
    const { change, record } = transition.statements(
      move,
      {
        where: sql`
          id = ${next(scope, queue, asList(claim.role_filter), asList(claim.type_filter))}
          AND (${orchestrator}) <> 'maintenance'`,
        actor: claim.agent_name,
        details: JSON.stringify({ orchestrator_id: claim.orchestrator_id, lease_seconds: seconds }),
        now
      },
      sql`, grants = grants + 1, claimed_by = ${claim.agent_name}, claimed_at = ${now}, claimed_from = queue,
        orchestrator_id = ${claim.orchestrator_id}, lease_expires_at = ${now + Math.round(seconds * 1000)}`
    )
    const target = landing(move, { queue, claimed_from: null })
    const takeBack = expire(now, scope)
    const answers = yield* batch([
      ...takeBack,
      sql`
        UPDATE orchestrators SET last_heartbeat = ${now}, status = iif(status = 'offline', 'active', status)
        WHERE id = ${claim.orchestrator_id} AND (status = 'offline' OR last_heartbeat < ${now - FreshMillis})`,
      record,
      change,
      ...(target === queue ? [] : [transition.countChange(scope, queue, target)])
    ])
    yield* logTransitions("lease_expired", answers[takeBack.length - 1])
    const task = yield* firstTask(answers.at(target === queue ? -1 : -2))
    if (task !== undefined) {
      yield* logTransition(move.event, task, claim.agent_name)
      return task
    }
    // Why there is none takes a second round trip, which a claim that finds work does not pay for.
    const [orchestrators, counts] = yield* batch([
      orchestrator,
      sql`SELECT counts FROM queue_counts WHERE scope = ${scope}`
    ])
    const status = orchestrators?.[0]?.status
    if (status === undefined) return yield* InvalidTask.unknownOrchestrator(claim.orchestrator_id)
    return yield* new NoTasksAvailable({
      message: "No tasks available",
      ...(status === "maintenance"
        ? {
          reason: "maintenance" as const,
          error: `Orchestrator ${claim.orchestrator_id} is in maintenance and gets no work until that is lifted.`
        }
        : { reason: "none_ready" as const, error: `No task in ${queue} is ready for this claim. Ask again later.` }),
      counts: decodeCounts(counts?.[0]?.counts),
      retry_after_seconds: RetryAfterSeconds
    })
  })
})
