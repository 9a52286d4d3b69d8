/**
 * Why a claim got nothing: read in a second round trip, which a successful claim does not need. In this order it
 *
 * 1. refuses a role that the scope does not have,
 * 2. looks into the queue of the claim's first role, if the claim named no queue,
 * 3. takes back expired leases that a claim leaves to the cron, and ends backoffs, and looks again,
 * 4. refuses an unknown queue, an unregistered machine, and a machine that holds as many tasks as it may,
 * 5. looks past tasks that are too large, at a cap, or stopped by a breaker,
 * 6. answers that there is no task, and why.
 *
 * If a request has no room for another look, it goes on with 4 and 6.
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { aside, builtIn, invalidQueue } from "../../domain/flow/FlowRules.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { Never } from "../../domain/lease/Question.ts"
import { breakerSentence, stoppedBy, type Stopping } from "../../domain/record/Breaker.ts"
import { type Cap, capSentence } from "../../domain/record/Usage.ts"
import { MaxRecord } from "../../domain/Size.ts"
import type { Claim } from "../../domain/task/MoveInput.ts"
import { claimOf, moves } from "../../domain/task/Moves.ts"
import { AtCapacity, InvalidTask, NoTasksAvailable } from "../../domain/task/TaskErrors.ts"
import { Database, ifRoom } from "../../sql/Database.ts"
import * as Backoff from "../../sql/lease/Backoff.ts"
import { type Criteria, nextTask, type Passing, valuesOf, variantOf } from "../../sql/lease/Claim.ts"
import * as Claimant from "../../sql/lease/Claimant.ts"
import * as Breakers from "../../sql/record/Breakers.ts"
import { statement, type Values, variants } from "../../sql/Statement.ts"
import * as Places from "../../sql/task/Places.ts"
import * as TakingBack from "../lease/takeBack.ts"
import { decodeCounts, decodeRules } from "./rows.ts"

// How many seconds a machine that got nothing has to wait. Its usual tick is longer; a loop of retries is shorter.
const RetryAfterSeconds = 15

const iso = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))

interface Attempt {
  readonly scope: ScopeName
  readonly claim: Claim
  /** The scope that the machine has to belong to, if any. */
  readonly reach: ScopeName | undefined
  /** The queue of the attempt, and what it looked past. */
  readonly queue: string
  readonly passing: Passing
  readonly wanted: Criteria
  /** Until when the account was parked at the time of the claim; undefined if it was not. */
  readonly parked: number | undefined
}

// How many tasks that are ready for other claims are read, and how many that are not ready. A sample is enough to name
// the reason.
const Sample = 10

// An agent that waits longer than this looks as if it hung.
const MaxRetrySeconds = 60

interface Waiting {
  readonly ready: number
  readonly held: number
  readonly blocked: number
  readonly backing_off: number
  readonly waiting_for_reply?: number
}

/** What the second read found out about a claim that got nothing. */
interface Facts {
  readonly queue: string
  readonly now: number
  readonly orchestrator: string
  readonly account: string | null
  readonly maintenance: boolean
  /** Until when the account is parked. */
  readonly parked: number | undefined
  /** The cap, the breaker or the size that keeps the claim from the first task that matches. */
  readonly cap: string | undefined
  readonly breaker: Stopping | undefined
  readonly large: string | undefined
  /** Whether tasks are ready that the roles or types of the claim leave out. */
  readonly passedOver: boolean
  readonly waiting: Waiting
  /** When the first backoff ends. */
  readonly due: number
}

/** Until the time, but at least a second and at most a minute. */
const until = (time: number, now: number) => Math.min(inSeconds(time, now), MaxRetrySeconds)
const inSeconds = (time: number, now: number) => Math.max(Math.ceil((time - now) / 1000), 1)

/** Why the claim got nothing: the first reason that applies. Also when to ask again, if that is known. */
const why = (facts: Facts) => {
  const { breaker, now, parked, queue, waiting } = facts
  if (facts.maintenance) {
    return {
      reason: "maintenance" as const,
      error: `Orchestrator ${facts.orchestrator} is in maintenance and gets no work until that is lifted.`
    }
  }
  if (parked !== undefined) {
    return {
      reason: "account_parked" as const,
      error: `The account ${facts.account} is parked until ${
        iso(parked)
      }, because its provider gives it no more work before. Ask again then, or with another account.`,
      parked_until: DateTime.makeUnsafe(parked),
      retry_after_seconds: inSeconds(parked, now)
    }
  }
  if (facts.cap !== undefined) return { reason: "capped" as const, error: facts.cap }
  if (breaker !== undefined) {
    return {
      reason: "breaker_open" as const,
      error: breakerSentence(breaker),
      breaker: stoppedBy(breaker),
      ...(breaker.half_open ? {} : { retry_after_seconds: until(breaker.retry_at, now) })
    }
  }
  if (facts.large !== undefined) {
    return {
      reason: "too_large" as const,
      error:
        `Task ${facts.large} in ${queue} is larger than ${MaxRecord} bytes, so no claim gets it. Shorten its longest field with a PATCH.`
    }
  }
  if (facts.passedOver) {
    return {
      reason: "role_mismatch" as const,
      error: `Tasks in ${queue} are ready, but none of the roles or types of this claim. Ask for others, or later.`
    }
  }
  if (waiting.backing_off > 0) {
    return {
      reason: "backing_off" as const,
      error: `The tasks in ${queue} wait after attempts that were given up or lost. Ask again when the first is due.`,
      retry_after_seconds: until(facts.due, now)
    }
  }
  if (waiting.waiting_for_reply !== undefined) {
    return {
      reason: "waiting_for_reply" as const,
      error: `The tasks in ${queue} wait for replies to questions. Reply to these, or ask again later.`
    }
  }
  if (waiting.blocked > 0) {
    return { reason: "blocked" as const, error: `The tasks in ${queue} wait for other tasks. Ask again later.` }
  }
  if (waiting.held > 0) {
    return { reason: "held" as const, error: `Other agents hold the tasks in ${queue}. Ask again later.` }
  }
  return {
    reason: "none_ready" as const,
    error: `No task is in ${queue} now. Ask again later, or check the name of the queue.`
  }
}

const machine = statement(Claimant.machine(":scope"))

// An unregistered machine has no scope. Then the roles are those of the scope it claims from.
const roles = statement(
  `SELECT name, claims_from FROM roles WHERE scope = coalesce(${Claimant.home(":scope")}, :scope) ORDER BY name`
)

const some = (place: Places.Place) =>
  `SELECT * FROM (SELECT claimed_by, blocked_by, available_at FROM ${Places.tasksIn(place, ":queue")} LIMIT ${Sample})`

const state = statement(`
  SELECT
    (SELECT counts FROM queue_counts WHERE scope = :scope) AS counts,
    (SELECT by_project FROM queue_counts WHERE scope = :scope) AS by_project,
    EXISTS (SELECT 1 FROM tasks WHERE claimed_by IS NOT NULL AND lease_expires_at <= :now AND scope = :scope) AS overdue,
    EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_backing_off
      WHERE scope = :scope AND available_at IS NOT NULL AND available_at <= :now) AS waited,
    (SELECT count(*) FROM (SELECT 1 FROM ${Places.tasksIn("ready", ":queue")} LIMIT ${Sample})) AS ready,
    count(claimed_by) AS held,
    count(*) FILTER (WHERE claimed_by IS NULL AND blocked_by IS NOT NULL) AS blocked,
    count(*) FILTER (WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at < ${Never}) AS backing_off,
    count(*) FILTER (WHERE claimed_by IS NULL AND available_at = ${Never}) AS asked,
    min(iif(claimed_by IS NULL AND blocked_by IS NULL, available_at, NULL)) AS due
  FROM (${some("held")} UNION ALL ${some("waiting")})`)

/** The first task that matches. The claim did not get it if it is oversized, at a cap, or stopped by a breaker. */
const first = variants((roles: "any" | "one" | "several", roleless: boolean, ranked: boolean, typed: boolean) =>
  statement(`
    SELECT id, project_id, bytes > ${MaxRecord} AS oversized, iif(capped_until > :now, cap, NULL) AS cap,
      iif(breaker_until > :now, ${Breakers.stopping("caps")}, NULL) AS breaker FROM caps
    WHERE id = ${nextTask({ roles, roleless, ranked, typed, passing: "nothing" })}`)
)

// A child flow has the states of its flow too.
const flow = statement(`
  SELECT rules FROM flows WHERE scope = :scope AND name = 'default' AND NOT EXISTS (
    SELECT 1 FROM flows AS every CROSS JOIN json_each(every.rules, '$.child.states')
    WHERE every.scope = :scope AND value = :queue)`)

const at = (queue: string, passing: Passing) => ({ queue, passing })

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const takeBack = yield* TakingBack.make

  /**
   * Fails with the reason, or answers where to look next: in the queue of the claim's first role, or in the same queue
   * again. `otherwise` is the answer if the request has no room for another attempt; the next claim or the cron goes on
   * then.
   */
  return Effect.fnUntraced(function*({ claim, parked, passing, queue, reach, scope, wanted }: Attempt) {
    const { orchestrator_id } = claim
    const now = yield* Clock.currentTimeMillis
    const values: Values = {
      ...valuesOf(wanted),
      now,
      machine: orchestrator_id,
      reach: reach ?? null,
      max_claimed: claim.max_claimed ?? null
    }
    const { ranked, roleless, roles: some, typed } = variantOf(wanted, passing)
    const found = yield* batch({
      machine: machine(values),
      roles: roles(values),
      state: state(values),
      first: first(some, roleless, ranked, typed)(values),
      flow: builtIn.includes(queue) || aside.includes(queue) ? undefined : flow(values)
    })
    const { first: [next], flow: [rules], machine: [asks], roles: known, state: [seen] } = found
    const names = known.map(({ name }) => String(name))
    const stranger = names.length === 0 ? undefined : wanted.roles.find((role) => !names.includes(role))
    if (stranger !== undefined) return yield* InvalidTask.role(stranger, names, "role_filter")
    const elsewhere = claim.queue ? undefined : known.find(({ name }) => name === wanted.roles[0])?.claims_from
    const counts = decodeCounts(seen?.counts)
    const usual = queue in counts ? undefined : decodeRules(rules?.rules)
    const maintenance = asks?.status === "maintenance"
    const large = next?.oversized === 1 ? String(next.id) : undefined
    const cap = next?.cap == null ? undefined : next.cap as Cap
    const capped = cap && capSentence(cap, String(next?.id), next?.project_id == null ? null : String(next.project_id))
    const breaker = next?.breaker == null ? undefined : JSON.parse(String(next.breaker)) as Stopping
    const refusal = Effect.gen(function*() {
      if (usual !== undefined) {
        return yield* InvalidTask.queue(invalidQueue(queue, "default", usual.task) ?? `Invalid queue "${queue}".`)
      }
      // Clients of the old server claim before they register, and to them every answer but "No tasks available" is an
      // error. So an unregistered machine is refused only if there is a task that it would have got.
      if (asks === undefined && next !== undefined) return yield* InvalidTask.unknownOrchestrator(orchestrator_id)
      const [maximum, holds] = [asks?.maximum, Number(asks?.held)]
      if (!maintenance && claimOf(queue) === moves.claim && typeof maximum === "number" && holds >= maximum) {
        return yield* AtCapacity.of(orchestrator_id, holds, maximum, RetryAfterSeconds)
      }
    })
    const empty = Effect.gen(function*() {
      // A task that is ready for a claim without filters became ready just now.
      const filtered = wanted.roles.length > 0 || wanted.types.length > 0
      const waiting = {
        ready: Number(seen?.ready),
        held: Number(seen?.held),
        blocked: Number(seen?.blocked),
        backing_off: Number(seen?.backing_off),
        ...(Number(seen?.asked) > 0 ? { waiting_for_reply: Number(seen?.asked) } : {})
      }
      return yield* new NoTasksAvailable({
        message: "No tasks available",
        counts,
        waiting,
        retry_after_seconds: RetryAfterSeconds,
        ...why({
          queue,
          now,
          orchestrator: orchestrator_id,
          account: wanted.account,
          maintenance,
          parked,
          cap: capped,
          breaker,
          large,
          passedOver: filtered && waiting.ready > 0,
          waiting,
          due: Number(seen?.due)
        })
      })
    })
    const answer = Effect.andThen(refusal, empty)
    if (parked === undefined && elsewhere !== undefined && elsewhere !== queue) {
      return { look: at(String(elsewhere), "nothing"), otherwise: answer }
    }
    // A claim leaves to the cron the tasks that fail or are cancelled when their leases end. Their dependents may be
    // ready afterwards.
    if (seen?.overdue === 1) {
      const { refused, taken } = yield* takeBack(scope)
      // Leases that cannot be taken back make no task ready.
      if (taken > 0 || refused === 0) return { look: at(queue, passing), otherwise: answer }
    }
    if (parked !== undefined) return yield* answer
    // If backoff is off, claims do not end backoffs that began before it was turned off.
    if (seen?.waited === 1) {
      yield* ifRoom(answer)(batch(Backoff.end(now, scope)))
      return { look: at(queue, passing), otherwise: answer }
    }
    yield* refusal
    // A claim looks past tasks that it cannot get only if one is in its way. If the scope is stopped, it gets none.
    const inTheWay = large !== undefined || (cap !== undefined && cap !== "scope")
      || (breaker !== undefined && breaker.project_id !== null)
    if (!maintenance && passing === "nothing" && inTheWay) {
      return { look: at(queue, seen?.by_project === 1 ? "projects" : "tasks"), otherwise: empty }
    }
    return yield* empty
  })
})
