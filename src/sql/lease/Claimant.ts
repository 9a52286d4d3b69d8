/** The machine that claims: the one of its name that the claim reaches, and how much it holds. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import { type Reach, within } from "../Reach.ts"

export interface Asking {
  readonly orchestrator_id: string
  /** The scope the machine has to belong to, if any. */
  readonly reach: Reach
  /** The scope that is claimed from: where it has a machine of this name, that is the one. */
  readonly scope: Fragment
  /** What the claim says the machine may hold at once. */
  readonly max_claimed: number | null | undefined
}

/**
 * Which machines of a name may claim: that of the scope, or where it has none and no key forbids it, those of other scopes.
 * As a range, so that no machine of another scope is read where the scope has its own.
 */
export const claiming = (
  sql: D1Client.D1Client,
  { orchestrator_id, reach, scope }: Pick<Asking, "orchestrator_id" | "reach" | "scope">
): Fragment => {
  const own = sql`(SELECT scope FROM orchestrators AS own WHERE own.id = ${orchestrator_id} AND own.scope = ${scope})`
  return sql`id = ${orchestrator_id} AND ${
    reach === undefined
      ? sql`scope BETWEEN coalesce(${own}, '') AND coalesce(${own}, char(1114111))`
      : within(sql, reach)
  }`
}

export const make = (sql: D1Client.D1Client) => {
  const itself = (asking: Asking): Fragment =>
    sql`FROM orchestrators WHERE ${claiming(sql, asking)} ORDER BY last_heartbeat DESC LIMIT 1`

  /** The machine, what it may hold and what it holds. `live` narrows what counts. */
  const machine = (asking: Asking, live: Fragment = sql``) =>
    sql`
      SELECT id, status, last_heartbeat, coalesce(${asking.max_claimed ?? null}, max_claimed) AS maximum,
        (SELECT count(*) FROM tasks INDEXED BY tasks_leased
          WHERE claimed_by IS NOT NULL AND scope = ${asking.scope} AND queue = 'claimed'
            AND orchestrator_id = ${asking.orchestrator_id} ${live}) AS held
      ${itself(asking)}`

  /** The scope it belongs to, which is where its roles are. */
  const home = (asking: Asking): Fragment => sql`(SELECT scope ${itself(asking)})`

  return { machine, home }
}
