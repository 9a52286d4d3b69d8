/** Why a claim got nothing: asked in a second round trip, which a claim that finds work does not pay for. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import { aside, builtIn, invalidQueue } from "../../domain/flow/FlowRules.ts"
import type { ScopeName } from "../../domain/Identifier.ts"
import { MaxRecord } from "../../domain/Size.ts"
import type { Claim } from "../../domain/task/MoveInput.ts"
import { claimOf, moves } from "../../domain/task/Moves.ts"
import { AtCapacity, InvalidTask, NoTasksAvailable } from "../../domain/task/TaskErrors.ts"
import { Database, ifRoom } from "../../sql/Database.ts"
import * as Backoff from "../../sql/lease/Backoff.ts"
import * as Claimant from "../../sql/lease/Claimant.ts"
import * as NextTask from "../../sql/task/NextTask.ts"
import type { Wanted } from "../../sql/task/NextTask.ts"
import * as Oversized from "../../sql/task/Oversized.ts"
import * as Places from "../../sql/task/Places.ts"
import * as TakingBack from "../lease/takeBack.ts"
import { decodeCounts, decodeRules } from "./rows.ts"

// What an empty-handed orchestrator is told to wait, in seconds: its usual tick is longer, an idle retry loop is not.
const RetryAfterSeconds = 15

interface Attempt {
  readonly scope: ScopeName
  readonly claim: Claim
  /** The scope the machine has to belong to, if any. */
  readonly reach: ScopeName | undefined
  /** The queue that was looked into, and whether past what is too large to be granted. */
  readonly queue: string
  readonly passing: boolean
  readonly wanted: Wanted
}

// How many of the tasks that are ready for others are looked at, and how many of those that cannot be claimed.
const Sample = 10

// An agent that is told to wait longer than this looks as if it hung.
const MaxRetrySeconds = 60

interface Waiting {
  readonly ready: number
  readonly held: number
  readonly blocked: number
  readonly backing_off: number
}

const why = (queue: string, passedOver: boolean, waiting: Waiting, large: string | undefined) =>
  large !== undefined
    ? {
      reason: "too_large" as const,
      error:
        `Task ${large} in ${queue} is larger than ${MaxRecord} bytes, so no claim gets it. Shorten its longest field with a PATCH.`
    }
    : passedOver
    ? {
      reason: "role_mismatch" as const,
      error: `Tasks in ${queue} are ready, but none of the roles or types of this claim. Ask for others, or later.`
    }
    : waiting.backing_off > 0
    ? {
      reason: "backing_off" as const,
      error: `What is in ${queue} backs off after attempts that were given up. Ask again when the first is due.`
    }
    : waiting.blocked > 0
    ? { reason: "blocked" as const, error: `What is in ${queue} waits for other tasks. Ask again later.` }
    : waiting.held > 0
    ? { reason: "held" as const, error: `What is in ${queue} is held by others. Ask again later.` }
    : {
      reason: "none_ready" as const,
      error: `No task is in ${queue} now. Ask again later, or check the name of the queue.`
    }

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const { ready, waiting: waits } = Places.make(sql)
  const takeBack = yield* TakingBack.make
  const { oversized } = Oversized.make(sql)
  const { home, machine } = Claimant.make(sql)
  const next = NextTask.make(sql)

  /**
   * Fails with the reason, or answers where to look next: in the queue of the claim's first role, or in the same once more. Where
   * the request has no room for that, `otherwise` is the answer, and the next claim or the cron goes on.
   */
  return Effect.fnUntraced(function*({ claim, passing, queue, reach, scope, wanted }: Attempt) {
    const { orchestrator_id } = claim
    const { roles } = wanted
    const now = yield* Clock.currentTimeMillis
    const asking = { orchestrator_id, reach, scope: sql`${scope}`, max_claimed: claim.max_claimed }
    // Few are looked at, however many wait: what holds for those says enough.
    const some = (index: Fragment, condition: Fragment) =>
      sql`SELECT * FROM (SELECT claimed_by, blocked_by, available_at FROM tasks INDEXED BY ${index}
        WHERE scope = ${scope} AND queue = ${queue} AND ${condition} LIMIT ${Sample})`
    const [machines = [], known = [], [state] = [], [first] = [], [flow] = []] = yield* batch(
      [
        machine(asking),
        // A machine that is not registered has no scope of its own: the roles are those of the scope it claims from.
        sql`SELECT name, claims_from FROM roles WHERE scope = coalesce(${home(asking)}, ${scope}) ORDER BY name`,
        sql`
        SELECT
          (SELECT counts FROM queue_counts WHERE scope = ${scope}) AS counts,
          EXISTS (SELECT 1 FROM tasks WHERE claimed_by IS NOT NULL AND lease_expires_at <= ${now} AND scope = ${scope})
            AS overdue,
          EXISTS (SELECT 1 FROM tasks INDEXED BY tasks_backing_off
            WHERE scope = ${scope} AND available_at IS NOT NULL AND available_at <= ${now}) AS waited,
          (SELECT count(*) FROM (SELECT 1 FROM tasks INDEXED BY tasks_ready
            WHERE scope = ${scope} AND queue = ${queue} AND ${ready} LIMIT ${Sample})) AS ready,
          count(claimed_by) AS held,
          count(*) FILTER (WHERE claimed_by IS NULL AND blocked_by IS NOT NULL) AS blocked,
          count(*) FILTER (WHERE claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NOT NULL) AS backing_off,
          min(iif(claimed_by IS NULL AND blocked_by IS NULL, available_at, NULL)) AS due
        FROM (${some(sql`tasks_leased`, sql`claimed_by IS NOT NULL`)} UNION ALL ${some(sql`tasks_waiting`, waits)})`,
        sql`SELECT id, ${oversized} AS oversized FROM tasks WHERE id = ${next(wanted)}`,
        ...(builtIn.includes(queue) || aside.includes(queue)
          ? []
          // A child flow has the states of its flow as well.
          : [sql`
            SELECT rules FROM flows WHERE scope = ${scope} AND name = 'default' AND NOT EXISTS (
              SELECT 1 FROM flows AS every CROSS JOIN json_each(every.rules, '$.child.states')
              WHERE every.scope = ${scope} AND value = ${queue})`])
      ]
    )
    const [asks] = machines
    const names = known.map(({ name }) => String(name))
    const stranger = names.length === 0 ? undefined : roles.find((role) => !names.includes(role))
    if (stranger !== undefined) return yield* InvalidTask.role(stranger, names, "role_filter")
    const elsewhere = claim.queue ? undefined : known.find(({ name }) => name === roles[0])?.claims_from
    const counts = decodeCounts(state?.counts)
    const usual = queue in counts ? undefined : decodeRules(flow?.rules)
    const maintenance = asks?.status === "maintenance"
    const large = first?.oversized === 1 ? String(first.id) : undefined
    const refusal = Effect.gen(function*() {
      if (usual !== undefined) {
        return yield* InvalidTask.queue(invalidQueue(queue, "default", usual.task) ?? `Invalid queue "${queue}".`)
      }
      // Clients of the old server poll before they register, and take anything but "No tasks available" for an error.
      // So a machine that is not registered is an error only where a task is kept from it.
      if (asks === undefined && first !== undefined) return yield* InvalidTask.unknownOrchestrator(orchestrator_id)
      const [maximum, holds] = [asks?.maximum, Number(asks?.held)]
      if (!maintenance && claimOf(queue) === moves.claim && typeof maximum === "number" && holds >= maximum) {
        return yield* AtCapacity.of(orchestrator_id, holds, maximum, RetryAfterSeconds)
      }
    })
    const empty = Effect.gen(function*() {
      // A task that is ready for a claim without filters has come up just now.
      const filtered = roles.length > 0 || wanted.types.length > 0
      const waiting = {
        ready: Number(state?.ready),
        held: Number(state?.held),
        blocked: Number(state?.blocked),
        backing_off: Number(state?.backing_off)
      }
      const answer = maintenance
        ? {
          reason: "maintenance" as const,
          error: `Orchestrator ${orchestrator_id} is in maintenance and gets no work until that is lifted.`
        }
        : why(queue, filtered && waiting.ready > 0, waiting, large)
      return yield* new NoTasksAvailable({
        message: "No tasks available",
        ...answer,
        counts,
        waiting,
        retry_after_seconds: answer.reason === "backing_off"
          ? Math.min(Math.max(Math.ceil((Number(state?.due) - now) / 1000), 1), MaxRetrySeconds)
          : RetryAfterSeconds
      })
    })
    const answer = Effect.andThen(refusal, empty)
    if (elsewhere !== undefined && elsewhere !== queue) {
      return { look: { queue: String(elsewhere), passing: false }, otherwise: answer }
    }
    // What a claim leaves to the cron: to fail or to cancel with its lease. Then the tasks that waited for it may be ready.
    if (state?.overdue === 1) {
      const { refused, taken } = yield* takeBack(scope)
      // Who cannot be taken back gets in the way of nobody, but makes no work either.
      if (taken > 0 || refused === 0) return { look: { queue, passing }, otherwise: answer }
    }
    // Where backoff is off, claims do not end what is left of it.
    if (state?.waited === 1) {
      yield* ifRoom(answer)(batch(Backoff.end(now, scope)))
      return { look: { queue, passing }, otherwise: answer }
    }
    yield* refusal
    // A claim looks past what is too large only where that is in its way.
    if (!maintenance && !passing && large !== undefined) return { look: { queue, passing: true }, otherwise: empty }
    return yield* empty
  })
})
