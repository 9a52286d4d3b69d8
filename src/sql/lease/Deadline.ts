/** Whether the deadline of an attempt is what ended its lease: `domain/lease/Lease.ts` in SQL. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

/** A condition on columns of `tasks`: of a task that is not under review, and whose lease ran out. */
export const exceeded = (sql: D1Client.D1Client): Fragment =>
  sql`(queue = 'claimed' AND deadline_at IS NOT NULL AND lease_expires_at >= deadline_at)`
