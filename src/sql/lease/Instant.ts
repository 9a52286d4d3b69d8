/** Instants in the details of history, where they are ISO text as in answers: converted to the millisecond, in SQL. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

/** Milliseconds since 1970 as text: `1970-01-01T00:00:00.000Z`. */
export const textOf = (millis: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${millis} / 1000.0, 'unixepoch')`

/** The text as milliseconds since 1970. */
export const millisOf = (text: string): string =>
  `(CAST(strftime('%s', ${text}) AS INTEGER) * 1000 + CAST(substr(${text}, 21, 3) AS INTEGER))`

/** The same as a template, for callers that are not converted yet. */
export const make = (sql: D1Client.D1Client) => ({
  told: (millis: Fragment): Fragment => sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${millis} / 1000.0, 'unixepoch')`
})
