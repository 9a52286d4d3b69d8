/**
 * Where the tasks of a queue are: each is in one of three indexes, so that a move writes one entry. The conditions are word
 * for word as the indexes of `tasks` have them, or they are not used.
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment } from "effect/sql/Statement"

/** Which tasks: of one queue of a scope, expressions; and what narrows them, a condition on columns of `tasks`. */
export interface Among {
  readonly scope: Fragment
  readonly queue: Fragment
  readonly narrowed?: Fragment
}

/** How many priorities of those who are ready, and of those who wait, are read in one go with the page they are for. */
export interface Slots {
  readonly ready: number
  readonly waiting: number
}

export const make = memoize((sql: D1Client.D1Client) => {
  /** Who may be claimed: the condition of `tasks_ready`, and of `tasks_ready_for` for those that have a role. */
  const ready = sql`claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done'`
  /** Who may not, and is not held: the condition of `tasks_waiting`. */
  const waiting = sql`claimed_by IS NULL AND (blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')`

  const from = ({ queue, scope }: Among) => ({
    ready: sql`tasks INDEXED BY tasks_ready WHERE scope = ${scope} AND queue = ${queue} AND ${ready}`,
    waiting: sql`tasks INDEXED BY tasks_waiting WHERE scope = ${scope} AND queue = ${queue} AND ${waiting}`,
    leased: sql`tasks INDEXED BY tasks_leased WHERE scope = ${scope} AND queue = ${queue} AND claimed_by IS NOT NULL`
  })

  const union = (arms: ReadonlyArray<Fragment>): Fragment => arms.reduce((all, arm) => sql`${all} UNION ALL ${arm}`)
  const only = ({ narrowed }: Among): Fragment => narrowed === undefined ? sql`` : sql`AND ${narrowed}`

  /** Every one of them, in no order: for each row of `each`, if it is given, of which `among` may have columns. */
  const all = (among: Among, columns: Fragment, each?: Fragment): Fragment =>
    union(
      Object.values(from(among)).map((place) =>
        sql`SELECT * FROM (
          SELECT ${columns} FROM ${each === undefined ? sql`` : sql`${each} CROSS JOIN`} ${place} ${only(among)})`
      )
    )

  /** The priority that comes after so many others, if there is one. */
  const nth = (place: Fragment, n: number): Fragment =>
    sql`SELECT priority_rank FROM ${place} ${n === 0 ? sql`` : sql`AND priority_rank > (${nth(place, n - 1)})`}
      ORDER BY priority_rank LIMIT 1`

  /**
   * Of each priority of a place, but for the first few, those that come first when the newest do: no more than `most`, or
   * a few more of the same age. `only` narrows them, and begins with AND.
   */
  const ofEach = (place: Fragment, columns: Fragment, most: number, only: Fragment, skipped = 0): Fragment =>
    sql`SELECT ${columns} FROM (
          WITH RECURSIVE other (rank) AS (
            SELECT * FROM (${nth(place, skipped)}) UNION ALL
            SELECT (SELECT min(priority_rank) FROM ${place} AND priority_rank > rank) FROM other
            WHERE rank IS NOT NULL)
          SELECT rank FROM other WHERE rank IS NOT NULL) AS other
        CROSS JOIN ${place} AND priority_rank = other.rank ${only} AND created_at >= coalesce((
          SELECT created_at FROM ${place} AND priority_rank = other.rank ${only}
          ORDER BY created_at DESC LIMIT 1 OFFSET ${most - 1}), -9e15)`

  /**
   * Those that come first when the newest do, to be ordered and limited to no more than `most`. Within a priority they are in
   * order, so the first few priorities of a place are read as far as the page needs them; of each further one, `most`.
   */
  const newest = (among: Among, columns: Fragment, most: number, slots: Slots): Fragment => {
    const { leased, ...ordered } = from(among)
    const inTurn = (["ready", "waiting"] as const).flatMap((name) =>
      Array.from({ length: slots[name] }, (_, n) =>
        sql`SELECT * FROM (
          SELECT ${columns} FROM ${ordered[name]} AND priority_rank = (${nth(ordered[name], n)}) ${only(among)})`)
    )
    const others = (["ready", "waiting"] as const).map((name) =>
      sql`SELECT * FROM (${ofEach(ordered[name], columns, most, only(among), slots[name])})`
    )
    const held = sql`SELECT * FROM (SELECT ${columns} FROM ${leased} ${only(among)})`
    return union([...inTurn, sql`SELECT * FROM (${union([held, ...others])})`])
  }

  return { ready, waiting, all, newest, ofEach }
})
