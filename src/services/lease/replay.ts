/** What is kept of renewals under an idempotency key, so that the same can be answered again. */
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import { type HeldLease, MaxToldReason } from "../../domain/lease/Renewal.ts"
import { beginning } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import type { Kept, Replay } from "../../sql/legacy/Idempotency.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import * as Oversized from "../../sql/task/Oversized.ts"
import { decodeRenewed, decodeRest } from "./renew.ts"

const columns = [
  "id",
  "scope",
  "queue",
  "version",
  "claimed_by",
  "orchestrator_id",
  "fencing_token",
  "lapsed_token",
  "lease_expires_at",
  "deadline_at",
  "cancel_requested_at",
  "cancel_reason"
] as const

export const make = Effect.gen(function*() {
  const { sql } = yield* Database
  const { oversized } = Oversized.make(sql)

  /**
   * Every lease that was sent, as it is `after` the last statement that renews them (`sql/lease/Renewal.ts`); as long as `happened`
   * holds, which may speak of `held`.
   */
  const keep = (
    leases: ReadonlyArray<HeldLease>,
    { after, happened, now, scope }: {
      readonly after: number
      readonly happened: Fragment
      readonly now: number
      readonly scope: Reach
    }
  ): Kept => {
    const asked = JSON.stringify(leases.map(({ fencing_token, task_id }) => [task_id, fencing_token]))
    return {
      after,
      row: {
        ...Object.fromEntries(columns.map((name) => [name, sql`${sql(name)}`])),
        // There may be many leases, and all of this is one value.
        scope: sql`iif(held, scope, NULL)`,
        orchestrator_id: sql`iif(held, orchestrator_id, NULL)`,
        claimed_by: sql`iif(held, NULL, claimed_by)`,
        cancel_reason: sql`iif(held, ${sql.literal(beginning("cancel_reason", MaxToldReason))}, NULL)`,
        // Only of a lease that is lost it says why: by the setback that ended it, without its words.
        setbacks: sql`iif(held, NULL, (
          SELECT json_array(json_set(value, '$.actor', NULL, '$.reason', NULL)) FROM json_each(setbacks)
          WHERE value ->> '$.fencing_token' = token ORDER BY key DESC LIMIT 1))`,
        task: sql`task`,
        token: sql`token`,
        held: sql`held`,
        checkpoint_version: sql`checkpoint ->> '$.version'`,
        oversized: sql`oversized`,
        machine: sql`(SELECT status FROM orchestrators WHERE id = orchestrator_id AND scope = kept.scope)`,
        // Within the same millisecond, another request may have given it back.
        reattached: sql`changes() > 0 AND (SELECT event = 'reattached' AND at = ${now} FROM history
          WHERE task_id = kept.id AND history.version = kept.version)`
      },
      from: sql`(
        SELECT tasks.*, ${oversized} AS oversized, value ->> 0 AS task, value ->> 1 AS token, coalesce(claimed_by IS NOT NULL
          AND fencing_token = value ->> 1 AND coalesce(deadline_at > ${now}, 1), 0) AS held
        FROM json_each(${asked}) LEFT JOIN tasks ON tasks.id = value ->> 0 AND ${within(sql, scope)}) AS kept
        WHERE ${happened}`
    }
  }

  /** The same as `renew.ts` reads it from a batch. */
  const recall = Effect.fnUntraced(function*({ rows }: Replay) {
    const held = rows.filter((row) => row.held === 1)
    const back = new Set(held.filter((row) => row.reattached === 1).map((row) => row.id))
    return {
      renewed: (yield* decodeRenewed(held)).map((task) => ({ ...task, reattached: back.has(task.id) })),
      lost: yield* decodeRest(rows.filter((row) => row.held !== 1))
    }
  }, Effect.orDie)

  return { keep, recall }
})
