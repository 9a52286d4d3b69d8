/** The reach of an operation: one scope, or every scope. */
import type { ScopeName } from "../domain/Identifier.ts"
import { type Bound, statement, type Values } from "./Statement.ts"

/** The scope of an operation; `undefined` means every scope. Statements get it as `:scope`, which is null then. */
export type Reach = ScopeName | undefined

/** Whether a row is within reach, for tables with ids that are unique on the server. */
export const inScope = "(:scope IS NULL OR scope = :scope)"

/**
 * Makes a statement with two texts: one for a scope, and one for every scope. It is for tables whose key contains the
 * scope: there `inScope` would keep SQLite from finding a row by the whole key.
 */
export const byScope = (text: (inScope: string) => string): (values: Values) => Bound => {
  const one = statement(text("scope = :scope"))
  const every = statement(text("true"))
  return (values) => (values.scope === null ? every : one)(values)
}

/**
 * The scope of the row that a request means: `:scope`, or else the only scope with such a row. It is null if several
 * scopes have one; then the request has to name its scope.
 */
export const onlyScope = (table: string, match: string): string =>
  `coalesce(:scope, (SELECT max(scope) FROM ${table} WHERE ${match} HAVING count(*) = 1))`
