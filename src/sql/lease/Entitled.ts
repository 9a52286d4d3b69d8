/** Whether a machine may have what it claims, as conditions on columns of `orchestrators`. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName } from "../../domain/Identifier.ts"
import type { Claim } from "../../domain/task/MoveInput.ts"
import type { Reach } from "../Reach.ts"
import { claiming } from "./Claimant.ts"

interface Asked {
  readonly claim: Claim
  readonly scope: ScopeName
  /** The scope the machine has to belong to, if any. */
  readonly reach: Reach
  /** The queue it claims from, and whether that is a review. */
  readonly from: string
  readonly reviews: boolean
  readonly roles: ReadonlyArray<string>
}

export const make = (sql: D1Client.D1Client) => {
  /**
   * Whether the machine may be given one more. Reviews do not count, and are not held back by what does; nor do the tasks
   * of another scope, since each project that a machine works for has a limit of its own.
   */
  const hasRoom = (scope: ScopeName, { max_claimed, orchestrator_id }: Claim): Fragment => {
    const held = sql`SELECT 1 FROM tasks INDEXED BY tasks_leased WHERE claimed_by IS NOT NULL AND scope = ${scope}
      AND queue = 'claimed' AND orchestrator_id = ${orchestrator_id}`
    const most = max_claimed == null ? sql`max_claimed` : sql`${max_claimed}`
    // Mostly all machines together hold fewer than that.
    const claimed = sql`(SELECT counts ->> '$.claimed' FROM queue_counts WHERE queue_counts.scope = ${scope})`
    return sql`(${most} IS NULL OR coalesce(${claimed}, 0) < ${most}
      OR (SELECT count(*) FROM (${held} ${max_claimed == null ? sql`` : sql`LIMIT ${max_claimed}`})) < ${most})`
  }

  /** Whether the roles of the machine's scope are as the claim takes them to be. A scope without any knows every name. */
  const rolesHold = (roles: ReadonlyArray<string>, queue: string | undefined): Fragment =>
    sql`(
      SELECT count(*) = 0 OR (
        count(*) FILTER (WHERE name IN (SELECT value FROM json_each(${JSON.stringify(roles)}))) = ${roles.length}
        ${
      queue === undefined ? sql`` : sql`AND count(*) FILTER (WHERE name = ${roles[0]} AND claims_from = ${queue}) = 1`
    })
      FROM roles WHERE roles.scope = orchestrators.scope)`

  return ({ claim, from, reach, reviews, roles, scope }: Asked) => {
    const { orchestrator_id } = claim
    return {
      /** The machine of the scope, of which a claim is a sign of life: of no other scope's, which may be another machine. */
      own: sql`id = ${orchestrator_id} AND scope = ${scope}`,
      /** That there is one which may have what it claims. */
      may: sql`EXISTS (
        SELECT 1 FROM orchestrators WHERE ${
        claiming(sql, { orchestrator_id, reach, scope: sql`${scope}` })
      } AND status <> 'maintenance'
          ${reviews ? sql`` : sql`AND ${hasRoom(scope, claim)}`}
          ${roles.length === 0 ? sql`` : sql`AND ${rolesHold(roles, claim.queue ? undefined : from)}`})`
    }
  }
}
