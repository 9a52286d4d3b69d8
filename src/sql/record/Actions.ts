/** The status of an action at a given time, and the withdrawal of proposals about removed tasks. */
import { type Statement, statement } from "../Statement.ts"

/** The status of an action at `:now`, as an expression. `actionSeenAt` computes the same. */
export const seen = "iif(status = 'proposed' AND expires_at <= :now, 'expired', status)"

/**
 * Makes the statement that withdraws the proposals about tasks that match a condition. So a new task with the same id
 * has none.
 */
export const withdrawal = (where: string): Statement =>
  statement(`
    UPDATE actions SET status = 'expired'
    WHERE status IN ('proposed', 'execute_requested') AND entity_type = 'task'
      AND (scope, entity_id) IN (SELECT scope, id FROM tasks WHERE ${where})`)
