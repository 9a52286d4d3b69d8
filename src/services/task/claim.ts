/** Claiming: one batch takes back what expired, picks the next task and grants it, so that no two claims collide. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { seed } from "../../domain/lease/Backoff.ts"
import { handoffOf } from "../../domain/lease/Handoff.ts"
import { MaxLeaseSeconds, renewAfterSeconds } from "../../domain/lease/Lease.ts"
import type { Claim } from "../../domain/task/MoveInput.ts"
import { claimOf, landing, moves, unclaimable } from "../../domain/task/Moves.ts"
import { rank } from "../../domain/task/Priority.ts"
import type { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask, LeaseLost, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database, ifRoom } from "../../sql/Database.ts"
import * as Backoff from "../../sql/lease/Backoff.ts"
import * as Entitled from "../../sql/lease/Entitled.ts"
import * as Expiry from "../../sql/lease/Expiry.ts"
import * as Token from "../../sql/lease/Token.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import * as NextTask from "../../sql/task/NextTask.ts"
import * as Oversized from "../../sql/task/Oversized.ts"
import * as Transition from "../../sql/task/Transition.ts"
import { ifRefused } from "../lease/ifRefused.ts"
import { Settings } from "../Settings.ts"
import * as Refusal from "./claimRefusal.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

// A claim is a sign of life, but a heartbeat younger than this says the same without another written row.
const FreshMillis = 30_000

// More than there are priorities anywhere; each one costs a seek.
const MaxRanks = 20

const asList = (filter: string | ReadonlyArray<string> | null | undefined): ReadonlyArray<string> =>
  filter === null || filter === undefined || filter === "" ? [] : typeof filter === "string" ? [filter] : filter

const ranksOf = (order: Claim["priority_order"]): ReadonlyArray<number> =>
  [
    ...new Set(asList(order).flatMap((item) => item.split(",")).map(rank))
  ].slice(0, MaxRanks)

const wanted = (scope: ScopeName, claim: Claim, queue: string): NextTask.Wanted => ({
  scope,
  queue,
  roles: [...new Set(asList(claim.role_filter))],
  types: asList(claim.type_filter),
  ranks: ranksOf(claim.priority_order)
})

/** Where a claim looks, and whether past what is too large to be granted, which costs more. */
export interface Look {
  readonly queue: string
  readonly passing: boolean
}

/** A task in the hands of its new holder, with what it needs to know. */
const claimed = (task: TaskRow, now: number) => ({
  ...task,
  renew_after_seconds: renewAfterSeconds(DateTime.toEpochMillis(task.lease_expires_at!) - now),
  handoff: handoffOf(task)
})

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const once = yield* Idempotency.make
  const settings = yield* Settings
  const transition = Transition.make(sql)
  const expire = Expiry.make(sql, settings)
  const { end: endBackoff } = Backoff.make(sql)
  const next = NextTask.make(sql)
  const entitled = Entitled.make(sql)
  const { oversized } = Oversized.make(sql)
  const explain = yield* Refusal.make

  /** When an attempt at the task has to end: the tighter of what the task and the claim say, or else the default. */
  const attemptEnd = (seconds: number | null | undefined, now: number): Fragment =>
    seconds == null
      ? sql`${now} + coalesce(max_attempt_seconds, ${settings.maxAttemptSeconds ?? null}) * 1000`
      : sql`${now} + min(coalesce(max_attempt_seconds, ${seconds}), ${seconds}) * 1000`
  /** The task of an earlier claim as it is now, while it is held under the token that one was answered with. */
  const held = Effect.fnUntraced(function*({ besides, rows: [granted] }: Idempotency.Replay) {
    const task = yield* firstTask(besides)
    const { fencing_token, id } = granted!
    if (task === undefined) return yield* TaskNotFound.of(String(id))
    return task.fencing_token === fencing_token
      ? task
      : yield* LeaseLost.of(task, Number(fencing_token))
  })

  /** Grants the next task of `queue`, if there is one and the machine may have it. */
  const grant = Effect.fnUntraced(function*(
    scope: ScopeName,
    claim: Claim,
    reach: ScopeName | undefined,
    { passing, queue }: Look,
    seconds: number
  ) {
    const now = yield* Clock.currentTimeMillis
    const { agent_name, orchestrator_id } = claim
    const move = claimOf(queue)
    const roles = [...new Set(asList(claim.role_filter))]
    const id = next({ ...wanted(scope, claim, queue), passing })
    const { may, own } = entitled({ claim, reach, roles, scope, reviews: move !== moves.claim, from: queue })
    const details = { orchestrator_id, lease_seconds: seconds }
    const change = {
      where: sql`id = ${id} AND ${may} AND NOT ${oversized}`,
      actor: agent_name,
      details: JSON.stringify(details),
      now
    }
    const target = landing(move, { queue, claimed_from: null })
    const deadline = move === moves.claim ? attemptEnd(claim.max_attempt_seconds, now) : sql`NULL`
    const end = now + Math.round(seconds * 1000)
    // Tasks whose backoff is over are ready again, and leases that ran out are taken back. Every attempt of a claim does so: time
    // has passed since the one before.
    const ready = settings.backoff.baseSeconds === 0 ? [] : endBackoff(now, scope)
    const expired = expire.claimable(now, yield* seed, scope)
    const token = Token.next(sql, sql`grants`)
    const set = sql`, grants = ${token}, claimed_by = ${agent_name}, claimed_at = ${now}, claimed_from = queue,
      orchestrator_id = ${orchestrator_id}, lease_seconds = ${Math.ceil(seconds)}, deadline_at = ${deadline},
      lease_expires_at = min(${end}, coalesce(${deadline}, ${end}))`
    // Nothing is looked for where nothing was recorded.
    const granted = sql`id = iif(changes() > 0, ${id}, NULL)`
    const send = (takeBack: typeof expired) =>
      once.batch([
        ...ready,
        ...takeBack,
        sql`
        UPDATE orchestrators SET last_heartbeat = ${now}, status = iif(status = 'offline', 'active', status)
        WHERE ${own} AND (status = 'offline' OR last_heartbeat < ${now - FreshMillis})`,
        transition.statements(move, change).record,
        // What may be granted was settled by the statement before, which wrote a row if and only if it may.
        transition.count({ where: granted, to: sql`${target}` }),
        transition.statements(move, { ...change, where: granted }, set).change
      ], {
        // Before the grant, as long as the same expression finds the very task it goes to.
        after: ready.length + takeBack.length + 1,
        row: { id: sql`id`, fencing_token: token },
        from: sql`tasks WHERE id = ${id} AND changes() > 0`,
        besides: (answer) => sql`SELECT * FROM tasks WHERE id = ${answer} ->> '$[0].id' AND scope = ${scope}`
      }).pipe(Effect.map((sent) => ({ ...sent, takeBack })))
    // What cannot be taken back is left to the cron, which says what that is, and keeps nobody from the rest.
    const without = ifRefused("taking back with a claim was refused", Effect.suspend(() => send([])))
    const { answers, replay, takeBack } = yield* without(send(expired))
    if (replay !== undefined) return claimed(yield* held(replay), now)
    const before = ready.length + takeBack.length
    yield* logCascade(answers.slice(ready.length, before))
    const task = yield* firstTask(answers[before + 3])
    if (task === undefined) return undefined
    yield* logTransition(move.event, task, agent_name)
    return claimed(task, now)
  })

  return Effect.fn("TaskQueue.claim")(function*(scope: ScopeName, claim: Claim) {
    const seconds = claim.lease_duration_seconds || settings.defaultLeaseSeconds
    if (seconds < 1 || seconds > MaxLeaseSeconds) return yield* InvalidTask.lease(MaxLeaseSeconds)
    const { scope: reach } = yield* CurrentActor
    const attempt = Effect.fnUntraced(function*({ passing, queue }: Look) {
      if (unclaimable.includes(queue)) return yield* InvalidTask.unclaimable(queue)
      const task = yield* grant(scope, claim, reach, { queue, passing }, seconds)
      if (task !== undefined) return { task }
      return { next: yield* explain({ scope, claim, reach, queue, passing, wanted: wanted(scope, claim, queue) }) }
    })
    // A role may say where its agents claim from. The first attempt takes it for `incoming`, and grants nothing if it is not.
    let done = yield* attempt({ queue: claim.queue || "incoming", passing: false })
    while (done.task === undefined) {
      const { look, otherwise } = done.next
      done = yield* ifRoom(otherwise)(attempt(look))
    }
    return done.task
  })
})
