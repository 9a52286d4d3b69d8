/** The fencing tokens of grants. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

/**
 * The token of the next grant, an expression: higher than that of the last one, `grants`, and in a database that was brought
 * back to an earlier moment also higher than any that was granted after that (`scripts/dump/recount.ts`).
 */
export const next = (sql: D1Client.D1Client, grants: Fragment): Fragment =>
  sql`max(${grants}, coalesce((SELECT token FROM fencing_floor WHERE id = 1), 0)) + 1`
