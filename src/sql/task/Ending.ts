/**
 * The moves that end leases in SQL, of one task or of many: where the work lands that is taken or given back, and what is
 * remembered of it.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { Policy } from "../../domain/lease/Budget.ts"
import { intervention, type Move } from "../../domain/task/Moves.ts"
import * as Backoff from "../lease/Backoff.ts"
import * as Landing from "./Landing.ts"
import * as Outcome from "./Outcome.ts"
import * as QueueCounts from "./QueueCounts.ts"
import * as Setbacks from "./Setbacks.ts"
import { type Change, kept } from "./Transition.ts"

type Counter = Move["counts"][number]

/** What decides where work lands that was taken or given back, and what is remembered of it. */
export interface Ending extends Pick<Change, "actor" | "details" | "now"> {
  readonly reason?: string | null
  readonly policy: Policy
  /** What backoff draws its chance from (`domain/lease/Backoff.ts`). */
  readonly seed: number
}

const destinationIsDone = ({ to }: Move) => typeof to === "object" && to.queue === "done"

export const make = (sql: D1Client.D1Client) => {
  const { destination: landed, landing } = Landing.make(sql)
  const { countRecorded } = QueueCounts.make(sql)
  const outcome = Outcome.make(sql)
  const { until: backsOffUntil } = Backoff.make(sql)
  const withSetback = Setbacks.make(sql)

  /** What a move that ends leases leaves on a task: why it failed, until when it waits, and what went wrong lately. */
  const remains = (move: Move, { actor, now, policy: { backoff, limits }, reason = null, seed }: Ending) => ({
    failure_reason: outcome.failureReason(move, limits, sql`${reason}`),
    // A cancellation that was asked for is over with the lease, unless it came to that.
    cancel_reason: outcome.choose(move, limits, {
      usual: move.to === "same" || move.to === "back" ? sql`iif(queue = 'cancelled', cancel_reason, NULL)` : sql`NULL`,
      cancelled: sql`cancel_reason`,
      failed: sql`NULL`
    }),
    available_at: move.backsOff
      ? outcome.choose(move, limits, {
        usual: backsOffUntil(backoff, now, seed),
        cancelled: sql`NULL`,
        failed: sql`NULL`
      })
      : sql`NULL`,
    setbacks: move.setback
      ? withSetback({ event: move.event, actor: sql`${actor}`, reason, at: now })
      : sql`setbacks`
  })

  const raised = (move: Move, counter: Counter): Fragment =>
    move.counts.includes(counter) ? sql`${sql(counter)} + 1` : sql`${sql(counter)}`

  const noLease =
    sql`claimed_by = NULL, claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL, lease_expires_at = NULL,
      lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL`

  const csv = (columns: Record<string, Fragment>): Fragment =>
    sql.csv(Object.entries(columns).map(([name, value]) => sql`${sql(name)} = ${value}`))

  /**
   * Several moves that end leases, in one: for each task the first whose condition holds, or else the last one. `ending`
   * says of each why it is made.
   */
  const merged = (
    choices: ReadonlyArray<readonly [condition: Fragment, move: Move]>,
    otherwise: Move,
    ending: (move: Move) => Ending
  ) => {
    const each = (value: (move: Move) => Fragment): Fragment =>
      sql`CASE ${
        choices.map(([condition, move]) => sql`WHEN ${condition} THEN ${value(move)}`)
          .reduce((all, choice) => sql`${all} ${choice}`)
      } ELSE ${value(otherwise)} END`
    const target = (move: Move) => outcome.target(move, ending(move).policy.limits, landed(move))
    const { now } = ending(otherwise)
    return {
      to: each(target),
      event: each(({ event }) => sql`${event}`),
      reason: each((move) => sql`${kept(ending(move).reason)}`),
      details: each((move) => outcome.details(move, ending(move).policy.limits, sql`${ending(move).details ?? null}`)),
      change: sql`
        version = version + 1, updated_at = ${now}, ${noLease},
        completed_at = iif(queue = 'done', completed_at, NULL), ${
        csv({
          queue: each(target),
          lapsed_token: each((move) =>
            move.lease === "lapse"
              ? outcome.choose(move, ending(move).policy.limits, {
                usual: sql`grants`,
                cancelled: sql`NULL`,
                failed: sql`NULL`
              })
              : sql`NULL`
          ),
          attempt_count: each((move) => raised(move, "attempt_count")),
          lease_losses: each((move) => raised(move, "lease_losses")),
          // A task that goes back to where it waits for somebody to look at it still needs that.
          needs_intervention: each((move) =>
            move.clearsIntervention ? sql`${target(move)} = ${intervention}` : sql`needs_intervention`
          ),
          failure_reason: each((move) => remains(move, ending(move)).failure_reason),
          cancel_reason: each((move) => remains(move, ending(move)).cancel_reason),
          available_at: each((move) => remains(move, ending(move)).available_at),
          setbacks: each((move) => remains(move, ending(move)).setbacks)
        })
      }`
    }
  }

  /**
   * A move of one task: record, then change what was recorded, then count what was changed. Only the first statement asks
   * whether the move may be made and where it leads (`sql/task/Landing.ts`); the second answers the task as it is now.
   */
  const byId = (
    move: Move,
    change: Omit<Change, "event" | "to"> & Ending & { readonly id: string },
    set: Fragment
  ) => {
    const { limits } = change.policy
    const event = move.flow === "burnOut"
      ? sql`iif(usual = ${landed(move)}, ${move.event}, 'submitted')`
      : sql`${move.event}`
    return [
      sql`
        INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, details, grants, at)
        SELECT id, version + 1, scope, ${event}, queue, ${outcome.target(move, limits, sql`usual`)}, ${change.actor},
          ${kept(change.reason)}, ${outcome.details(move, limits, sql`${change.details ?? null}`)}, grants,
          ${change.now}
        FROM (SELECT *, ${landing(move)} AS usual FROM tasks WHERE id = ${change.id} AND ${change.where}) AS tasks
        WHERE usual NOT IN ('', ${
        // Who leads nowhere else has no move to make, but for who gives a task back where it is.
        move.to === "back" ? sql`''` : move.afterLapse ? sql`iif(lapsed_token IS NULL, queue, '')` : sql`queue`})`,
      sql`
        UPDATE tasks SET version = version + 1, updated_at = ${change.now}, queue = ${recordedQueue(move, limits)},
          lapsed_token = NULL, ${noLease},
          ${destinationIsDone(move) ? sql`` : sql`completed_at = NULL,`}
          ${csv(Object.fromEntries(move.counts.map((counter) => [counter, raised(move, counter)])))}
          ${move.counts.length === 0 ? sql`` : sql`,`}
          ${move.clearsIntervention ? sql`needs_intervention = 0,` : sql``}
          ${csv(remains(move, change))} ${set}
        WHERE id = ${change.id} AND changes() > 0 RETURNING *`,
      countRecorded(change.id)
    ]
  }

  /** Where the move that was just recorded leads. */
  const recordedQueue = (move: Move, limits: Policy["limits"]): Fragment =>
    move.flow === "none" || move.flow === "step"
      ? outcome.target(move, limits, landed(move))
      : sql`(SELECT to_queue FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)`

  return { merged, byId }
}
