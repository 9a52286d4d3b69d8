/** Requests are repeated under their key: they have had their effect, and get the same answer. */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { IdempotencyKeyReused } from "../../../src/domain/IdempotencyKey.ts"
import type { Bench, Steps } from "./Bench.ts"

/** An answer without the fields that depend on the time of the answer. */
const lasting = (answer: unknown) => JSON.stringify({ ...answer as object, renew_after_seconds: undefined })

// Of the answers about tasks, only that of a claim has a handoff.
const isClaim = (
  answer: unknown
): answer is { readonly id: string; readonly scope: string; readonly fencing_token: number } =>
  typeof answer === "object" && answer !== null && "handoff" in answer

export const make = ({ database: { batch, sql }, posted, world }: Bench): Steps<"Repeat"> => {
  const { clock, endBackoff, expireClaimable, heard, tasks } = world

  // A claim that is found out before it grants anything has done what every claim does first.
  const takenBack = Effect.fnUntraced(function*(scope: string) {
    const [rows = [], machines = []] = yield* batch([
      sql`SELECT id, version FROM tasks WHERE scope = ${scope}`,
      sql`SELECT 1 FROM orchestrators WHERE scope = ${scope} AND last_heartbeat = ${clock.now}`
    ])
    // It is a sign of life too, if its batch was not undone.
    if (machines.length > 0) heard[scope] = clock.now
    if (rows.every(({ id, version }) => tasks.get(String(id))?.version === version)) return
    expireClaimable(scope)
    endBackoff(scope)
  })

  return {
    Repeat: Effect.fnUntraced(function*({ back }) {
      const request = posted.at(-1 - back)
      if (request === undefined) return
      const { answer } = request
      const reused = yield* Effect.exit(request.reuse)
      assert.isTrue(
        reused._tag === "Failure" && Cause.squash(reused.cause) instanceof IdempotencyKeyReused,
        `a key was not refused for another request: ${JSON.stringify(reused)}`
      )
      const result = yield* Effect.result(request.repeat)
      if (!isClaim(answer)) {
        assert.strictEqual(
          result._tag === "Success" ? lasting(result.success.answer) : result.failure._tag,
          lasting(answer)
        )
        assert.isTrue(result._tag === "Success" && result.success.replayed)
        return
      }
      yield* takenBack(answer.scope)
      const task = tasks.get(answer.id)
      if (task !== undefined && task.holder !== null && task.grants === answer.fencing_token) {
        const again = result._tag === "Success" ? result.success.answer : result.failure
        assert.isTrue(isClaim(again), JSON.stringify(again))
        if (isClaim(again)) assert.deepStrictEqual([again.id, again.fencing_token], [answer.id, answer.fencing_token])
      } else {
        assert.strictEqual(
          result._tag === "Failure" ? result.failure._tag : "Success",
          // A task that was created again in another scope must not be visible to this claim.
          task?.scope === answer.scope ? "LeaseLost" : "TaskNotFound"
        )
      }
    })
  }
}
