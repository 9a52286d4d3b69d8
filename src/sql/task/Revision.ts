/** The old form of `sql/Revisions.ts`, for the import. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import { memoize } from "effect/Function"
import type { Fragment, Statement } from "effect/sql/Statement"
import { columns, type Kind } from "../Revisions.ts"

export type { Kind } from "../Revisions.ts"

export const make = memoize((sql: D1Client.D1Client) => ({
  /** Raises the revision of a scope if the statement before changed rows. `added` is how many records there are more. */
  raiseIn: (kind: Kind, scope: string, { added }: { readonly added?: Fragment } = {}): Statement<any> => {
    const column = sql(columns[kind])
    const total = sql(`${kind}_total`)
    const more = kind === "tasks" || added === undefined ? sql`` : sql`, ${total} = ${total} + ${added}`
    return sql`
      INSERT INTO queue_counts (scope, counts, ${column}) SELECT ${scope}, '{}', 1 WHERE changes() > 0
      ON CONFLICT (scope) DO UPDATE SET ${column} = ${column} + 1 ${more}`
  }
}))
