/** A small night of the demo, in process: the overview, the feed and the metrics tell what the script did. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Night from "../../scripts/demo/Night.ts"
import * as Stops from "../../scripts/demo/Stops.ts"
import { OrchestratorId, QueueName, TaskId } from "../../src/domain/Identifier.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { parse } from "../support/Exposition.ts"
import { migrated, servicesWith } from "../support/layers.ts"
import * as server from "../support/server.ts"

const options = { tasks: 60, machines: 3, projects: 2, leaseSeconds: 15, say: () => {} }

const playOf = Effect.fnUntraced(function*(seed: number) {
  const { db } = migrated()
  const { connect, send } = yield* server.make({}, () => db)
  yield* TestClock.setTime(Date.parse("2026-03-02T02:00:00Z"))
  const api = yield* connect({ scope: "night" })
  const ledger = yield* Night.play(api, {
    ...options,
    seed,
    name: "n",
    wait: (seconds) => TestClock.adjust(seconds * 1000)
  })
  return { api, db, ledger, send }
})

it.effect("of a seed, the overview and the feed tell what the script did, and so do the metrics", () =>
  Effect.gen(function*() {
    const { api, db, ledger, send } = yield* playOf(1)
    assert.deepStrictEqual(yield* Night.compare(api, ledger), [])
    for (const event of ["accepted", "failed", "lease_expired", "rejected", "requeued", "redriven"]) {
      assert.isAbove(ledger.events[event] ?? 0, 0, `the night has ${event}`)
    }
    assert.isAbove(ledger.questions, 0)
    const overview = yield* api.overview.read({ query: {} })
    assert.isTrue(overview.lives.exact, "a small night is looked at whole")
    assert.strictEqual(overview.projects.total, options.projects)
    assert.strictEqual(
      overview.projects.items.reduce((sum, { counts }) => sum + Object.values(counts).reduce((a, b) => a + b, 0), 0),
      options.tasks
    )
    assert.strictEqual(
      overview.machines.items.reduce((sum, { holds }) => sum + holds, 0),
      ledger.held
    )
    assert.isTrue(overview.held.items.every(({ note }) => note?.endsWith("is done.")), "each holder wrote a note")
    const { tick } = yield* Effect.provide(Maintenance, servicesWith({}, () => db))
    yield* tick
    const counted = parse((yield* send("GET", "/metrics?scope=night")).body)
      .find(({ name }) => name === "octopoid_events_total")!.samples
    const told = Object.fromEntries(counted.map(({ labels, value }) => [labels.event!, value]))
    for (const [event, n] of Object.entries(ledger.events)) assert.strictEqual(told[event], n, event)
  }))

it.effect("shows what stops by itself, and the overview and the feed tell it", () =>
  Effect.gen(function*() {
    const { api, ledger } = yield* playOf(1)
    yield* Stops.play(api, "n", ledger)
    assert.deepStrictEqual(yield* Night.compare(api, ledger), [])
    const overview = yield* api.overview.read({ query: {} })
    assert.deepStrictEqual(overview.breakers.items.map(({ project_id }) => String(project_id)), ["n-broken"])
    assert.deepStrictEqual(overview.parks.items.map(({ account }) => account), ["max-1"])
    const refusal = yield* Effect.flip(
      api.tasks.claim({
        query: {},
        payload: {
          orchestrator_id: OrchestratorId.make("n-machine-1"),
          agent_name: "a",
          queue: QueueName.make("triage"),
          account: "max-1"
        }
      })
    )
    assert.deepInclude(refusal, { _tag: "NoTasksAvailable", reason: "account_parked" })
    const { reasons } = yield* api.tasks.explain({ params: { id: TaskId.make("n-capped-1") }, query: {} })
    assert.include(reasons.map(({ reason }) => reason), "capped")
  }))

it.effect("is the same for the same seed, and another one for another seed", () =>
  Effect.gen(function*() {
    const nights = yield* Effect.forEach([7, 7, 8], (seed) => Effect.map(playOf(seed), ({ ledger }) => ledger.events))
    assert.deepStrictEqual(nights[0], nights[1])
    assert.notDeepEqual(nights[0], nights[2])
  }))

it.effect("finds a difference between what was done and what is reported", () =>
  Effect.gen(function*() {
    const { api, ledger } = yield* playOf(1)
    const found = yield* Night.compare(api, { ...ledger, questions: ledger.questions + 1 })
    assert.deepStrictEqual(found, [
      `overview questions: the server tells ${ledger.questions}, and the script did ${ledger.questions + 1}.`
    ])
  }))
