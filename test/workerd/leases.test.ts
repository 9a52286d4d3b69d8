/** The cost of renewals in D1: proportional to the number of leases, and independent of everything else. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Cost, Workerd } from "../support/harness.ts"

const Leases = 100

const within = (what: string, cost: Cost, limit: Cost) => {
  const message = `${what}: ${JSON.stringify(cost)}`
  assert.strictEqual(cost.trips, limit.trips, message)
  assert.isAtMost(cost.read, limit.read, message)
  assert.isAtMost(cost.written, limit.written, message)
}

layer(Workerd.layer, { excludeTestServices: true, timeout: "10 minutes" })("renewals in workerd", (it) => {
  it.effect("cost one round trip, and a few rows for each lease", () =>
    Effect.gen(function*() {
      const { send, tick } = yield* Workerd
      const beat = (leases?: unknown) =>
        send("POST", "/api/v1/orchestrators/k-m/heartbeat", leases === undefined ? undefined : { leases })
      const claim = (rest: object = {}) =>
        send("POST", "/api/v1/tasks/claim", { scope: "s", orchestrator_id: "k-m", agent_name: "ann", ...rest })
      yield* send("POST", "/api/v1/orchestrators/register", { scope: "s", cluster: "k", machine_id: "m" })
      const numbers = Array.from({ length: 3 * Leases }, (_, i) => i)
      yield* Effect.forEach(
        numbers,
        (i) => send("POST", "/api/v1/tasks", { id: `t${i}`, scope: "s", file_path: `${i}`, branch: "b" }),
        { concurrency: 10 }
      )
      const held = yield* Effect.forEach(numbers.slice(0, Leases), () => claim(), { concurrency: 10 })
      const leases = held.map(({ body: { fencing_token, id } }) => ({ task_id: id, fencing_token }))

      within("no lease", (yield* beat()).cost, { trips: 1, read: 8, written: 1 })
      within("an empty list", (yield* beat([])).cost, { trips: 1, read: 8, written: 1 })
      const renewed = yield* beat(leases)
      assert.strictEqual(renewed.body.renewed.length, Leases)
      within("100 leases", renewed.cost, { trips: 1, read: 16 * Leases + 25, written: 2 * Leases + 2 })
      const noted = yield* beat(leases.map((lease) => ({ ...lease, checkpoint: { notes: "n" } })))
      within("100 checkpoints", noted.cost, { trips: 1, read: 16 * Leases + 25, written: 2 * Leases + 2 })
      const one = yield* send("POST", `/api/v1/tasks/${leases[0]!.task_id}/renew`, leases[0])
      within("one lease", one.cost, { trips: 1, read: 27, written: 3 })
      const stale = yield* send("POST", `/api/v1/tasks/${leases[0]!.task_id}/renew`, { fencing_token: 9 })
      assert.strictEqual(stale.status, 409)
      within("a refusal", stale.cost, { trips: 1, read: 27, written: 0 })

      const short = yield* claim({ lease_duration_seconds: 1 })
      yield* Effect.sleep("1100 millis")
      yield* tick
      const back = yield* beat([...leases, { task_id: short.body.id, fencing_token: short.body.fencing_token }])
      assert.strictEqual(back.body.renewed.at(-1).reattached, true)
      within("a re-attachment among 100", back.cost, { trips: 1, read: 32 * Leases, written: 2 * Leases + 18 })
    }))
})
