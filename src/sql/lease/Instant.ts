/** Instants as history tells them, which is as they travel, and back: to the millisecond, in SQL. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"

export const make = (sql: D1Client.D1Client) => ({
  /** Milliseconds since 1970 as text: `1970-01-01T00:00:00.000Z`. */
  told: (millis: Fragment): Fragment => sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${millis} / 1000.0, 'unixepoch')`,
  /** The text as milliseconds since 1970. */
  heard: (text: Fragment): Fragment =>
    sql`(CAST(strftime('%s', ${text}) AS INTEGER) * 1000 + CAST(substr(${text}, 21, 3) AS INTEGER))`
})
