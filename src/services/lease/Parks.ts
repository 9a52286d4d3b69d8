/** The accounts that are parked in a scope, for operators. Agents park them (`park.ts`). */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { ScopeName } from "../../domain/Identifier.ts"
import { NotParked, type Park, ParkRow, type Parks as ParkList } from "../../domain/lease/Park.ts"
import { Database } from "../../sql/Database.ts"
import * as Parked from "../../sql/lease/Parked.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(ParkRow))

export class Parks extends Context.Service<Parks, {
  /** The parked accounts of the scope. */
  readonly list: (scope: ScopeName) => Effect.Effect<ParkList>
  /** Unparks the account at once. Answers the park that it had. */
  readonly end: (scope: ScopeName, account: string) => Effect.Effect<Park, NotParked>
}>()("octopoid-server/services/Parks") {
  static readonly layer = Layer.effect(
    Parks,
    Effect.gen(function*() {
      const { batch } = yield* Database

      const list = Effect.fn("Parks.list")(function*(scope: ScopeName) {
        const { found } = yield* batch({ found: Parked.list({ scope, now: yield* Clock.currentTimeMillis }) })
        return { scope, parks: yield* Effect.orDie(decodeRows(found)) }
      })

      const end = Effect.fn("Parks.end")(function*(scope: ScopeName, account: string) {
        const { ended } = yield* batch({
          ended: Parked.ended({ scope, account, now: yield* Clock.currentTimeMillis })
        })
        return (yield* Effect.orDie(decodeRows(ended)))[0] ?? (yield* NotParked.of(scope, account))
      })

      return Parks.of({ list, end })
    })
  )
}
