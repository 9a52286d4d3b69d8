/** Backoff in SQL: until when a task waits (`domain/Backoff.ts`), and who has waited long enough. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import { type Backoff, Spread } from "../domain/Backoff.ts"

// How many characters of the id tell tasks apart, and what each weighs.
const weights = [1, 131, 17_161, 248_088, 499_427, 424_347]

export const make = (sql: D1Client.D1Client) => {
  // The end of an id is where ids differ most.
  const letters = weights.map((weight, i) =>
    sql`unicode(substr('------' || id, ${sql.literal(String(-1 - i))}, 1)) * ${sql.literal(String(weight))}`
  )
  const number = sql`coalesce(${letters.reduce((sum, letter) => sql`${sum} + ${letter}`)}, 0)`

  /** From 0 to 1: tasks of one batch share the seed, and have different numbers (multiplied modulo a prime). */
  const chance = (seed: number): Fragment =>
    sql`((${seed} * ((${number}) % ${sql.literal(String(Spread))}) + grants) % ${sql.literal(String(Spread))}
      / ${sql.literal(`${Spread}.0`)})`

  /** Until when a task waits whose next attempt, which the move counts, is given up. Null when nothing has to wait. */
  const until = ({ baseSeconds, maxSeconds }: Backoff, now: number, seed: number): Fragment =>
    baseSeconds === 0 ? sql`NULL` : sql`
      ${now} + CAST(round(
        min(${maxSeconds}, ${baseSeconds} * (1 << min(max(attempt_count, 0), 30))) * (500 + 500 * ${chance(seed)})
      ) AS INTEGER)`

  /** Makes those of a scope that have waited long enough ready again: record, then change. Mostly there are none. */
  const end = (now: number, scope: string): Array<Statement<any>> => {
    const due = (owner: Fragment) => sql`scope = ${owner} AND available_at IS NOT NULL AND available_at <= ${now}`
    return [
      sql`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, grants, at)
      SELECT id, version + 1, scope, 'backoff_ended', queue, queue, grants, ${now}
      FROM tasks INDEXED BY tasks_backing_off WHERE ${due(sql`${scope}`)}`,
      // `updated_at` says when somebody worked on it. Nothing is looked for where nothing was recorded.
      sql`
      UPDATE tasks INDEXED BY tasks_backing_off SET version = version + 1, available_at = NULL
      WHERE ${due(sql`iif(changes() > 0, ${scope}, NULL)`)}`
    ]
  }

  return { until, end }
}
