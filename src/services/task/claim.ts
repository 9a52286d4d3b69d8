/**
 * Claims a task: one batch takes back expired leases, picks the next task and grants it, so two claims never get the
 * same task.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { seed } from "../../domain/lease/Backoff.ts"
import { handoffOf } from "../../domain/lease/Handoff.ts"
import { MaxLeaseSeconds, renewAfterSeconds } from "../../domain/lease/Lease.ts"
import { asList, type Claim } from "../../domain/task/MoveInput.ts"
import { claimOf, moves, unclaimable } from "../../domain/task/Moves.ts"
import { rank } from "../../domain/task/Priority.ts"
import type { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTask, LeaseLost, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { ifRoom } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import * as Backoff from "../../sql/lease/Backoff.ts"
import * as Grant from "../../sql/lease/Claim.ts"
import * as Expiry from "../../sql/lease/Expiry.ts"
import * as Parked from "../../sql/lease/Parked.ts"
import type { Values } from "../../sql/Statement.ts"
import * as Line from "../lease/Line.ts"
import { ifRefused } from "../lease/takeBack.ts"
import { Settings } from "../Settings.ts"
import * as Refusal from "./claimRefusal.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

// A claim is a sign of life. If the last heartbeat is younger than this, the claim does not write another.
const FreshMillis = 30_000

// More ranks than any client uses. Each one costs a seek.
const MaxRanks = 20

const ranksOf = (order: Claim["priority_order"]): ReadonlyArray<number> =>
  [
    ...new Set(asList(order).flatMap((item) => item.split(",")).map(rank))
  ].slice(0, MaxRanks)

const wantedBy = (scope: ScopeName, claim: Claim, queue: string): Grant.Criteria => ({
  scope,
  queue,
  roles: [...new Set(asList(claim.role_filter))],
  types: asList(claim.type_filter),
  ranks: ranksOf(claim.priority_order),
  account: claim.account ?? null
})

/** The queue that a claim looks in, and which tasks it looks past (`Grant.Passing`), which costs more. */
export interface Look {
  readonly queue: string
  readonly passing: Grant.Passing
}

/** A claimed task as the answer shows it, with its handoff. */
const claimed = (task: TaskRow, now: number) => ({
  ...task,
  renew_after_seconds: renewAfterSeconds(DateTime.toEpochMillis(task.lease_expires_at!) - now),
  handoff: handoffOf(task)
})

export const make = Effect.gen(function*() {
  const once = yield* Idempotency.make
  const settings = yield* Settings
  const refusal = yield* Refusal.make
  const backsOff = settings.backoff.baseSeconds > 0
  const expired = Expiry.steps(true, "ready", backsOff)

  /** The task of an earlier claim as it is now, if it is still held under the same token. */
  const grantedBefore = Effect.fnUntraced(function*({ besides, rows: [granted] }: Idempotency.Replay) {
    const task = yield* firstTask(besides)
    const { fencing_token, id } = granted!
    if (task === undefined) return yield* TaskNotFound.of(String(id))
    return task.fencing_token === fencing_token
      ? task
      : yield* LeaseLost.of(task, Number(fencing_token))
  })

  /** Grants the next task of `queue`, if there is one and the machine may have it. */
  const grant = Effect.fnUntraced(function*(
    claim: Claim,
    reach: ScopeName | undefined,
    { passing }: Look,
    wanted: Grant.Criteria,
    seconds: number
  ) {
    const now = yield* Clock.currentTimeMillis
    const { agent_name, orchestrator_id } = claim
    const { queue, scope } = wanted
    const move = claimOf(queue)
    const values: Values = {
      ...Grant.valuesOf(wanted),
      now,
      machine: orchestrator_id,
      reach: reach ?? null,
      fresh: now - FreshMillis,
      review: Number(move !== moves.claim),
      max_claimed: claim.max_claimed ?? null,
      queue_named: Number(Boolean(claim.queue)),
      agent: agent_name,
      details: JSON.stringify({
        orchestrator_id,
        lease_seconds: seconds,
        ...(claim.account == null ? {} : { account: claim.account })
      }),
      seconds: Math.ceil(seconds),
      ends: now + Math.round(seconds * 1000),
      asked_seconds: claim.max_attempt_seconds ?? null,
      attempt_seconds: claim.max_attempt_seconds ?? settings.maxAttemptSeconds ?? null,
      max_attempts: settings.limits.max_attempts,
      max_lease_losses: settings.limits.max_lease_losses,
      seed: yield* seed,
      backoff_base: settings.backoff.baseSeconds,
      backoff_max: settings.backoff.maxSeconds
    }
    const steps = Grant.steps(Grant.variantOf(wanted, passing))
    const send = (takesBack: boolean) =>
      once.batch({
        ...(backsOff ? Backoff.ended(now, scope) : {}),
        // Each attempt takes expired leases back, because time has passed since the last one.
        expired: takesBack ? expired.expired(values) : undefined,
        reclaimed: takesBack ? expired.reclaimed(values) : undefined,
        revived: Grant.revived(values),
        seen: Grant.seen(values),
        parked: claim.account == null ? undefined : Parked.until(values),
        recorded: steps.recorded(values),
        granted: steps.granted(values),
        probed: steps.probed(values),
        counted: steps.counted(values)
      }, { keep: "granted", answer: steps.kept, values })
    // If taking leases back is refused, the claim goes on without it. The cron finds and logs the leases that cannot be
    // taken back.
    const without = ifRefused("taking back with a claim was refused", Effect.suspend(() => send(false)))
    const { answers, replay } = yield* without(send(true))
    if (replay !== undefined) return { task: claimed(yield* grantedBefore(replay), now) }
    yield* logCascade([answers.reclaimed])
    const task = yield* firstTask(answers.granted)
    const [parked] = answers.parked
    if (task === undefined) return { parked: parked === undefined ? undefined : Number(parked.until) }
    yield* logTransition(move.event, task, agent_name)
    return { task: claimed(task, now) }
  })

  const claimNow = Effect.fnUntraced(function*(scope: ScopeName, claim: Claim) {
    const seconds = claim.lease_duration_seconds || settings.defaultLeaseSeconds
    if (seconds < 1 || seconds > MaxLeaseSeconds) return yield* InvalidTask.lease(MaxLeaseSeconds)
    const { scope: reach } = yield* CurrentActor
    const attempt = Effect.fnUntraced(function*({ passing, queue }: Look) {
      if (unclaimable.includes(queue)) return yield* InvalidTask.unclaimable(queue)
      const wanted = wantedBy(scope, claim, queue)
      const granted = yield* grant(claim, reach, { queue, passing }, wanted, seconds)
      if (granted.task !== undefined) return { task: granted.task }
      return { next: yield* refusal({ scope, claim, reach, queue, passing, wanted, parked: granted.parked }) }
    })
    // A role may have a queue of its own. The first attempt assumes `incoming`, and grants nothing if the role claims
    // from elsewhere.
    const first: Look = { queue: claim.queue || "incoming", passing: "nothing" }
    let done = yield* attempt(first)
    while (done.task === undefined) {
      const { look, otherwise } = done.next
      done = yield* ifRoom(otherwise)(attempt(look))
    }
    return done.task
  })

  return Effect.fn("TaskQueue.claim")((scope: ScopeName, claim: Claim) => Line.waiting(claim, claimNow(scope, claim)))
})
