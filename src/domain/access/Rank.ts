/** The rank of a key: what it may do in its scope. Each rank may also do what the ranks below it may. */
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../Encoding.ts"
import { TaggedError } from "../TaggedError.ts"

/** The ranks, from the lowest to the highest. */
export const ranks = ["fence", "read", "work", "manage"] as const

export const Rank = Schema.Literals(ranks).pipe(
  describe(
    "What the key may do in its scope. `manage`: everything. `work`: what a machine does in its day: register, send heartbeats, claim, renew, complete hooks, send messages and propose actions; submit, requeue and fail what it holds; and read. `read`: every GET. `fence`: ask whether a fencing token may still push."
  )
)
export type Rank = typeof Rank.Type

/** The rank of keys that are issued without one. Keys from before there were ranks have it too. */
export const DefaultRank: Rank = "manage"

/** Whether a key of this rank may do what needs the other. */
export const reaches = (rank: Rank, needed: Rank): boolean => ranks.indexOf(rank) >= ranks.indexOf(needed)

const orHigher = (needed: Rank) => `"${needed}"${needed === ranks.at(-1) ? "" : " or higher"}`

export class RankTooLow extends TaggedError<RankTooLow>()(
  "RankTooLow",
  {
    error: ErrorText,
    rank: Rank.pipe(describe("The rank of the key.")),
    needed: Rank.pipe(describe("The lowest rank that may send the request."))
  },
  { httpApiStatus: 403, description: "The rank of the key is too low for the request. Nothing was changed." }
) {
  /** `request` is the method and the path of the endpoint. */
  static readonly of = (key: string, rank: Rank, request: string, needed: Rank) =>
    new RankTooLow({
      error: `Key ${key} has the rank "${rank}", and ${request} needs the rank ${
        orHigher(needed)
      }. Send a key of that rank, or ask the administrator for one.`,
      rank,
      needed
    })
}
