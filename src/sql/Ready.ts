/** Who may be claimed, and who may not: word for word as the indexes of `tasks` have it, or they are not used. */
import type * as D1Client from "@effect/sql-d1/D1Client"

export const make = (sql: D1Client.D1Client) => ({
  /** The condition of `tasks_ready` and `tasks_ready_for`. */
  ready: sql`claimed_by IS NULL AND blocked_by IS NULL AND available_at IS NULL AND queue <> 'done'`,
  /** The condition of `tasks_held`: every other task. */
  held: sql`(claimed_by IS NOT NULL OR blocked_by IS NOT NULL OR available_at IS NOT NULL OR queue = 'done')`
})
