/** Which task a claim gets: the most urgent that is ready and matches, found by index seeks however many others wait. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName } from "../../domain/Identifier.ts"
import * as Oversized from "./Oversized.ts"
import * as Places from "./Places.ts"

export interface Wanted {
  readonly scope: ScopeName
  readonly queue: string
  /** Any of these roles, or every one. */
  readonly roles: ReadonlyArray<string>
  /** Any of these types, or every one. */
  readonly types: ReadonlyArray<string>
  /** Ranks to look through first, in this order. */
  readonly ranks: ReadonlyArray<number>
  /** Whether to look past those that are oversized, which takes reading each of them. */
  readonly passing?: boolean
}

/** Whether the tasks of these roles are in the index of roles: not those of no role, and not of every one. */
export const byRole = (roles: ReadonlyArray<string>): boolean => roles.length > 0 && !roles.includes("")

export const make = (sql: D1Client.D1Client) => {
  const { ready: claimable } = Places.make(sql)
  const { oversized } = Oversized.make(sql)

  /** The id of the task, as an expression; null when there is none. */
  const next = ({ passing = false, queue, ranks, roles, scope, types }: Wanted): Fragment => {
    const ready = sql`
      scope = ${scope} AND queue = ${queue} AND ${claimable}
      ${byRole(roles) ? sql`AND role IS NOT NULL` : sql``}
      ${passing ? sql`AND NOT ${oversized}` : sql``}
      ${types.length === 0 ? sql`` : sql`AND type IN (SELECT value FROM json_each(${JSON.stringify(types)}))`}`
    const order = sql`ORDER BY priority_rank, created_at, id LIMIT 1`
    // One index holds who is ready, in the order of claims; another holds the same for each role, so that a claim for
    // some roles reads a row or two for each, and none for the tasks of others that wait in front. That one leaves out who
    // has none, which hardly anybody asks for.
    const index = byRole(roles) ? sql`tasks_ready_for` : sql`tasks_ready`
    const best = (seeks: ReadonlyArray<ReadonlyArray<unknown>>, match: Fragment, first: Fragment) =>
      sql`
        SELECT best.id FROM json_each(${JSON.stringify(seeks)}) AS asked
        CROSS JOIN tasks AS best ON best.id = (
          SELECT id FROM tasks INDEXED BY ${index} WHERE ${ready} AND ${match} ${order})
        ORDER BY ${first} best.priority_rank, best.created_at, best.id LIMIT 1`
    const lane = sql`lane = asked.value ->> 0`
    const mostUrgent = roles.length === 0
      ? sql`SELECT id FROM tasks INDEXED BY ${index} WHERE ${ready} ${order}`
      : roles.length === 1
      ? sql`SELECT id FROM tasks INDEXED BY ${index} WHERE ${ready} AND lane = ${roles[0]} ${order}`
      : best(roles.map((role) => [role]), lane, sql``)
    if (ranks.length === 0) return sql`(${mostUrgent})`
    const seeks = (roles.length === 0 ? [""] : roles).flatMap((role) => ranks.map((rank, place) => [role, rank, place]))
    const match = roles.length === 0
      ? sql`priority_rank = asked.value ->> 1`
      : sql`${lane} AND priority_rank = asked.value ->> 1`
    return sql`coalesce((${best(seeks, match, sql`asked.value ->> 2,`)}), (${mostUrgent}))`
  }

  return next
}
