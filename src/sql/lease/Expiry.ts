/** Taking back the leases that have expired: the cron does it in every scope, and each claim in its own. */
import { moves } from "../../domain/task/Moves.ts"
import * as Cascade from "../dependency/Cascade.ts"
import { isScope } from "../record/ProjectCounts.ts"
import { type Bound, type Statement, statement, type Values, variants } from "../Statement.ts"
import { backsOffUntil, budgetSpent, noLease, withSetback } from "../task/Move.ts"

const { oversized, waitsStill } = Cascade

/** Which of the expired leases. `claimable`: of tasks that may be claimed then. `listed`: of the tasks in `:ids`. `recent`: that ended after `:after`. */
export type Which = "all" | "claimable" | "claimable and listed" | "listed" | "recent"

const lost = "('failed', 'cancelled')"

// Leases are in the order of their ends in each scope, and every scope that has tasks has counters.
const within = (scoped: boolean) => scoped ? "scope = :scope" : `scope IN (SELECT scope FROM queue_counts WHERE ${isScope})`

/** That the lease of a row of the view `lapsing` has expired, and is meant. */
const expired = (scoped: boolean, which: Which): string =>
  [
    `${within(scoped)} AND lease_expires_at <= :now`,
    ...(which.startsWith("claimable") ? [`blocked_by IS NULL AND to_queue NOT IN ${lost}`] : []),
    ...(which.endsWith("listed") ? ["id IN (SELECT value FROM json_each(:ids))"] : []),
    ...(which === "recent" ? ["lease_expires_at > :after"] : [])
  ].join(" AND ")

/** An instant as history tells it, which is as it travels: to the millisecond. */
const told = (millis: string) => `strftime('%Y-%m-%dT%H:%M:%fZ', ${millis} / 1000.0, 'unixepoch')`

const reason = `iif(event = '${moves.exceedDeadline.event}', 'The attempt exceeded its deadline.', 'The lease ran out.')`

// What a renewal needs to give the lease back to its holder.
const lease = `json_object('orchestrator_id', orchestrator_id, 'claimed_at', ${told("claimed_at")},
  'lease_seconds', lease_seconds, 'deadline_at', ${told("deadline_at")})`

const isReview = (event: string) => `${event} = '${moves.expireReview.event}'`
const isLoss = (event: string) => `${event} = '${moves.expire.event}'`

export interface Steps {
  /** Plans what happens to each task (the view `lapsing`). */
  readonly lapsed: Statement
  /** Plans and carries out what follows for other tasks. Left out where nothing can follow. */
  readonly cascade: Omit<Cascade.Cascade, "counted"> | undefined
  readonly counted: Statement
  /** Takes the tasks back, and answers them with the event. */
  readonly reclaimed: Statement
}

/** The steps that take leases back, of `:scope` or of all scopes. `backoff` says whether the server lets tasks back off. */
export const steps: (scoped: boolean, which: Which, backoff: boolean) => Steps = (() => {
  const known = new Map<string, Steps>()
  return (scoped, which, backoff) => {
    const key = `${scoped} ${which} ${backoff}`
    const found = known.get(key) ?? make(scoped, which, backoff)
    known.set(key, found)
    return found
  }
})()

const make = (scoped: boolean, which: Which, backoff: boolean): Steps => {
  const where = expired(scoped, which)
  const moved = `SELECT id FROM lapsing WHERE ${where}`
  // What is claimable again has no blockers and has not failed, so nothing follows for other tasks.
  const simple = which.startsWith("claimable")
  const { counted, ...cascade } = Cascade.make(moved, { ownFailure: "1" })
  return {
    lapsed: statement(`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
      SELECT id, version + 1, scope, event, queue, to_queue, claimed_by, ${reason},
        iif(queue = 'claimed' AND to_queue = 'failed', json_set(${lease},
          '$.budget', iif(${isLoss("event")}, 'max_lease_losses', 'max_attempts'),
          '$.limit', iif(${isLoss("event")}, loss_limit, attempt_limit)), ${lease}),
        grants, :now
      FROM lapsing WHERE ${where}`),
    cascade: simple ? undefined : cascade,
    counted: simple ? Cascade.counted(moved) : counted,
    // A task that goes back to where it waits for a person still needs one.
    reclaimed: statement(`
      UPDATE tasks SET version = planned.version, updated_at = :now, queue = planned.to_queue, ${noLease},
        completed_at = iif(queue = 'done', completed_at, NULL),
        ${simple ? "" : `blocked_by = iif(blocked_by IS NULL, NULL, ${waitsStill}),`}
        lapsed_token = iif(${isLoss("lapse.event")} AND lapse.to_queue NOT IN ${lost}, tasks.grants, NULL),
        attempt_count = attempt_count + NOT (${isReview("lapse.event")}),
        lease_losses = lease_losses + (${isLoss("lapse.event")}),
        needs_intervention = iif(${isReview("lapse.event")}, needs_intervention, lapse.to_queue = 'requires-intervention'),
        failure_reason = CASE
          WHEN lapse.to_queue <> planned.to_queue AND NOT ${oversized} THEN (
            SELECT reason FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 2)
          WHEN ${isReview("lapse.event")} AND queue = 'failed' THEN failure_reason
          WHEN lapse.to_queue <> 'failed' OR ${isReview("lapse.event")} OR ${oversized} THEN NULL
          WHEN ${isLoss("lapse.event")} THEN ${budgetSpent("max_lease_losses", "loss_limit", "lapse.reason")}
          ELSE ${budgetSpent("max_attempts", "attempt_limit", "lapse.reason")} END,
        cancel_reason = iif(planned.to_queue = 'cancelled', cancel_reason, NULL),
        available_at = ${
      backoff ? `iif(${isReview("lapse.event")} OR planned.to_queue IN ${lost}, NULL, ${backsOffUntil})` : "NULL"
    },
        setbacks = iif(${isReview("lapse.event")}, setbacks, ${withSetback("lapse.event", "claimed_by", "lapse.reason")})
      FROM planned CROSS JOIN history AS lapse ON lapse.task_id = planned.id AND lapse.version = planned.present + 1
      WHERE tasks.id = planned.id AND tasks.id IN (${moved})
      RETURNING id, scope, queue, version, claimed_by, fencing_token, blocked_by, (
        SELECT event FROM history WHERE task_id = tasks.id
          AND event IN ('${moves.expire.event}', '${moves.exceedDeadline.event}', '${moves.expireReview.event}')
        ORDER BY version DESC LIMIT 1) AS event`)
  }
}

/** The steps with their values, as a batch has them. */
export const bound = ({ cascade, counted, lapsed, reclaimed }: Steps, values: Values) => ({
  lapsed: lapsed(values),
  dependentsFailed: cascade?.failed(values),
  satisfied: cascade?.satisfied(values),
  unblocked: cascade?.unblocked(values),
  lapsesCounted: counted(values),
  dependents: cascade?.dependents(values),
  reclaimed: reclaimed(values)
})

/** Where a lease is among the ended ones: when it ended, and the id of its task. */
export type Place = readonly [number, string]

const some = variants((scoped: boolean, recent: boolean, beyond: boolean) =>
  statement(`
    SELECT id, lease_expires_at FROM lapsing WHERE ${within(scoped)} AND lease_expires_at <= :now
      ${recent ? "AND lease_expires_at > :after" : ""}
      ${beyond ? "AND (lease_expires_at, id) > (:ended, :beyond)" : ""}
    ORDER BY lease_expires_at, id LIMIT :most`)
)

/** Some of the tasks whose leases ended after a time, in the order in which they did: beyond a place, or from the first on. */
export const someExpired = (
  now: number,
  most: number,
  scope: string | undefined,
  after: number | undefined,
  beyond: Place | null
): Bound =>
  some(scope !== undefined, after !== undefined, beyond !== null)({
    now,
    most,
    scope: scope ?? null,
    after: after ?? null,
    ended: beyond?.[0] ?? null,
    beyond: beyond?.[1] ?? null
  })
