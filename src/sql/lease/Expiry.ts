/** Taking back the leases that have run out: done by the cron for everyone, and by each claim for its own scope. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { Policy } from "../../domain/lease/Budget.ts"
import { type Move, moves } from "../../domain/task/Moves.ts"
import * as Cascade from "../legacy/Cascade.ts"
import { lost } from "../dependency/Edges.ts"
import { isScope } from "../record/ProjectCounts.ts"
import * as Ending from "../task/Ending.ts"
import * as Transition from "../task/Transition.ts"
import * as Deadline from "./Deadline.ts"
import * as Instant from "./Instant.ts"

/** Why a lease is over, as history has it. */
const reason = (move: Move) =>
  move === moves.exceedDeadline ? "The attempt exceeded its deadline." : "The lease ran out."

/** Which of the expired leases: those of tasks that may be claimed then, those of these tasks, or those that ended after a time. */
interface Only {
  readonly claimable?: boolean
  readonly ids?: ReadonlyArray<string>
  readonly after?: number
}

/** Where a lease is among those that ended: when it did, and the id of its task. */
export type Place = readonly [number, string]

export const make = (sql: D1Client.D1Client, policy: Policy) => {
  const { countAll, record } = Transition.make(sql)
  const { merged } = Ending.make(sql)
  const { told } = Instant.make(sql)
  const cascade = Cascade.make(sql)

  // Leases are in the order of their ends in each scope, and every scope that has tasks has counters.
  const scopes = sql`IN (SELECT scope FROM queue_counts WHERE ${sql.literal(isScope)})`
  const overdue = (at: Fragment, scope: string | undefined): Fragment =>
    sql`claimed_by IS NOT NULL AND lease_expires_at <= ${at}
      AND tasks.scope ${scope === undefined ? scopes : sql`= ${scope}`}`

  const listed = (ids: ReadonlyArray<string>) => sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`
  const since = (after: number | undefined) => after === undefined ? sql`` : sql`AND lease_expires_at > ${after}`

  const plan = (now: number, seed: number, scope: string | undefined, only: Only) => {
    const actor = sql`claimed_by`
    // What a renewal needs to give the lease back to whoever had it.
    const details = sql`json_object('orchestrator_id', orchestrator_id, 'claimed_at', ${told(sql`claimed_at`)},
      'lease_seconds', lease_seconds, 'deadline_at', ${told(sql`deadline_at`)})`
    const { change, ...taken } = merged(
      [
        [Deadline.exceeded(sql), moves.exceedDeadline],
        [sql`queue = 'claimed'`, moves.expire]
      ],
      moves.expireReview,
      (move) => ({ now, seed, policy, actor, details, reason: reason(move) })
    )
    const expired = (at: Fragment) =>
      sql`${overdue(at, scope)}
         ${only.claimable === true ? sql`AND blocked_by IS NULL AND ${taken.to} NOT IN ${sql.in(lost)}` : sql``}
         ${only.ids === undefined ? sql`` : sql`AND tasks.id IN ${listed(only.ids)}`} ${since(only.after)}`
    const where = expired(sql`${now}`)
    // Nothing is looked for where nothing was recorded, or counted.
    const changed = expired(sql`iif(changes() > 0, ${now}, NULL)`)
    return {
      where,
      to: taken.to,
      steps: [
        record({ where, ...taken, actor, now }),
        countAll({ where: changed, to: taken.to }),
        sql`
          UPDATE tasks SET ${change} WHERE ${changed}
          RETURNING id, scope, queue, version, claimed_by, fencing_token, blocked_by,
            (SELECT event FROM history WHERE task_id = tasks.id AND history.version = tasks.version) AS event`
      ]
    }
  }

  return {
    /**
     * The statements that take back every expired lease of `scope`, or of all; or some of them. Each checks the predicate
     * again as it writes, so a lease that was renewed meanwhile is left alone. The last one answers the tasks, and the event.
     */
    all: (now: number, seed: number, scope?: string, only: Omit<Only, "claimable"> = {}): Array<Statement<any>> => {
      const { steps, to, where } = plan(now, seed, scope, only)
      // First what it means for others, since nothing finds these tasks once they are taken back; and some may wait for
      // others of them.
      const fallen = cascade.ofAll(where, to)
      return [...cascade.fall(fallen, now), ...cascade.settle(fallen, now), ...steps]
    },
    /**
     * The same of those tasks only that may be claimed then, which is all a claim needs to know. What fails or is cancelled
     * with its lease is left to whoever takes back the others, and so is what that means for tasks that wait for it, and who
     * waits for others itself.
     */
    claimable: (now: number, seed: number, scope?: string, ids?: ReadonlyArray<string>): Array<Statement<any>> =>
      plan(now, seed, scope, { claimable: true, ...(ids === undefined ? {} : { ids }) }).steps,
    /** Some of the tasks whose leases ended after a time, in the order in which they did: beyond a place, or from the first on. */
    some: (
      now: number,
      most: number,
      scope: string | undefined,
      after: number | undefined,
      beyond: Place | null
    ): Statement<any> =>
      sql`SELECT id, lease_expires_at FROM tasks WHERE ${overdue(sql`${now}`, scope)} ${since(after)}
        ${beyond === null ? sql`` : sql`AND (lease_expires_at, id) > (${beyond[0]}, ${beyond[1]})`}
        ORDER BY lease_expires_at, id LIMIT ${most}`
  }
}
