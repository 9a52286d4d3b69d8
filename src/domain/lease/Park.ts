/** Parked accounts: a provider gives them no more work for a while, so no claim that names one gets a task. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, text, Time, TimeColumn } from "../Encoding.ts"
import { ScopeName } from "../Identifier.ts"
import { filled, MaxLabel } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

const MaxDays = 31

/** For how long an account may be parked, in milliseconds. */
export const MaxParked = MaxDays * 86_400_000

/** How many accounts of a scope may be parked at the same time. */
export const MaxParks = 200

export const Account = filled(MaxLabel).pipe(describe("The account with a provider."))

const fields = <T extends Schema.Top>(time: T) => ({
  account: Schema.String.pipe(describe("The account with a provider that has reached its limit.")),
  until: time.pipe(describe("When the limit is over.")),
  // A park that an earlier release stored has none of the following fields.
  task_id: text("The task whose holder parked the account. It may be gone."),
  parked_by: text("Who parked it."),
  parked_at: Schema.NullOr(time).pipe(describe("When it was parked.")),
  reason: text("What the provider said: the first 2,000 characters.")
})

export const Park = Schema.Struct(fields(Time)).annotate({ identifier: "Park" })
export type Park = typeof Park.Type

export const ParkRow = Schema.Struct(fields(TimeColumn))

export const Parks = Schema.Struct({
  scope: ScopeName,
  parks: Schema.Array(Park).pipe(
    describe(`The accounts that are parked, at most ${MaxParks}. The first to end comes first.`)
  )
}).annotate({ identifier: "Parks" })
export type Parks = typeof Parks.Type

export class NotParked extends TaggedError<NotParked>()(
  "NotParked",
  { error: ErrorText, scope: ScopeName, account: Schema.String.pipe(describe("The account asked for.")) },
  { httpApiStatus: 404, description: "The account is not parked in the scope, or its time is over." }
) {
  static readonly of = (scope: ScopeName, account: string) =>
    new NotParked({ error: `The account ${account} is not parked in the scope ${scope}.`, scope, account })
}

export class TooManyParks extends TaggedError<TooManyParks>()(
  "TooManyParks",
  {
    error: ErrorText,
    scope: ScopeName,
    limit: Schema.Int.pipe(describe("How many accounts of a scope may be parked."))
  },
  { httpApiStatus: 409, description: "As many accounts of the scope are parked as may be. Nothing was changed." }
) {
  static readonly of = (scope: ScopeName) =>
    new TooManyParks({
      error:
        `${MaxParks} accounts of the scope ${scope} are parked, and no more may be. Unpark one with DELETE /api/v1/parks/:account, or requeue the task with release.`,
      scope,
      limit: MaxParks
    })
}
