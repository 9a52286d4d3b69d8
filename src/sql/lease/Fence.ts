/** The fence of a call (`domain/lease/Fence.ts`) as a condition on columns of `tasks`. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

export const make =
  (sql: D1Client.D1Client, required: boolean) => (token: number | null | undefined, afterLapse = false): Fragment =>
    token == null
      ? required ? sql`AND claimed_by IS NULL ${afterLapse ? sql`AND lapsed_token IS NULL` : sql``}` : sql``
      : sql`AND coalesce(fencing_token, lapsed_token) = ${token}`
