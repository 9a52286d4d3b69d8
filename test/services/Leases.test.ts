/** Renewals over real SQL: what extends a lease, what ends it, and who gets the task back. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { Leases } from "../../src/services/lease/Leases.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { CurrentCost, Database, noCost } from "../../src/sql/Database.ts"
import { ServicesLayer, servicesWith } from "../support/layers.ts"

const id = TaskId.make
const machine = OrchestratorId.make("k-m")
const claim = (agent_name: string, rest: object = {}) => ({
  orchestrator_id: machine,
  agent_name,
  lease_duration_seconds: 60,
  ...rest
})
const millis = (time: DateTime.Utc | null) => time === null ? null : DateTime.toEpochMillis(time)

const setup = Effect.fnUntraced(function*(rest: object = {}) {
  const tasks = yield* TaskQueue
  const leases = yield* Leases
  const machines = yield* Orchestrators
  const { batch, sql } = yield* Database
  yield* machines.register("red", { cluster: "k", machine_id: "m" })
  yield* tasks.create("red", { id: id("a"), file_path: "a", branch: "b", ...rest })
  const held = yield* tasks.claim("red", claim("ann"))
  const renew = (fencing_token: number, more: object = {}) =>
    leases.renew(id("a"), { fencing_token, ...more }, undefined)
  const lost = (fencing_token: number, more: object = {}) =>
    Effect.map(
      Effect.flip(renew(fencing_token, more)),
      (error) => error._tag === "LeaseLost" ? error.reason : error._tag
    )
  /** The counters of the queues, and a count of the tasks: they are equal after any change. */
  const counted = Effect.gen(function*() {
    const [[kept] = [], real = []] = yield* batch([
      sql`SELECT counts FROM queue_counts WHERE scope = 'red'`,
      sql`SELECT queue, count(*) AS n FROM tasks WHERE scope = 'red' GROUP BY queue`
    ])
    const counts = Object.entries(JSON.parse(String(kept?.counts)) as Record<string, number>).filter(([, n]) => n !== 0)
    assert.deepStrictEqual(Object.fromEntries(counts), Object.fromEntries(real.map(({ n, queue }) => [queue, n])))
  })
  const events = Effect.map(tasks.history(id("a"), undefined), ({ history }) => history.map(({ event }) => event))
  return { tasks, leases, machines, held, token: held.fencing_token!, renew, lost, counted, events, batch, sql }
})

describe("Leases.renew", () => {
  it.effect("extends a lease as requested, never shortens it, and is no change of the task", () =>
    Effect.gen(function*() {
      const { events, held, renew, tasks, token } = yield* setup()
      assert.strictEqual(held.renew_after_seconds, 20)
      yield* TestClock.adjust("20 seconds")
      const renewed = yield* renew(token)
      assert.deepInclude(renewed, {
        task_id: id("a"),
        fencing_token: token,
        deadline_at: null,
        renew_after_seconds: 20,
        directive: "continue",
        cancel_reason: null,
        checkpoint_version: null,
        reattached: false
      })
      assert.strictEqual(millis(renewed.lease_expires_at), 80_000)
      assert.strictEqual(millis((yield* renew(token, { lease_duration_seconds: 1 })).lease_expires_at), 80_000)
      assert.strictEqual(millis((yield* renew(token, { lease_duration_seconds: 60.5 })).lease_expires_at), 80_500)
      const task = yield* tasks.get(id("a"), undefined)
      assert.deepInclude(task, { version: held.version, updated_at: held.updated_at, claimed_by: "ann" })
      assert.deepStrictEqual(yield* events, ["created", "claimed"])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("is refused with any other token, and for a task that is not within reach", () =>
    Effect.gen(function*() {
      const { leases, lost, tasks, token } = yield* setup()
      const before = yield* tasks.get(id("a"), undefined)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* lost(token - 1), "taken")
      assert.strictEqual(yield* lost(token + 1), "taken")
      assert.strictEqual(yield* lost(token, { lease_duration_seconds: 0.5 }), "InvalidTask")
      assert.strictEqual(yield* lost(token, { lease_duration_seconds: 86_401 }), "InvalidTask")
      for (const scope of ["blue", "red"]) {
        const error = yield* Effect.flip(
          leases.renew(id(scope === "blue" ? "a" : "x"), { fencing_token: token }, scope)
        )
        assert.strictEqual(error._tag, "TaskNotFound")
      }
      assert.deepStrictEqual(yield* tasks.get(id("a"), undefined), before)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("answers what happened to the task", () =>
    Effect.gen(function*() {
      const { batch, lost, sql, tasks, token } = yield* setup()
      yield* tasks.requeue(id("a"), {}, undefined)
      assert.strictEqual(yield* lost(token), "moved")
      assert.strictEqual(yield* lost(token + 1), "moved")
      yield* tasks.claim("red", claim("bob"))
      assert.strictEqual(yield* lost(token), "taken")
      yield* tasks.fail(id("a"), { reason: "r" }, undefined)
      assert.strictEqual(yield* lost(token + 1), "failed")
      yield* batch([sql`UPDATE tasks SET queue = 'cancelled' WHERE id = 'a'`])
      assert.strictEqual(yield* lost(token + 1), "cancelled")
      yield* tasks.force(id("a"), { queue: "done", reason: "r" }, undefined)
      assert.strictEqual(yield* lost(token + 1), "finished")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("keeps an expired lease that was not taken back yet", () =>
    Effect.gen(function*() {
      const { counted, events, leases, renew, tasks, token } = yield* setup()
      yield* TestClock.adjust("59999 millis")
      assert.strictEqual(yield* leases.reap, 0)
      yield* TestClock.adjust("1 millis")
      assert.deepInclude(yield* renew(token), { reattached: false })
      assert.strictEqual(yield* leases.reap, 0, "it was renewed")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* leases.reap, 1, "a lease is over at the instant it ends")
      assert.deepInclude(yield* tasks.get(id("a"), undefined), { queue: "incoming", lease_losses: 1 })
      assert.deepStrictEqual(yield* events, ["created", "claimed", "lease_expired"])
      yield* counted
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("gives a task that was taken back to its last holder, under the same token", () =>
    Effect.gen(function*() {
      const { counted, events, held, leases, renew, tasks, token } = yield* setup()
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      const lapsed = yield* tasks.get(id("a"), undefined)
      assert.deepInclude(lapsed, { queue: "incoming", claimed_by: null, fencing_token: null })
      const again = yield* renew(token)
      assert.deepInclude(again, { reattached: true, fencing_token: token, renew_after_seconds: 20 })
      assert.strictEqual(millis(again.lease_expires_at), 121_000)
      const task = yield* tasks.get(id("a"), undefined)
      assert.deepInclude(task, {
        queue: "claimed",
        claimed_by: "ann",
        claimed_at: held.claimed_at,
        orchestrator_id: machine,
        fencing_token: token,
        version: lapsed.version + 1,
        attempt_count: 1,
        lease_losses: 1
      })
      assert.deepStrictEqual(yield* events, ["created", "claimed", "lease_expired", "reattached"])
      yield* counted
      assert.isFalse((yield* renew(token)).reattached, "once")
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      assert.isTrue((yield* renew(token)).reattached, "and again after the next loss")
      yield* counted
      const submitted = yield* tasks.submit(
        id("a"),
        { commits_count: 1, turns_used: 1, fencing_token: token },
        undefined
      )
      assert.strictEqual(submitted.queue, "provisional")
      yield* counted
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("gives an expired lease back to no other token, and records nothing", () =>
    Effect.gen(function*() {
      const { counted, events, leases, lost, renew, tasks, token } = yield* setup()
      yield* TestClock.adjust("60 seconds")
      yield* leases.reap
      const { fencing_token } = yield* tasks.claim("red", claim("bob"))
      yield* TestClock.adjust("60 seconds")
      yield* leases.reap
      const before = yield* tasks.get(id("a"), undefined)
      const recorded = yield* events
      for (const other of [token, fencing_token! + 1]) {
        yield* lost(other)
        assert.deepStrictEqual(yield* tasks.get(id("a"), undefined), before)
        assert.deepStrictEqual(yield* events, recorded)
        yield* counted
      }
      assert.isTrue((yield* renew(fencing_token!)).reattached)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("is refused if someone else was granted the task, or moved or ended it", () =>
    Effect.gen(function*() {
      const { counted, leases, lost, tasks, token } = yield* setup()
      yield* TestClock.adjust("61 seconds")
      const bob = yield* tasks.claim("red", claim("bob"))
      assert.strictEqual(yield* lost(token), "taken")
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      assert.strictEqual(yield* lost(token), "moved", "bob may have it back, ann may not")
      yield* tasks.patch(id("a"), { queue: "needs_continuation" }, undefined)
      assert.strictEqual(yield* lost(bob.fencing_token!), "moved")
      const carol = yield* tasks.claim("red", claim("carol", { queue: "needs_continuation" }))
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      yield* tasks.accept(id("a"), { accepted_by: "x" }, undefined)
      assert.strictEqual(yield* lost(carol.fencing_token!), "finished")
      yield* counted
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("restores the queue that the task was claimed from", () =>
    Effect.gen(function*() {
      const { counted, leases, renew, tasks, token } = yield* setup()
      yield* tasks.patch(id("a"), { queue: "needs_continuation" }, undefined)
      yield* tasks.claim("red", claim("bob", { queue: "needs_continuation" }))
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      assert.isTrue((yield* renew(token + 1)).reattached)
      yield* counted
      assert.strictEqual((yield* tasks.requeue(id("a"), {}, undefined)).queue, "needs_continuation")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("renews the lease of a review, which has no deadline and is never re-attached", () =>
    Effect.gen(function*() {
      const { events, leases, lost, renew, tasks, token } = yield* setup({ max_attempt_seconds: 100 })
      yield* tasks.submit(id("a"), { commits_count: 1, turns_used: 1 }, undefined)
      const review = yield* tasks.claim("red", claim("rev", { queue: "provisional", max_attempt_seconds: 10 }))
      assert.strictEqual(review.deadline_at, null)
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(millis((yield* renew(token + 1)).lease_expires_at), 110_000)
      assert.strictEqual((yield* tasks.get(id("a"), undefined)).queue, "provisional")
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      assert.strictEqual(yield* lost(token + 1), "moved")
      assert.strictEqual((yield* events).at(-1), "review_lease_expired")
    }).pipe(Effect.provide(ServicesLayer)))
})

describe("a deadline", () => {
  it.effect("limits the lease, ends the attempt, and counts as no lost lease", () =>
    Effect.gen(function*() {
      const { counted, events, held, leases, lost, renew, tasks, token } = yield* setup({ max_attempt_seconds: 90 })
      assert.deepStrictEqual([millis(held.lease_expires_at), millis(held.deadline_at)], [60_000, 90_000])
      yield* TestClock.adjust("50 seconds")
      const renewed = yield* renew(token)
      assert.deepStrictEqual([millis(renewed.lease_expires_at), millis(renewed.deadline_at)], [90_000, 90_000])
      assert.strictEqual(renewed.renew_after_seconds, 13)
      yield* TestClock.adjust("39999 millis")
      assert.strictEqual(millis((yield* renew(token)).lease_expires_at), 90_000)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* lost(token), "deadline_exceeded", "also before it is taken back")
      assert.strictEqual(yield* leases.reap, 1)
      const task = yield* tasks.get(id("a"), undefined)
      assert.deepInclude(task, { queue: "incoming", attempt_count: 1, lease_losses: 0, deadline_at: null })
      assert.strictEqual((yield* events).at(-1), "deadline_exceeded")
      yield* counted
      const late = yield* Effect.flip(
        tasks.submit(id("a"), { commits_count: 1, turns_used: 1, fencing_token: token }, undefined)
      )
      assert.strictEqual(late._tag, "LeaseLost")
      assert.notStrictEqual(yield* lost(token), "TaskNotFound")
      yield* tasks.claim("red", claim("bob"))
      assert.strictEqual(yield* lost(token), "taken")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("ends the attempt of an expired lease too", () =>
    Effect.gen(function*() {
      const { events, leases, lost, renew, tasks, token } = yield* setup({ max_attempt_seconds: 90 })
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      yield* TestClock.adjust("29999 millis")
      const back = yield* renew(token)
      assert.isTrue(back.reattached)
      assert.deepStrictEqual([millis(back.lease_expires_at), millis(back.deadline_at)], [90_000, 90_000])
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* leases.reap, 1)
      assert.deepStrictEqual((yield* events).slice(-2), ["reattached", "deadline_exceeded"])
      yield* tasks.claim("red", claim("bob"))
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* leases.reap, 1)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(yield* lost(token + 1), "deadline_exceeded")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("is the shorter of the limits of task and claim, or else that of the server", () =>
    Effect.gen(function*() {
      const { tasks } = yield* setup()
      const deadline = Effect.fnUntraced(function*(name: string, own: object, asked: object) {
        yield* tasks.create("red", { id: id(name), file_path: name, branch: "b", ...own })
        return millis((yield* tasks.claim("red", claim("ann", asked))).deadline_at)
      })
      assert.strictEqual(yield* deadline("default", {}, {}), 7_000)
      assert.strictEqual(yield* deadline("task", { max_attempt_seconds: 30 }, {}), 30_000)
      assert.strictEqual(yield* deadline("claim", {}, { max_attempt_seconds: 20 }), 20_000)
      assert.strictEqual(yield* deadline("first", { max_attempt_seconds: 5 }, { max_attempt_seconds: 20 }), 5_000)
      const byHand = yield* tasks.create("red", { id: id("h"), file_path: "h", branch: "b", queue: "claimed" })
      assert.deepStrictEqual([millis(byHand.deadline_at), millis(byHand.lease_expires_at)], [7_000, 7_000])
      yield* tasks.create("red", { id: id("p"), file_path: "p", branch: "b" })
      const patched = yield* tasks.patch(id("p"), { queue: "claimed", claimed_by: "eve" }, undefined)
      assert.deepStrictEqual([millis(patched.deadline_at), millis(patched.lease_expires_at)], [7_000, 7_000])
      assert.strictEqual(yield* deadline("second", { max_attempt_seconds: 25 }, { max_attempt_seconds: 20 }), 20_000)
    }).pipe(Effect.provide(servicesWith({ MAX_ATTEMPT_SECONDS: "7" }))))
})

describe("a checkpoint", () => {
  it.effect("is saved with a renewal, has a version, and reaches the next agent", () =>
    Effect.gen(function*() {
      const { leases, lost, renew, tasks, token } = yield* setup()
      const empty = yield* tasks.handoff(id("a"), undefined)
      assert.deepStrictEqual(empty, {
        task_id: id("a"),
        checkpoint: null,
        setbacks: [],
        answers: [],
        last_rejection_reason: null,
        execution_notes: null,
        check_results: null
      })
      yield* TestClock.adjust("1 second")
      const checkpoint = { branch: "agent/1", notes: "half \u0000 done 😀", open_questions: ["which?"] }
      assert.strictEqual((yield* renew(token, { checkpoint })).checkpoint_version, 1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(
        (yield* renew(token, { checkpoint: { ...checkpoint, head_commit: "abc" } })).checkpoint_version,
        2
      )
      assert.strictEqual((yield* renew(token)).checkpoint_version, 2)
      assert.strictEqual(yield* lost(token - 1, { checkpoint: { notes: "stale" } }), "taken")
      const written = (yield* tasks.handoff(id("a"), undefined)).checkpoint!
      assert.deepStrictEqual(
        { ...written, at: millis(written.at) },
        { ...checkpoint, head_commit: "abc", version: 2, fencing_token: token, at: 2000 }
      )
      yield* TestClock.adjust("61 seconds")
      yield* leases.reap
      assert.strictEqual((yield* renew(token, { checkpoint: { notes: "back" } })).checkpoint_version, 3)
      yield* tasks.reject(id("a"), { reason: "no", rejected_by: "x" }, undefined)
      assert.strictEqual(yield* lost(token, { checkpoint: { notes: "stale" } }), "moved")
      const { handoff } = yield* tasks.claim("red", claim("bob"))
      assert.deepInclude(handoff, { last_rejection_reason: "no" })
      assert.deepInclude(handoff.checkpoint, { notes: "back", branch: null, open_questions: [], version: 3 })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("is refused when it is larger than 16 KiB of JSON, and so is the renewal", () =>
    Effect.gen(function*() {
      const { renew, tasks, token } = yield* setup()
      yield* TestClock.adjust("1 second")
      const frame = "{\"branch\":null,\"head_commit\":null,\"notes\":\"\",\"open_questions\":[]}".length
      const error = yield* Effect.flip(renew(token, { checkpoint: { notes: "ü".repeat((16_384 - frame) / 2 + 1) } }))
      assert.strictEqual(error._tag, "CheckpointTooLarge")
      assert.strictEqual(millis((yield* tasks.get(id("a"), undefined)).lease_expires_at), 60_000)
      yield* renew(token, { checkpoint: { notes: "x".repeat(16_384 - frame) } })
    }).pipe(Effect.provide(ServicesLayer)))
})

describe("a renewal's directive", () => {
  it.effect("is cancel after a cancellation, pause in maintenance, and otherwise continue", () =>
    Effect.gen(function*() {
      const { batch, machines, renew, sql, token } = yield* setup()
      yield* machines.setStatus(machine, "maintenance", undefined)
      assert.deepInclude(yield* renew(token), { directive: "pause", cancel_reason: null })
      yield* batch([sql`UPDATE tasks SET cancel_requested_at = 0, cancel_reason = 'wrong' WHERE id = 'a'`])
      assert.deepInclude(yield* renew(token), { directive: "cancel", cancel_reason: "wrong" })
      yield* machines.setStatus(machine, "active", undefined)
      assert.deepInclude(yield* renew(token), { directive: "cancel", cancel_reason: "wrong" })
      yield* batch([sql`UPDATE tasks SET cancel_requested_at = NULL WHERE id = 'a'`])
      assert.deepInclude(yield* renew(token), { directive: "continue", cancel_reason: null })
    }).pipe(Effect.provide(ServicesLayer)))
})

describe("Orchestrators.renew", () => {
  it.effect("renews a hundred leases in one round trip, and says why others are lost", () =>
    Effect.gen(function*() {
      const { counted, machines, tasks, token } = yield* setup()
      const held = yield* Effect.forEach(
        Array.from({ length: 99 }, (_, i) => id(`t${i}`)),
        Effect.fnUntraced(function*(name) {
          yield* tasks.create("red", { id: name, file_path: name, branch: "b" })
          return yield* tasks.claim("red", claim("ann", { lease_duration_seconds: 120 }))
        })
      )
      const all = [
        { task_id: id("a"), fencing_token: token },
        ...held.map((task) => ({
          task_id: task.id,
          fencing_token: task.fencing_token!
        }))
      ]
      yield* TestClock.adjust("90 seconds")
      const cost = noCost()
      const { last_heartbeat, renewals } = yield* machines.renew(machine, undefined, all).pipe(
        Effect.provideService(CurrentCost, cost)
      )
      assert.strictEqual(cost.trips, 1)
      assert.strictEqual(millis(last_heartbeat), 90_000)
      assert.deepStrictEqual(renewals.renewed.map(({ task_id }) => task_id), all.map(({ task_id }) => task_id))
      assert.deepStrictEqual([renewals.lost, renewals.renew_after_seconds], [[], 20])
      assert.isTrue(renewals.directives.every(({ directive, reason }) => directive === "continue" && reason === null))
      yield* TestClock.adjust("60 seconds")
      yield* tasks.create("red", { id: id("z"), file_path: "z", branch: "b" })
      yield* tasks.claim("red", claim("bob"))
      yield* tasks.accept(id("t0"), { accepted_by: "x" }, undefined)
      yield* machines.setStatus(machine, "maintenance", undefined)
      const later = (yield* machines.renew(machine, "red", [
        { task_id: id("t1"), fencing_token: 7 },
        ...all,
        { task_id: id("nowhere"), fencing_token: 1 }
      ])).renewals
      assert.strictEqual(later.renewed.length + later.lost.length, all.length + 2)
      assert.deepStrictEqual(
        later.lost.map(({ claimed_by, queue, reason, task_id }) => [task_id, reason, queue, claimed_by]).toSorted(),
        [
          ["a", "taken", "claimed", "bob"],
          ["nowhere", "not_found", null, null],
          ["t0", "finished", "done", null],
          ["t1", "taken", "claimed", "ann"]
        ]
      )
      assert.isTrue(later.directives.every(({ directive }) => directive === "pause"))
      yield* counted
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("re-attaches expired leases of several scopes, and updates the counters", () =>
    Effect.gen(function*() {
      const { counted, leases, machines, tasks, token } = yield* setup()
      yield* machines.register("blue", { cluster: "k", machine_id: "m" })
      yield* tasks.create("blue", { id: id("b"), file_path: "b", branch: "b" })
      yield* tasks.claim("blue", claim("ann"))
      yield* tasks.create("red", { id: id("c"), file_path: "c", branch: "b" })
      yield* tasks.claim("red", claim("ann", { lease_duration_seconds: 600 }))
      yield* TestClock.adjust("61 seconds")
      assert.strictEqual(yield* leases.reap, 2)
      const all = ["a", "b", "c"].map((name) => ({ task_id: id(name), fencing_token: token }))
      const narrow = (yield* machines.renew(machine, "blue", all)).renewals
      assert.deepStrictEqual(narrow.renewed.map(({ reattached, task_id }) => [task_id, reattached]), [["b", true]])
      assert.deepStrictEqual(narrow.lost.map(({ reason }) => reason), ["not_found", "not_found"])
      const { renewed } = (yield* machines.renew(machine, undefined, all)).renewals
      assert.deepStrictEqual(
        renewed.map(({ reattached, task_id }) => [task_id, reattached]),
        [["a", true], ["b", false], ["c", false]]
      )
      yield* counted
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("uses the last entry of a lease that is named twice, and renews nothing for an unknown machine", () =>
    Effect.gen(function*() {
      const { leases, machines, tasks, token } = yield* setup()
      const twice = [30, 90].map((lease_duration_seconds) => ({
        task_id: id("a"),
        fencing_token: token,
        lease_duration_seconds
      }))
      const unknown = yield* Effect.flip(machines.renew(OrchestratorId.make("x"), undefined, twice))
      assert.strictEqual(unknown._tag, "OrchestratorNotFound")
      assert.strictEqual(millis((yield* tasks.get(id("a"), undefined)).lease_expires_at), 60_000)
      const { renewals: { lost, refused, renewed } } = yield* machines.renew(machine, undefined, [
        ...twice,
        { task_id: id("a"), fencing_token: token + 1 }
      ])
      assert.deepStrictEqual(renewed.map(({ lease_expires_at }) => millis(lease_expires_at)), [90_000])
      assert.deepStrictEqual(lost.map(({ fencing_token, reason }) => [fencing_token, reason]), [[token + 1, "taken"]])
      assert.deepStrictEqual(refused.map(({ fencing_token, task_id }) => [task_id, fencing_token]), [["a", token]])
      yield* TestClock.adjust("100 seconds")
      yield* leases.reap
      yield* Effect.flip(machines.renew(OrchestratorId.make("x"), undefined, twice))
      assert.strictEqual((yield* tasks.get(id("a"), undefined)).queue, "incoming", "nor is anything given back")
      const again =
        (yield* machines.renew(machine, undefined, [...twice, { task_id: id("a"), fencing_token: 9 }])).renewals
      assert.deepStrictEqual([again.renewed.length, again.lost.map(({ fencing_token }) => fencing_token)], [1, [9]])
    }).pipe(Effect.provide(ServicesLayer)))
})
