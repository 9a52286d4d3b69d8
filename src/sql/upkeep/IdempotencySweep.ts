/** Forgetting the idempotency keys that are older than a repetition may be. */
import type * as D1Client from "@effect/sql-d1/D1Client"
import type { Statement } from "effect/sql/Statement"

// Ids are hexadecimal digits of a hash. Each minute looks at 3 of the 4,096 ways they begin with, and is through with all
// of them in less than a day: so no index of times is written with every request.
const Prefixes = 4096
const PrefixesPerMinute = 3
const Slices = Math.ceil(Prefixes / PrefixesPerMinute)

const prefix = (index: number) => index < Prefixes ? index.toString(16).padStart(3, "0") : "g"

/** The old keys of the slice that is this minute's. */
export const forgetOld = (sql: D1Client.D1Client, now: number, lifetime: number): Statement<any> => {
  const first = (Math.floor(now / 60_000) % Slices) * PrefixesPerMinute
  return sql`
    DELETE FROM idempotency_keys
    WHERE id >= ${prefix(first)} AND id < ${prefix(first + PrefixesPerMinute)} AND at <= ${now - lifetime}`
}
