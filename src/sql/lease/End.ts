/** What the end of a lease writes: no lease, one more setback, and a time until which nobody may claim the task. */
import { Spread } from "../../domain/lease/Backoff.ts"
import { moves } from "../../domain/task/Moves.ts"
import { oversized } from "../dependency/Cascade.ts"

/** The columns of a lease, which are cleared at its end. */
export const noLease = `claimed_by = NULL, claimed_at = NULL, claimed_from = NULL, orchestrator_id = NULL,
  lease_expires_at = NULL, lease_seconds = NULL, deadline_at = NULL, cancel_requested_at = NULL`

// The latest setbacks are enough, and a row has to stay small.
export const MaxSetbacks = 10

// The next result overwrites the notes of a rejected one. The setback keeps this many characters of them.
const MaxNoted = 1000

const ofResult = ["execution_notes", "check_results"].map((name) => `, '${name}', substr(${name}, 1, ${MaxNoted})`)
  .join("")

/** The setbacks with one more, from the columns of the task before the move. An oversized task gets no more. */
export const withSetback = (event: string, actor: string, reason: string): string =>
  `iif(${oversized}, setbacks, json_insert(
    iif(json_array_length(setbacks) >= ${MaxSetbacks}, json_remove(setbacks, '$[0]'), coalesce(setbacks, '[]')),
    '$[#]', json_object('event', ${event}, 'actor', ${actor}, 'reason', ${reason}, 'at', CAST(:now AS INTEGER),
      'fencing_token', fencing_token${event === `'${moves.reject.event}'` ? ofResult : ""})))`

// Weights of the last characters of an id, where ids differ most: powers of the golden section of the spread, so that
// tasks with consecutive numbers are spread evenly.
const weights = Array.from({ length: 6 }).reduce<ReadonlyArray<number>>(
  (all) => [...all, ((all.at(-1) ?? 1) * 618_036) % Spread],
  []
)
const number = weights.map((weight, i) => `unicode(substr('------' || tasks.id, ${-1 - i}, 1)) * ${weight}`).join(" + ")

/** When the backoff after one more attempt ends (`domain/lease/Backoff.ts`). Tasks of one batch share the seed. */
export const backsOffUntil = `:now + CAST(round(
  min(:backoff_max, :backoff_base * (1 << min(max(attempt_count, 0), 30)))
  * (500 + 500 * ((coalesce(${number}, 0) + :seed) % ${Spread} / ${Spread}.0))) AS INTEGER)`
