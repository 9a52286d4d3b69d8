/**
 * Gives commands to the services and to the model. After each command it compares every task and checks the invariants
 * of the database: one queue, complete leases, rising tokens, one history entry for each version, true counters, no
 * grant of a blocked task. The model also predicts the feed of each scope, what webhooks
 * get of it, the overview and the metrics.
 */
import * as Effect from "effect/Effect"
import * as Bench from "./model/Bench.ts"
import * as Breakers from "./model/breakers.ts"
import * as Bulk from "./model/bulk.ts"
import * as Claims from "./model/claims.ts"
import type { Command } from "./model/Command.ts"
import * as Cron from "./model/cron.ts"
import * as Dependencies from "./model/dependencies.ts"
import * as Ends from "./model/ends.ts"
import * as Feed from "./model/feed.ts"
import * as Glance from "./model/glance.ts"
import * as Hooks from "./model/hooks.ts"
import * as Invariants from "./model/invariants.ts"
import * as Leases from "./model/leases.ts"
import * as Lives from "./model/lives.ts"
import * as Looks from "./model/looks.ts"
import * as Moves from "./model/moves.ts"
import * as Outages from "./model/outages.ts"
import * as Placements from "./model/placements.ts"
import * as Questions from "./model/questions.ts"
import * as Receivers from "./model/receivers.ts"
import * as Refusals from "./model/refusals.ts"
import * as Repeats from "./model/repeats.ts"
import * as Retention from "./model/retention.ts"
import * as Searches from "./model/searches.ts"
import type * as World from "./model/World.ts"

export { begin, Command, Start } from "./model/Command.ts"
export { config } from "./model/unclaimable.ts"

export const run = Effect.fnUntraced(function*(commands: ReadonlyArray<Command>, options: World.Options) {
  const bench = yield* Bench.make(options)
  const invariants = Invariants.make(bench)
  const feed = Feed.make(bench)
  const glance = Glance.make(bench, feed.got)
  const receivers = yield* Receivers.make(bench, feed.got)
  const outages = Outages.make(options)
  const steps: Bench.Steps<Command["_tag"]> = {
    ...Claims.make(bench),
    ...Moves.make(bench),
    ...Breakers.steps(bench),
    ...Bulk.make(bench),
    ...Placements.make(bench),
    ...Refusals.make(bench),
    ...Questions.make(bench),
    ...Lives.make(bench),
    ...Leases.make(bench),
    ...Ends.make(bench),
    ...Dependencies.make(bench),
    ...Repeats.make(bench),
    ...Hooks.make(bench),
    ...Looks.make(bench),
    ...Searches.make(bench),
    ...Retention.make(bench),
    ...Cron.make(bench, receivers.receiving),
    ...outages.steps
  }
  let done = 0
  for (const command of commands) {
    const step = steps[command._tag] as (command: Command) => Effect.Effect<void>
    yield* outages.during(command, step(command))
    yield* invariants()
    yield* feed.follow
    if (++done % 5 === 0) yield* glance
    yield* receivers.follow
  }
  yield* feed.whole
  yield* glance
  yield* receivers.whole
})
