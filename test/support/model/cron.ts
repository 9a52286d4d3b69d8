/** The cron: takes leases back, marks silent machines as offline, and tells of ready tasks that no machine will claim. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { RoleName, ScopeName } from "../../../src/domain/Identifier.ts"
import type { Bench, Steps } from "./Bench.ts"
import { record } from "./Task.ts"
import { unclaimable, UnclaimableAfterSeconds } from "./unclaimable.ts"

const LookMillis = 300_000
const TimeoutMillis = 120_000

/** `receiving` lets the receivers of webhooks get what the cron sends. */
export const make = (
  { maintenance, orchestrator_id, pass, roles, world }: Bench,
  receiving: <A, E>(sending: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Steps<"Cron" | "Roles"> => {
  const { clock, heard, silent } = world

  /** The tasks that the cron finds when it begins, if it looks for them in this minute. */
  const found = () =>
    clock.now % LookMillis >= 60_000
      ? []
      : ["red", "blue"].flatMap((scope) => unclaimable(world, scope)).map(({ task }) => task).filter(({ latest }) =>
        latest.event !== "unclaimable" && latest.at <= clock.now - UnclaimableAfterSeconds * 1000
      )

  const sweep = () => {
    const fell = Object.entries(heard).filter(([scope, at]) => world.isActive(scope) && at < clock.now - TimeoutMillis)
    for (const [scope, at] of fell) silent[scope] = at
    return fell.length
  }

  return {
    Cron: Effect.fnUntraced(function*({ waits }) {
      if (waits) yield* pass(LookMillis - clock.now % LookMillis)
      const told = found()
      const done = yield* receiving(maintenance.tick)
      assert.deepStrictEqual({ ...done }, { silent: sweep(), reaped: world.expire() }, "what the cron did")
      for (const task of told) record(task, "unclaimable", null)
    }),
    Roles: Effect.fnUntraced(function*({ names }) {
      const registered = names === "none" ? [] : names.split(",").map((name) => RoleName.make(name))
      for (const scope of ["red", "green"].map((name) => ScopeName.make(name))) {
        yield* Effect.orDie(roles.register({ orchestrator_id, roles: registered.map((name) => ({ name })) }, scope))
        for (const { name } of yield* roles.list(scope)) {
          if (!registered.includes(name)) yield* Effect.orDie(roles.remove(name, scope))
        }
      }
      world.roles.clear()
      for (const name of registered) world.roles.add(name)
    })
  }
}
