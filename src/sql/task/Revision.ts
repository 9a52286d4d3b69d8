/**
 * The numbers that rise with every change of what a scope's lists tell, and how many records those have, in the row of its
 * counters (`sql/task/QueueCounts.ts`).
 */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import { type Reach, within } from "../Reach.ts"

const counted = ["messages", "drafts", "projects"] as const

/** What is counted by the same row. */
export type Counted = typeof counted[number]

/** What has a number of its own. Flows are told with tasks, by the poll. */
export type Kind = Counted | "tasks"

const columns = {
  tasks: "revision",
  messages: "messages_revision",
  drafts: "drafts_revision",
  projects: "projects_revision"
} as const

interface Raise {
  /** Whether it is raised: mostly when the statement before changed a row. */
  readonly where?: Fragment
  /** How many records there are more in each of the scopes. */
  readonly added?: Fragment
}

// How many scopes are counted in a minute.
const Scopes = 10

export const make = memoize((sql: D1Client.D1Client) => {
  const total = (kind: Counted) => sql`${sql(`${kind}_total`)}`
  const count = (kind: Counted, scope: Fragment) => sql`(SELECT count(*) FROM ${sql(kind)} WHERE scope = ${scope})`

  /** The number now, as an expression: 0 where nothing was ever changed. */
  const of = (kind: Kind, scope: Fragment): Fragment =>
    sql`coalesce((SELECT ${sql(columns[kind])} FROM queue_counts WHERE scope = ${scope}), 0)`

  /** Raises it for the scopes that `scopes` selects, as `scope`. */
  const raise = (
    kind: Kind,
    scopes: Fragment,
    { added, where = sql`changes() > 0` }: Raise = {}
  ): Statement<any> => {
    const column = sql(columns[kind])
    const more = kind === "tasks" || added === undefined ? sql`` : sql`, ${total(kind)} = ${total(kind)} + ${added}`
    return sql`
      INSERT INTO queue_counts (scope, counts, ${column})
      SELECT DISTINCT scope, '{}', 1 FROM (${scopes}) WHERE scope IS NOT NULL AND ${where}
      ON CONFLICT (scope) DO UPDATE SET ${column} = ${column} + 1 ${more}`
  }

  return {
    raise,

    /** The same for one scope. */
    raiseIn: (kind: Kind, scope: string, options?: Raise) => raise(kind, sql`SELECT ${scope} AS scope`, options),

    /** Says that leases are renewed of tasks which are in these scopes. */
    renew: (scopes: Fragment): Statement<any> =>
      sql`UPDATE queue_counts SET leases_revision = leases_revision + 1 WHERE scope IN (${scopes})`,

    /** Answers the number of the scope's tasks, and that of their leases, as `sql/Conditional.ts` asks. */
    ofTasks: (scope: Fragment, besides: Fragment = sql``): Statement<any> =>
      sql`SELECT coalesce(max(revision), 0) AS revision, coalesce(max(leases_revision), 0) AS leases ${besides}
        FROM queue_counts WHERE scope = ${scope}`,

    of,

    /** The number of a scope; without one the sum over all scopes, which rises whenever one of them does. */
    reaching: (kind: Kind, scope: Reach): Fragment =>
      scope === undefined
        ? sql`(SELECT coalesce(sum(${sql(columns[kind])}), 0) FROM queue_counts WHERE scope >= ' ')`
        : of(kind, sql`${scope}`),

    /**
     * Answers how many records match, as `total`. For a whole scope it is read from the counter. Over all scopes the
     * records are counted.
     */
    total: (kind: Counted, scope: Reach, narrowed: ReadonlyArray<Fragment>): Statement<any> =>
      narrowed.length === 0 && scope !== undefined
        ? sql`SELECT coalesce(
            (SELECT ${total(kind)} FROM queue_counts WHERE scope = ${scope}), ${count(kind, sql`${scope}`)}) AS total`
        : sql`SELECT count(*) AS total FROM ${sql(kind)} WHERE ${sql.and([within(sql, scope), ...narrowed])}`,

    /** Counts where nobody has yet, a few scopes at a time: those in the index, whose condition it has word for word. */
    countOld: (): Statement<any> =>
      sql`
      UPDATE queue_counts SET ${
        sql.csv(
          counted.map((kind) => sql`${total(kind)} = coalesce(${total(kind)}, ${count(kind, sql`queue_counts.scope`)})`)
        )
      }
      WHERE scope IN (SELECT scope FROM queue_counts INDEXED BY queue_counts_uncounted
        WHERE scope >= ' ' AND (messages_total IS NULL OR drafts_total IS NULL OR projects_total IS NULL)
        LIMIT ${Scopes})`
  }
})
