/** The `Server-Timing` of a request, and who learns what of it. */
import * as Context from "effect/Context"
import type { Cost } from "../../sql/Database.ts"

/**
 * Whether the caller learns the round trips and rows of the request. Rows that were read tell that a record of another scope
 * exists, so a key learns times only, and so does a request that is refused before it is known who sends it.
 */
export const ShowsRows = Context.Reference<{ value: boolean }>("octopoid-server/http/ShowsRows", {
  defaultValue: () => ({ value: false })
})

export const timing = ({ millis, read, trips, written }: Cost, showsRows: boolean): string =>
  `d1;dur=${millis}${showsRows ? `;desc="trips=${trips} read=${read} written=${written}"` : ""}`
