/** Backoff in SQL: until when a task waits (`domain/lease/Backoff.ts`), and who has waited long enough. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import { type Backoff, Spread } from "../../domain/lease/Backoff.ts"
import * as Revision from "../task/Revision.ts"

// What the last characters of an id weigh, where ids differ most: powers of the golden section of the spread, so that tasks
// that were numbered one after the other are spread evenly.
const weights = Array.from({ length: 6 }).reduce<ReadonlyArray<number>>(
  (all) => [...all, ((all.at(-1) ?? 1) * 618_036) % Spread],
  []
)

export const make = (sql: D1Client.D1Client) => {
  const revision = Revision.make(sql)
  const letters = weights.map((weight, i) =>
    sql`unicode(substr('------' || id, ${sql.literal(String(-1 - i))}, 1)) * ${sql.literal(String(weight))}`
  )
  const number = sql`coalesce(${letters.reduce((sum, letter) => sql`${sum} + ${letter}`)}, 0)`

  /** From 0 to 1: tasks of one batch share the seed, and have numbers of their own. */
  const chance = (seed: number): Fragment =>
    sql`((${number} + ${seed}) % ${sql.literal(String(Spread))} / ${sql.literal(`${Spread}.0`)})`

  /** Until when a task waits whose next attempt, which the move counts, is given up. Null when nothing has to wait. */
  const until = ({ baseSeconds, maxSeconds }: Backoff, now: number, seed: number): Fragment =>
    baseSeconds === 0 ? sql`NULL` : sql`
      ${now} + CAST(round(
        min(${maxSeconds}, ${baseSeconds} * (1 << min(max(attempt_count, 0), 30))) * (500 + 500 * ${chance(seed)})
      ) AS INTEGER)`

  const ending = (now: number, due: (now: Fragment) => Fragment): Array<Statement<any>> => [
    sql`
      INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, grants, at)
      SELECT id, version + 1, scope, 'backoff_ended', queue, queue, grants, ${now}
      FROM tasks INDEXED BY tasks_backing_off WHERE ${due(sql`${now}`)}`,
    // `updated_at` says when somebody worked on it. Nothing is looked for where nothing was recorded.
    sql`
      UPDATE tasks INDEXED BY tasks_backing_off SET version = version + 1, available_at = NULL
      WHERE ${due(sql`iif(changes() > 0, ${now}, NULL)`)}`
  ]

  /** Makes those of a scope that have waited long enough ready again: record, then change. Mostly there are none. */
  const end = (now: number, scope: string) => [
    ...ending(now, (until) => sql`scope = ${scope} AND available_at IS NOT NULL AND available_at <= ${until}`),
    revision.raiseIn("tasks", scope)
  ]

  /** The same in every scope. Looks at everybody who waits, so it is for where hardly anybody does. */
  const endAll = (now: number) => [
    // Afterwards nothing tells whose tasks they were.
    sql`
      UPDATE queue_counts SET revision = revision + 1 WHERE scope IN (
        SELECT scope FROM tasks INDEXED BY tasks_backing_off WHERE available_at IS NOT NULL AND available_at <= ${now})`,
    ...ending(now, (until) => sql`available_at IS NOT NULL AND available_at <= ${until}`)
  ]

  return { until, end, endAll }
}
