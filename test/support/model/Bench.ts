/** The services beside the model: what a step works with. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, ProjectId, ScopeName, TaskId } from "../../../src/domain/Identifier.ts"
import { Dependencies } from "../../../src/services/dependency/Dependencies.ts"
import { Deliveries } from "../../../src/services/feed/Deliveries.ts"
import { Events } from "../../../src/services/feed/Events.ts"
import { Metrics } from "../../../src/services/feed/Metrics.ts"
import { Overviews } from "../../../src/services/feed/Overview.ts"
import { Webhooks } from "../../../src/services/feed/Webhooks.ts"
import { Flows } from "../../../src/services/flow/Flows.ts"
import { Leases } from "../../../src/services/lease/Leases.ts"
import { Orchestrators } from "../../../src/services/machine/Orchestrators.ts"
import { Roles } from "../../../src/services/machine/Roles.ts"
import { Scheduler } from "../../../src/services/machine/Scheduler.ts"
import { Maintenance } from "../../../src/services/Maintenance.ts"
import { BreakerSwitches } from "../../../src/services/record/Breakers.ts"
import { Drafts } from "../../../src/services/record/Drafts.ts"
import { Messages } from "../../../src/services/record/Messages.ts"
import { Projects } from "../../../src/services/record/Projects.ts"
import { UsageSums } from "../../../src/services/record/Usage.ts"
import { TaskQueue } from "../../../src/services/task/TaskQueue.ts"
import { Database } from "../../../src/sql/Database.ts"
import type { Command } from "./Command.ts"
import * as Keyed from "./Keyed.ts"
import { flow, ReviewRounds } from "./Task.ts"
import * as World from "./World.ts"

export const make = Effect.fnUntraced(function*(options: World.Options) {
  const queue = yield* TaskQueue
  const leases = yield* Leases
  const dependencies = yield* Dependencies
  const drafts = yield* Drafts
  const orchestrators = yield* Orchestrators
  const roles = yield* Roles
  const maintenance = yield* Maintenance
  const flows = yield* Flows
  const events = yield* Events
  const overviews = yield* Overviews
  const metrics = yield* Metrics
  const webhooks = yield* Webhooks
  const deliveries = yield* Deliveries
  const scheduler = yield* Scheduler
  const database = yield* Database
  const orchestrator_id = OrchestratorId.make("k-m")
  for (const scope of ["red", "green"]) yield* orchestrators.register(scope, { cluster: "k", machine_id: "m" })
  yield* flows.register("blue", "default", flow)
  const messages = yield* Messages
  const projects = yield* Projects
  const usage = yield* UsageSums
  const switches = yield* BreakerSwitches
  const policy = { title: "p", branch: "main", evidence_required: ["test"], max_review_rounds: ReviewRounds }
  yield* projects.create(ScopeName.make("red"), { id: ProjectId.make("p"), ...policy })
  const world = World.make(options)

  /** Does what the model allows, and requires the service to refuse the rest. */
  const expecting = Effect.fnUntraced(
    function*(
      allowed: boolean,
      effect: Effect.Effect<unknown, { readonly _tag: string }>,
      id: string,
      change: () => void
    ) {
      const result = yield* Effect.result(effect)
      assert.strictEqual(result._tag, allowed ? "Success" : "Failure", `${id}: ${JSON.stringify(result)}`)
      if (allowed) world.changing(change, id)
    }
  )

  const { keyed, posted } = Keyed.make(options, database)

  /** The same as a POST: in a run with idempotency keys it has one, and may be repeated later. */
  const posting: typeof expecting = (allowed, effect, id, change) => expecting(allowed, keyed(effect), id, change)

  /** Expects the service to refuse, and why. */
  const refused = Effect.fnUntraced(function*(why: string, effect: Effect.Effect<unknown, { readonly _tag: string }>) {
    const result = yield* Effect.result(effect)
    assert.strictEqual(result._tag === "Failure" ? result.failure._tag : "Success", why, JSON.stringify(result))
  })

  /** Time passes, for the services and for the model. */
  const pass = (millis: number) =>
    Effect.map(TestClock.adjust(millis), () => {
      world.clock.now += millis
    })

  /** What the tests need besides. It is no part of a request, and no outage is for it. */
  const aside = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      const due = options.faults.splice(0)
      return Effect.tap(effect, () => Effect.sync(() => options.faults.push(...due)))
    })

  return {
    options,
    aside,
    queue,
    leases,
    dependencies,
    drafts,
    orchestrators,
    roles,
    maintenance,
    scheduler,
    events,
    overviews,
    metrics,
    webhooks,
    deliveries,
    messages,
    projects,
    usage,
    switches,
    database,
    orchestrator_id,
    world,
    pass,
    keyed,
    posted,
    expecting,
    posting,
    refused
  }
})

export type Bench = Effect.Success<ReturnType<typeof make>>

/** What each command does, and what it should do. */
export type Steps<Tag extends Command["_tag"]> = {
  readonly [K in Tag]: (command: Extract<Command, { readonly _tag: K }>) => Effect.Effect<void>
}

export const idOf = (command: { readonly id: string }) => TaskId.make(command.id)
