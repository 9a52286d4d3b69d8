/** The `Server-Timing` header, and which callers see the costs in it. */
import * as Context from "effect/Context"
import type { Cost } from "../../sql/Database.ts"

/**
 * Whether the caller sees the round trips and rows of its request. The number of rows shows whether another scope has a
 * record. So a key sees times only, and so does a request that is refused before its caller is known.
 */
export const ShowsRows = Context.Reference<{ value: boolean }>("octopoid-server/http/ShowsRows", {
  defaultValue: () => ({ value: false })
})

export const timing = ({ millis, read, trips, written }: Cost, showsRows: boolean): string =>
  `d1;dur=${millis}${showsRows ? `;desc="trips=${trips} read=${read} written=${written}"` : ""}`
