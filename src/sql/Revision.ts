/** The numbers that rise with every change of what a scope's lists tell, in the row of its counters (`sql/QueueCounts.ts`). */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment, Statement } from "effect/sql/Statement"

/** What has a number of its own. Flows are told with tasks, by the poll. */
export type Kind = "tasks" | "messages" | "drafts" | "projects"

const columns = {
  tasks: "revision",
  messages: "messages_revision",
  drafts: "drafts_revision",
  projects: "projects_revision"
} as const

export const make = (sql: D1Client.D1Client) => ({
  /** The number now, as an expression: 0 where nothing was ever changed. */
  of: (kind: Kind, scope: Fragment): Fragment =>
    sql`coalesce((SELECT ${sql(columns[kind])} FROM queue_counts WHERE scope = ${scope}), 0)`,

  /** Raises it for the scopes that `scopes` selects, when `where` holds: mostly that the statement before changed a row. */
  raise: (kind: Kind, scopes: Fragment, where: Fragment = sql`changes() > 0`): Statement<any> => {
    const column = sql(columns[kind])
    return sql`
      INSERT INTO queue_counts (scope, counts, ${column})
      SELECT owner, '{}', 1 FROM (SELECT (${scopes}) AS owner) WHERE owner IS NOT NULL AND ${where}
      ON CONFLICT (scope) DO UPDATE SET ${column} = ${column} + 1`
  },

  /** Raises it for every one of the scopes that `scopes` selects. */
  raiseAll: (kind: Kind, scopes: Fragment): Statement<any> => {
    const column = sql(columns[kind])
    return sql`
      INSERT INTO queue_counts (scope, counts, ${column}) SELECT DISTINCT scope, '{}', 1 FROM (${scopes}) WHERE true
      ON CONFLICT (scope) DO UPDATE SET ${column} = ${column} + 1`
  }
})
