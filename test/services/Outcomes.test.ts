/** The destination of tasks that are taken or given back: SQL against the rule in `domain/task/Moves.ts`. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { limitOf } from "../../src/domain/lease/Budget.ts"
import { destination, endOf, moves } from "../../src/domain/task/Moves.ts"
import { servicesWith } from "../support/layers.ts"
import { begin, id } from "../support/one-task.ts"
import { runs } from "../support/runs.ts"

const small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 }))
const Case = Schema.Struct({
  move: Schema.Literals([
    "submit",
    "burnOut",
    "accept",
    "reject",
    "requeue",
    "release",
    "fail",
    "expire",
    "exceedDeadline",
    "expireReview"
  ]),
  cancelRequested: Schema.Boolean,
  defaults: Schema.Struct({ max_attempts: small, max_lease_losses: small, max_rejections: small }),
  task: Schema.Struct({
    attempt_count: small,
    lease_losses: small,
    rejection_count: small,
    max_attempts: Schema.NullOr(small),
    max_lease_losses: Schema.NullOr(small),
    max_rejections: Schema.NullOr(small)
  })
})

describe("the destination of a move", () => {
  it.effect.prop(
    "is the same in SQL and in the rule, for all counters, limits and cancellations",
    { sample: Case },
    ({ sample: { cancelRequested, defaults, move: name, task } }) =>
      Effect.gen(function*() {
        const move = moves[name]
        const { claim, counts, get, last, queue, reap, row, write } = yield* begin(
          name === "expireReview" ? { queue: "provisional" } : {}
        )
        const held = yield* claim(name === "expireReview" ? "provisional" : undefined)
        yield* write({
          ...task,
          // A lease that expires is judged by the limits that were written with its grant.
          loss_limit: limitOf("max_lease_losses", task, defaults) || null,
          attempt_limit: limitOf("max_attempts", task, defaults) || null,
          ...(cancelRequested ? { cancel_requested_at: 1, cancel_reason: "not needed" } : {}),
          ...(name === "exceedDeadline" ? { deadline_at: 60_000 } : {})
        })
        const work = { commits_count: 1, turns_used: 1 }
        yield* name === "submit"
          ? queue.submit(id, work, undefined)
          : name === "burnOut"
          ? queue.submit(id, { ...work, turns_used: 100 }, undefined)
          : name === "accept"
          ? queue.accept(id, { accepted_by: "x" }, undefined)
          : name === "reject"
          ? queue.reject(id, { rejected_by: "x", reason: "r" }, undefined)
          : name === "requeue"
          ? queue.requeue(id, { reason: "r" }, undefined)
          : name === "release"
          ? queue.requeue(id, { reason: "r", release: true }, undefined)
          : name === "fail"
          ? queue.fail(id, { reason: "r" }, undefined)
          : Effect.andThen(TestClock.adjust("60 seconds"), reap)

        const expected = endOf(move, { ...task, cancelRequested }, defaults)
        const usual = destination(move, { queue: held.queue, claimed_from: "incoming" })
        const lands = expected === "usual" ? usual : expected
        const after = yield* get
        const entry = yield* last
        assert.strictEqual(after.queue, lands)
        assert.deepInclude(entry, {
          version: after.version,
          event: move.event,
          to_queue: lands,
          from_queue: held.queue
        })
        assert.strictEqual(after.version, held.version + 1)
        assert.strictEqual((yield* counts)[lands], 1)
        assert.strictEqual(after.claimed_by, null)
        assert.strictEqual(after.cancel_requested_at, null)
        assert.strictEqual(after.cancel_reason, lands === "cancelled" ? "not needed" : null)
        assert.strictEqual(after.failure_reason !== null, lands === "failed")
        for (const counter of ["attempt_count", "lease_losses", "rejection_count"] as const) {
          assert.strictEqual(
            after[counter],
            task[counter] + Number((move.counts as ReadonlyArray<string>).includes(counter))
          )
        }
        const details = (entry.details ?? {}) as Record<string, unknown>
        assert.strictEqual(details.budget, expected === "failed" ? move.budget : undefined)
        if (expected === "failed") {
          const limit = limitOf(move.budget!, task, defaults)
          assert.strictEqual(details.limit, limit)
          assert.match(after.failure_reason!, new RegExp(`^The budget of ${limit} .* spent. Last: `))
        }
        const { lapsed_token, setbacks } = yield* row
        assert.strictEqual(lapsed_token, name === "expire" && expected === "usual" ? 1 : null)
        const kept = JSON.parse(String(setbacks)) as ReadonlyArray<object> | null
        assert.deepStrictEqual(
          kept,
          move.setback
            ? [{
              event: move.event,
              actor: entry.actor,
              reason: entry.reason,
              at: after.updated_at.epochMilliseconds,
              fencing_token: 1,
              ...(move.event === "rejected" ? { execution_notes: null, check_results: null } : {})
            }]
            : null
        )
      }).pipe(
        Effect.provide(
          servicesWith(
            Object.fromEntries(Object.entries(defaults).map(([name, limit]) => [name.toUpperCase(), String(limit)]))
          ),
          { local: true }
        )
      ),
    { arbitrary: { runs: runs(200, 40), size: 40 } }
  )
})
