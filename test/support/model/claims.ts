import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Bench, Steps } from "./Bench.ts"
import { record } from "./Task.ts"

const LeaseSeconds = 60
// A claim says again that its machine is there once it was not heard of for as long.
const FreshMillis = 30_000

export const make = (
  { keyed, orchestrator_id, queue, world }: Bench
): Steps<"Claim" | "Review" | "Continue" | "Test"> => {
  const claim = Effect.fnUntraced(
    function*(
      scope: string,
      agent_name: string,
      from: string,
      roles: ReadonlyArray<string>,
      most = 9,
      account: string | null = null
    ) {
      const isParked = account !== null && (world.parked.get(`${scope} ${account}`) ?? 0) > world.clock.now
      const isReview = from === "provisional"
      const isStranger = world.roles.size > 0 && roles.some((role) => !world.roles.has(role))
      // Reviews do not count, and neither do tasks that were given by hand.
      const hasRoom = () =>
        isReview ||
        [...world.tasks.values()].filter((task) =>
            task.scope === scope && task.queue === "claimed" && task.leaseMillis !== null
          ).length < most
      world.expireClaimable(scope)
      world.endBackoff(scope)
      // Before a claim says that there is nothing, it takes back what fails or is cancelled: others may wait for that.
      // It also does that when a task at a cap is in its way.
      const ahead = world.next(scope, from, roles, true)?.[1]
      if (!isStranger && !isParked && (!hasRoom() || ahead === undefined || world.isStopped(ahead))) world.expire(scope)
      const [id, next] = hasRoom() && !isStranger && !isParked ? world.next(scope, from, roles) ?? [] : []
      const result = yield* Effect.result(keyed(queue.claim(scope, {
        orchestrator_id,
        agent_name,
        queue: from,
        role_filter: roles,
        lease_duration_seconds: LeaseSeconds,
        max_claimed: most,
        account
      })))
      // A claim is a sign of life where the machine is known by the scope it claims from, and nowhere else.
      const { clock, heard } = world
      if (scope in heard && heard[scope]! < clock.now - FreshMillis) heard[scope] = clock.now
      if (next === undefined) {
        assert.strictEqual(result._tag, "Failure", "a claim found a task that the model has not")
        if (result._tag === "Failure") {
          assert.strictEqual(
            result.failure._tag,
            isStranger ? "InvalidTask" : hasRoom() ? "NoTasksAvailable" : "AtCapacity"
          )
        }
        return
      }
      assert.strictEqual(result._tag === "Success" ? result.success.id : result.failure._tag, id)
      record(next, isReview ? "review_claimed" : "claimed", agent_name)
      next.queue = isReview ? from : "claimed"
      world.grant(next, agent_name, LeaseSeconds * 1000, from, true)
      world.breaker.granted(next)
      if (result._tag === "Success") assert.strictEqual(result.success.fencing_token, next.grants)
    }
  )
  return {
    Claim: ({ account, agent, most, roles, scope }) => claim(scope, agent, "incoming", roles, most, account),
    Review: ({ agent, scope }) => claim(scope, agent, "provisional", []),
    Continue: ({ agent, scope }) => claim(scope, agent, "needs_continuation", []),
    Test: ({ agent }) => claim("blue", agent, "testing", [])
  }
}
