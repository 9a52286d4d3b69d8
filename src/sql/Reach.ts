/** How far an operation reaches: into one scope, or into every scope. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName } from "../domain/Identifier.ts"
import { type Bound, statement, type Values } from "./Statement.ts"

/** The scope that an operation is limited to; `undefined` means every scope. Statements get it as `:scope`, which is null then. */
export type Reach = ScopeName | undefined

/** That a row is within reach: for tables whose rows have an id that is unique on the server. */
export const inScope = "(:scope IS NULL OR scope = :scope)"

/**
 * Makes a statement in two texts: one for a scope, and one for every scope. It is for tables whose key holds the scope: there
 * `inScope` would keep SQLite from finding a row by its whole key.
 */
export const byScope = (text: (inScope: string) => string): (values: Values) => Bound => {
  const one = statement(text("scope = :scope"))
  const every = statement(text("true"))
  return (values) => (values.scope === null ? every : one)(values)
}

/**
 * The scope of the row that a request means: `:scope`, or else the only scope that has such a row. It is null if several
 * scopes have one: then the request has to say which it means.
 */
export const onlyScope = (table: string, match: string): string =>
  `coalesce(:scope, (SELECT max(scope) FROM ${table} WHERE ${match} HAVING count(*) = 1))`

/** The old form of `inScope` and `byScope`, for statements that are not constant yet. */
export const within = (sql: D1Client.D1Client, scope: Reach): Fragment =>
  scope === undefined ? sql`1` : sql`scope = ${scope}`
