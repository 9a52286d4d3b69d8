/** How far an operation reaches: into one scope, or into all. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName } from "../domain/Identifier.ts"

/** The scope it is limited to; none means every scope. */
export type Reach = ScopeName | undefined

/** That a row, of a table that has a `scope`, is within reach. */
export const within = (sql: D1Client.D1Client, scope: Reach): Fragment =>
  scope === undefined ? sql`1` : sql`scope = ${scope}`

/**
 * That a row matches, and is the only one of its table within reach that does: what several scopes have of the same name
 * is changed only when the request says whose is meant.
 */
export const onlyOne = (sql: D1Client.D1Client, table: string, match: Fragment, scope: Reach): Fragment =>
  sql`${match} AND ${within(sql, scope)}
    AND (SELECT count(*) FROM ${sql(table)} WHERE ${match} AND ${within(sql, scope)}) = 1`
