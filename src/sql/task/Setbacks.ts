/** What went wrong with a task lately, for whoever takes it next: a JSON list on its row, the newest last. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Fragment } from "effect/sql/Statement"
import { excerpt, MaxReason } from "../../domain/Excerpt.ts"
import { moves } from "../../domain/task/Moves.ts"
import * as Oversized from "./Oversized.ts"

// The last ones say enough, and a row has to stay small.
const Kept = 10

// The notes of a rejected result are lost to the task with its next result. This many characters of them stay.
const Noted = 1000

interface Setback {
  readonly event: string
  readonly actor: Fragment
  readonly reason: string | null
  readonly at: number
}

export const make = (sql: D1Client.D1Client) => {
  const { oversized } = Oversized.make(sql)
  const ofResult = sql.literal(
    ["execution_notes", "check_results"].map((name) => `, '${name}', substr(${name}, 1, ${Noted})`).join("")
  )

  /** The list with one more, as an expression over the columns of the task as it is before. One that is oversized keeps it. */
  return ({ actor, at, event, reason }: Setback): Fragment =>
    sql`iif(${oversized}, setbacks, json_insert(
      iif(json_array_length(setbacks) >= ${Kept}, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')),
      '$[#]', json_object('event', ${event}, 'actor', ${actor}, 'reason', ${
      // Not cut in SQL, where a text ends with the first NUL.
      reason === null ? null : excerpt(reason, MaxReason)},
        'at', CAST(${at} AS INTEGER), 'fencing_token', fencing_token${
      event === moves.reject.event ? ofResult : sql``
    })))`
}
