/** The status of an action at a given time, and the withdrawal of the proposals about tasks that are removed. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement as Template } from "effect/sql/Statement"
import { type Statement, statement } from "../Statement.ts"

/** The status of an action at `:now`, as an expression: `actionSeenAt` says the same. A proposal expires by itself. */
export const seen = "iif(status = 'proposed' AND expires_at <= :now, 'expired', status)"

/**
 * Makes the statement that withdraws the proposals about the tasks that a condition holds for, so that a task created under the
 * same id has none.
 */
export const withdrawal = (where: string): Statement =>
  statement(`
    UPDATE actions SET status = 'expired'
    WHERE status IN ('proposed', 'execute_requested') AND entity_type = 'task'
      AND (scope, entity_id) IN (SELECT scope, id FROM tasks WHERE ${where})`)

/** The old form, for statements that are not constant yet. */
export const make = (sql: D1Client.D1Client) => ({
  /** Withdraws the proposals about the tasks that `where` holds for. */
  withdraw: (where: Fragment): Template<any> =>
    sql`
      UPDATE actions SET status = 'expired' WHERE status IN ('proposed', 'execute_requested')
        AND entity_type = 'task' AND (scope, entity_id) IN (SELECT scope, id FROM tasks WHERE ${where})`
})
