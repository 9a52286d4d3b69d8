/** One page of a list. */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { describe, IntegerParameter } from "./Encoding.ts"

/** The longest page. A greater `limit` is answered with this many, and says so in `limit`. */
export const MaxLimit = 500

const Natural = IntegerParameter.check(Schema.isGreaterThanOrEqualTo(0))

const Limit = Natural.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({ decode: (n) => Math.min(n, MaxLimit), encode: (n) => n })
  )
)

/** The query parameters of every list. */
export const pageParameters = {
  limit: Schema.optionalKey(
    Limit.pipe(describe(`How many rows at most: 50 unless given or said otherwise, never more than ${MaxLimit}.`))
  ),
  offset: Schema.optionalKey(Natural.pipe(describe("How many rows to skip.")))
}

export interface Page {
  readonly limit: number
  readonly offset: number
}

/** The page a query asks for. `whole`: whether one that names no limit gets as many as there may be. */
export const pageOf = (query: { readonly limit?: number; readonly offset?: number }, whole = false): Page => ({
  limit: query.limit ?? (whole ? MaxLimit : 50),
  offset: query.offset ?? 0
})

/** The envelope of every list. */
export const pageEnvelope = {
  total: Schema.Int.pipe(describe("How many rows match, on all pages.")),
  offset: Schema.Int.pipe(describe("How many rows were skipped.")),
  limit: Schema.Int.pipe(describe("How many rows this page holds at most."))
}
