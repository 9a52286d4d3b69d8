/** Takes expired leases back: the cron in every scope, each claim in its own. */
import { moves } from "../../domain/task/Moves.ts"
import * as Cascade from "../dependency/Cascade.ts"
import * as Feed from "../Feed.ts"
import { isScope } from "../record/ProjectCounts.ts"
import { type Bound, type Statement, statement, type Values, variants } from "../Statement.ts"
import { backsOffUntil, noLease } from "./End.ts"

const { waitsStill } = Cascade

const events = `(${
  [moves.expire, moves.exceedDeadline, moves.expireReview].map(({ event }) => `'${event}'`).join(", ")
})`

/**
 * Which expired leases. `ready`: of tasks that a claim may take afterwards. `listed`: of the tasks in `:ids`.
 * `recent`: those that ended after `:after`.
 */
export type Which = "all" | "ready" | "ready and listed" | "listed" | "recent"

const givenUp = "('failed', 'cancelled')"

// The index has the leases of each scope in the order of their ends, and every scope with tasks has counters.
const within = (scoped: boolean) =>
  scoped ? "scope = :scope" : `scope IN (SELECT scope FROM queue_counts WHERE ${isScope})`

/** Whether the lease of a row has expired and is one of `which`. */
const isOver = (scoped: boolean, which: Which): string =>
  [
    `tasks.${within(scoped)} AND lease_expires_at <= :now`,
    ...(which.endsWith("listed") ? ["tasks.id IN (SELECT value FROM json_each(:ids))"] : []),
    ...(which === "recent" ? ["lease_expires_at > :after"] : [])
  ].join(" AND ")

/** Whether a claim may take the task of a row of `expiring` afterwards. */
const readyAfter = `blocked_by IS NULL AND to_queue NOT IN ${givenUp}`

export interface Steps {
  /** Plans the move of each task (the view `expiring`). */
  readonly expired: Statement
  /** Plans and carries out the consequences for other tasks. Undefined if there can be none. */
  readonly cascade: Cascade.Cascade | undefined
  /** Takes the tasks back, and answers them with the event. */
  readonly reclaimed: Statement
  readonly counted: Statement
}

/** The steps that take leases back, in `:scope` or in all scopes. `backoff` says whether backoff is on. */
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
  const over = isOver(scoped, which)
  const where = which.startsWith("ready") ? `${over} AND ${readyAfter}` : over
  const scope = scoped ? "= :scope" : "IS NOT NULL"
  const rows = scoped ? "many" : "scopes"
  // A task that is ready again has no blockers and has not failed, so nothing follows for other tasks.
  const simple = which.startsWith("ready")
  const cascade = Cascade.make({ scope, rows, waitedFor: `plans WHERE plans.scope ${scope}`, ownFailure: "1" })
  return {
    expired: statement(`
      INSERT INTO history (
        task_id, version, scope, seq, event, from_queue, to_queue, actor, reason, details, grants, at, title, project_id)
      SELECT id, version + 1, scope, ${Feed.nextSeq("tasks", rows)}, event, queue, to_queue, claimed_by, reason,
        ${
      simple ? "details" : `CASE WHEN queue <> 'claimed' OR to_queue <> 'failed' THEN details
          WHEN event = 'lease_expired' THEN json_set(details, '$.budget', 'max_lease_losses', '$.limit', loss_limit)
          ELSE json_set(details, '$.budget', 'max_attempts', '$.limit', attempt_limit) END`
    },
        grants, :now, title, project_id
      FROM expiring AS tasks WHERE ${where}`),
    cascade: simple ? undefined : cascade,
    // A task that returns to an intervention queue still needs a person.
    reclaimed: statement(`
      UPDATE tasks SET version = task.version, updated_at = :now, queue = task.to_queue, ${noLease},
        ${simple ? "" : `blocked_by = iif(blocked_by IS NULL, NULL, ${waitsStill}),`}
        completed_at = iif(queue = 'done', completed_at, NULL),
        lapsed_token = iif(event = 'lease_expired' AND led_to NOT IN ${givenUp}, grants, NULL),
        attempt_count = attempt_count + (event <> 'review_lease_expired'), lease_losses = lease_losses + (event = 'lease_expired'),
        needs_intervention = iif(event = 'review_lease_expired', needs_intervention, led_to = 'requires-intervention'),
        failure_reason = task.failure_reason, setbacks = task.setbacks,
        cancel_reason = iif(task.to_queue = 'cancelled', cancel_reason, NULL),
        available_at = ${
      backoff ? `iif(event = 'review_lease_expired' OR task.to_queue IN ${givenUp}, NULL, ${backsOffUntil})` : "NULL"
    }
      FROM reclaiming AS task WHERE tasks.id = task.id AND tasks.claimed_by IS NOT NULL AND ${over}
      RETURNING id, scope, queue, version, claimed_by, fencing_token, blocked_by, (
        SELECT event FROM history WHERE task_id = tasks.id AND event IN ${events} ORDER BY version DESC LIMIT 1) AS event`),
    counted: Feed.counted(scope)
  }
}

/** The steps with their values. */
export const bound = ({ cascade, counted, expired, reclaimed }: Steps, values: Values) => ({
  expired: expired(values),
  dependentsFailed: cascade?.failed(values),
  satisfied: cascade?.satisfied(values),
  unblocked: cascade?.unblocked(values),
  reclaimed: reclaimed(values),
  dependents: cascade?.dependents(values),
  counted: counted(values)
})

/** The position of an ended lease: when it ended, and the id of its task. */
export type Place = readonly [number, string]

const some = variants((scoped: boolean, recent: boolean, beyond: boolean) =>
  statement(`
    SELECT id, lease_expires_at FROM expiring WHERE ${within(scoped)} AND lease_expires_at <= :now
      ${recent ? "AND lease_expires_at > :after" : ""}
      ${beyond ? "AND (lease_expires_at, id) > (:ended, :beyond)" : ""}
    ORDER BY lease_expires_at, id LIMIT :most`)
)

/** Some tasks whose leases ended after a time, in the order of their ends, from a position on. */
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
