/** What a request costs in D1. */
import type { Answer } from "../test/support/Wire.ts"

export interface Cost {
  readonly trips: number
  readonly read: number
  readonly written: number
}

export const none: Cost = { trips: 0, read: 0, written: 0 }

export const plus = (a: Cost, b: Cost): Cost => ({
  trips: a.trips + b.trips,
  read: a.read + b.read,
  written: a.written + b.written
})

/** The `Server-Timing` of a server that tells its cost as this one does. */
export const timing = ({ read, trips, written }: Cost): string =>
  `d1;dur=0;desc="trips=${trips} read=${read} written=${written}"`

/** What the answer says that it cost, if it does. */
export const ofAnswer = ({ headers }: Pick<Answer, "headers">): Cost | undefined => {
  const found = /trips=(\d+) read=(\d+) written=(\d+)/.exec(String(headers["server-timing"]))
  return found === null ? undefined : { trips: Number(found[1]), read: Number(found[2]), written: Number(found[3]) }
}

/** What a log entry of the Worker says. */
export const ofLog = (
  { annotations: { d1_trips, rows_read, rows_written } }: { readonly annotations: Record<string, number> }
): Cost => ({ trips: d1_trips!, read: rows_read!, written: rows_written! })
