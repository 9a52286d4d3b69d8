/**
 * Renewing leases, any number in one batch: those that are held go on, and one that was taken back is given back as long as
 * nobody else was granted the task and nobody moved it.
 *
 * A renewal is no change of the task: no version, no history. Otherwise whoever states a version would be refused because
 * of renewals. Giving a lease back is one, and is recorded and counted like every other.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import { ends, landing, moves } from "../../domain/task/Moves.ts"
import type { Reach } from "../Reach.ts"
import * as Oversized from "../task/Oversized.ts"
import * as Revision from "../task/Revision.ts"
import * as Transition from "../task/Transition.ts"
import * as Instant from "./Instant.ts"

/** A lease to renew, named by its task and token; no two are the same. */
export interface Asked {
  readonly task_id: string
  readonly fencing_token: number
  /** How long it is to last, in milliseconds; null as long as the claim asked for. */
  readonly millis: number | null
  /** What to write down (`checkpointText`), if anything. */
  readonly checkpoint: string | null
}

export interface Order {
  readonly leases: ReadonlyArray<Asked>
  readonly scope: Reach
  readonly now: number
  /** What else has to hold for any of them to be renewed. */
  readonly condition?: Fragment
}

export const make = (sql: D1Client.D1Client, defaultMillis: number) => {
  const transition = Transition.make(sql)
  const revision = Revision.make(sql)
  const { heard } = Instant.make(sql)
  const { oversized } = Oversized.make(sql)

  /**
   * The statements of a batch: the second answers the leases that were renewed, the third the others and what there is of
   * their tasks, and the last those of them that were given back.
   */
  return ({ condition = sql`1`, leases, now, scope }: Order) => {
    const keys = leases.map(({ fencing_token, task_id }) => [task_id, fencing_token])
    const all = leases.map((lease) => [lease.task_id, lease.fencing_token, lease.millis, lease.checkpoint])
    /** What was asked for, as rows, as long as `when` holds: there are none to go through where it does not. */
    const asked = (list: ReadonlyArray<unknown>, when?: Fragment): Fragment => {
      const text = sql`${JSON.stringify(list)}`
      return sql`(SELECT value ->> 0 AS task, value ->> 1 AS token, value ->> 2 AS millis, value ->> 3 AS noted
        FROM json_each(${when === undefined ? text : sql`iif(${when}, ${text}, '[]')`})) AS asked`
    }
    // The `+` keeps SQLite from going through a scope, or through all that is held, for tasks it can find by their ids.
    const reach = scope === undefined ? sql`` : sql`AND +tasks.scope = ${scope}`
    const until = (deadline: Fragment, seconds: Fragment): Fragment =>
      sql`min(coalesce(${deadline}, 9e15), ${now} + coalesce(asked.millis, ${seconds} * 1000, ${defaultMillis}))`
    const noted = leases.every(({ checkpoint }) => checkpoint === null) ? sql`` : sql`,
      checkpoint = iif(asked.noted IS NULL OR ${oversized}, tasks.checkpoint, json_set(asked.noted,
        '$.version', coalesce(tasks.checkpoint ->> '$.version', 0) + 1, '$.fencing_token', asked.token, '$.at', ${now}))`
    const answer =
      sql`RETURNING id, scope, queue, version, claimed_by, orchestrator_id, fencing_token, lease_expires_at,
      deadline_at, cancel_requested_at, cancel_reason, checkpoint ->> '$.version' AS checkpoint_version,
      ${oversized} AS oversized,
      (SELECT status FROM orchestrators WHERE id = tasks.orchestrator_id AND scope = tasks.scope) AS machine`

    const own = sql`+claimed_by IS NOT NULL AND fencing_token = asked.token`
    // Before the others, which go by what the one before them changed.
    const held = sql`FROM ${
      asked(keys)
    } CROSS JOIN tasks ON tasks.id = asked.task WHERE ${own} ${reach} AND ${condition}`
    const raise = revision.renew(
      scope === undefined ? sql`SELECT tasks.scope ${held}` : sql`SELECT ${scope} WHERE EXISTS (SELECT 1 ${held})`
    )
    const renew = sql`
      UPDATE tasks SET lease_expires_at = CAST(max(lease_expires_at, ${
      until(sql`deadline_at`, sql`lease_seconds`)
    }) AS INTEGER) ${noted}
      FROM ${asked(all)}
      WHERE tasks.id = asked.task AND ${own} AND coalesce(deadline_at > ${now}, 1) ${reach} AND ${condition} ${answer}`
    // Where every lease was renewed, the statements below have nothing to go through.
    const some = sql`changes() < ${leases.length}`
    const rest = sql`
      SELECT asked.task, asked.token, id, queue, claimed_by, fencing_token, lapsed_token, setbacks
      FROM ${asked(keys, some)} LEFT JOIN tasks ON tasks.id = asked.task ${reach}
      WHERE NOT coalesce(${own} AND coalesce(deadline_at > ${now}, 1), 0)`

    // Who had the lease, and how it was, is in the entry that says that it ran out.
    const lapse = sql`(SELECT task_id AS lapsed_task, version AS lapsed_version, actor AS holder, at AS lapsed_at,
      details ->> '$.orchestrator_id' AS machine, details ->> '$.lease_seconds' AS seconds,
      ${heard(sql`(details ->> '$.claimed_at')`)} AS since, ${heard(sql`(details ->> '$.deadline_at')`)} AS deadline
      FROM history) AS lapse`
    const from = (when?: Fragment) =>
      sql`${asked(keys, when)} CROSS JOIN tasks ON tasks.id = asked.task CROSS JOIN ${lapse}`
    const where = sql`tasks.lapsed_token = asked.token AND tasks.queue NOT IN ${sql.in(ends)} ${reach}
      AND NOT ${oversized} AND lapsed_task = tasks.id AND lapsed_version = (SELECT version FROM history
        WHERE task_id = tasks.id AND event = ${moves.expire.event} ORDER BY version DESC LIMIT 1)
      AND coalesce(deadline > ${now}, 1)`
    const { countAll, granted } = transition
    const made = sql`changes() > 0`
    const claimed = landing(moves.reattach, { queue: "", claimed_from: null })
    const reattach: Array<Statement<any>> = [
      sql`
        INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, reason, grants, at)
        SELECT id, version + 1, scope, ${moves.reattach.event}, queue, ${claimed}, holder,
          'The holder renewed the lease before anybody else was granted the task.', grants, ${now}
        FROM ${from(some)} WHERE ${condition} AND ${where}`,
      countAll({ from: from(made), where, to: sql`${claimed}` }),
      sql`
        UPDATE tasks SET ${granted(moves.reattach, now, sql`${claimed}`)}, claimed_from = queue,
          claimed_by = holder, claimed_at = coalesce(since, lapsed_at), orchestrator_id = machine,
          lease_seconds = seconds, deadline_at = deadline,
          lease_expires_at = CAST(${until(sql`deadline`, sql`seconds`)} AS INTEGER) ${noted}
        FROM ${asked(all, made)}, ${lapse}
        WHERE tasks.id = asked.task AND ${where} ${answer}`
    ]
    return [raise, renew, rest, ...reattach]
  }
}
