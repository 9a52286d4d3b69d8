/** What becomes of a lease that ran out: what the domain says is what SQL does. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { expiryOf } from "../../src/domain/lease/Lease.ts"
import { moves } from "../../src/domain/task/Moves.ts"
import { Database } from "../../src/sql/Database.ts"
import * as Deadline from "../../src/sql/lease/Deadline.ts"
import { ServicesLayer } from "../support/layers.ts"

const times = [null, 1, 2, 3]
const cases = ["claimed", "provisional"].flatMap((queue) =>
  times.flatMap((lease) => times.map((deadline) => ({ queue, lease, deadline })))
)
const at = (millis: number | null) => millis === null ? null : DateTime.makeUnsafe(millis)

describe("a lease that ran out", () => {
  it.effect.each(cases)(
    "in $queue at $lease, with its deadline at $deadline",
    ({ deadline, lease, queue }) =>
      Effect.gen(function*() {
        const { batch, sql } = yield* Database
        const move = expiryOf({ queue, lease_expires_at: at(lease), deadline_at: at(deadline) })
        const [rows] = yield* batch([sql`
        SELECT coalesce(${Deadline.exceeded(sql)}, 0) AS exceeded
        FROM (SELECT ${queue} AS queue, ${lease} AS lease_expires_at, ${deadline} AS deadline_at)`])
        assert.strictEqual(rows![0]!.exceeded === 1, move === moves.exceedDeadline)
        assert.strictEqual(move === moves.expireReview, queue !== "claimed")
        const over = queue === "claimed" && lease !== null && deadline !== null && lease >= deadline
        assert.strictEqual(move === moves.exceedDeadline, over)
      }).pipe(Effect.provide(ServicesLayer))
  )
})
