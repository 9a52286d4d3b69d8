/** What happens to an expired lease: the domain and SQL agree. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { expiryOf } from "../../src/domain/lease/Lease.ts"
import { destination, moves } from "../../src/domain/task/Moves.ts"
import { Database } from "../../src/sql/Database.ts"
import { ServicesLayer } from "../support/layers.ts"

const times = [null, 1, 2, 3]
const cases = ["claimed", "provisional"].flatMap((queue) =>
  times.flatMap((lease) => times.map((deadline) => ({ queue, lease, deadline })))
)
const at = (millis: number | null) => millis === null ? null : DateTime.makeUnsafe(millis)

describe("an expired lease", () => {
  it.effect.each(cases)(
    "in $queue at $lease, with its deadline at $deadline",
    ({ deadline, lease, queue }) =>
      Effect.gen(function*() {
        const { batch, sql } = yield* Database
        const move = expiryOf({ queue, lease_expires_at: at(lease), deadline_at: at(deadline) })
        // The view says it of held tasks, which all have a lease.
        if (lease !== null) {
          const { lapses } = yield* batch({
            task: sql`
              INSERT INTO tasks (id, scope, file_path, title, queue, version, priority, priority_rank, branch, flow, created_at,
                updated_at, grants, claimed_by, claimed_at, claimed_from, lease_expires_at, deadline_at)
              VALUES ('a', 'red', 'a', 'a', ${queue}, 1, 'P2', 2, 'b', 'default', 0, 0, 1, 'ann', 0, 'incoming', ${lease},
                ${deadline})`,
            lapses: sql`SELECT event, to_queue FROM expiring`
          })
          assert.deepStrictEqual(lapses, [{
            event: move.event,
            to_queue: destination(move, { queue, claimed_from: "incoming" })
          }])
        }
        assert.strictEqual(move === moves.expireReview, queue !== "claimed")
        const over = queue === "claimed" && lease !== null && deadline !== null && lease >= deadline
        assert.strictEqual(move === moves.exceedDeadline, over)
      }).pipe(Effect.provide(ServicesLayer))
  )
})
