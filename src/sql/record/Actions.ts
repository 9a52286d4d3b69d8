/** What the statements about actions share, and one for whoever removes what they are about. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { ActionId } from "../../domain/Identifier.ts"
import { type Reach, within } from "../Reach.ts"

export const make = (sql: D1Client.D1Client) => ({
  /** The action with this id, if it is within reach. */
  one: (id: ActionId, scope: Reach): Fragment => sql`id = ${id} AND ${within(sql, scope)}`,

  /** The status an action is seen to have at `now`, as `actionSeenAt` has it. */
  seen: (now: number): Fragment => sql`iif(status = 'proposed' AND expires_at <= ${now}, 'expired', status)`,

  /** Withdraws what is proposed for the tasks that `where` holds for, so that a task created under the id has none. */
  withdraw: (where: Fragment): Statement<any> =>
    sql`
      UPDATE actions SET status = 'expired' WHERE status IN ('proposed', 'execute_requested')
        AND entity_type = 'task' AND (scope, entity_id) IN (SELECT scope, id FROM tasks WHERE ${where})`
})
