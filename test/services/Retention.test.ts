/** What leaves by age, what stays, and how little of it goes at a time. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { integrity } from "../../scripts/data/doctor/Integrity.ts"
import { type MessageId, OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import { NewMessage } from "../../src/domain/record/Message.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { Maintenance } from "../../src/services/Maintenance.ts"
import { Messages } from "../../src/services/record/Messages.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"
import { servicesWith } from "../support/layers.ts"

const claim = { orchestrator_id: OrchestratorId.make("k-m"), agent_name: "ann", lease_duration_seconds: 60 }
const id = (name: string) => TaskId.make(name)

const create = (name: string, rest: object = {}) =>
  TaskQueue.use((tasks) => tasks.create("red", { id: id(name), file_path: name, branch: "b", ...rest }))
const finish = (name: string, queue: "done" | "failed" | "cancelled" = "done") =>
  TaskQueue.use((tasks) => tasks.force(id(name), { queue, reason: "r" }, undefined))
const mail = (content: string, rest: object = {}) =>
  Messages.use(({ send }) =>
    send("red", {
      ...Schema.decodeSync(NewMessage)({ task_id: "t", from_actor: "ann", type: "comment", content }),
      ...rest
    })
  )
const status = (id: MessageId, status: "processing" | "done") =>
  Messages.use(({ patch }) => patch(id, { status }, undefined))
const tick = Maintenance.use(({ tick }) => tick)

const all = Effect.fnUntraced(function*(text: string) {
  const { batch, sql } = yield* Database
  return (yield* batch([sql.unsafe(text)]))[0]!.map((row) => Object.values(row).join(" "))
})
const tasks = all("SELECT id FROM tasks ORDER BY id")
const holds = Effect.forEach(
  integrity,
  ({ name, sql }) => Effect.map(all(sql), (found) => assert.deepStrictEqual(found, [], name))
)

/** Ticks until a day of them would do no more. */
const settle = Effect.forEach(
  Array.from({ length: 3 * 24 }),
  () => Effect.andThen(TestClock.adjust("1 hour"), Effect.repeat(tick, { times: 5 })),
  { discard: true }
)

describe("retention", () => {
  it.effect("keeps everything by default", () =>
    Effect.gen(function*() {
      yield* create("a")
      yield* finish("a")
      yield* mail("hello")
      yield* TestClock.adjust("9999 days")
      yield* settle
      assert.deepStrictEqual(yield* tasks, ["a"])
      assert.lengthOf(yield* all("SELECT version FROM history"), 2)
      assert.lengthOf(yield* all("SELECT seq FROM messages WHERE content = 'hello'"), 1)
      assert.deepStrictEqual(yield* all("SELECT name FROM sweeps WHERE name <> 'projects'"), [])
    }).pipe(Effect.provide(servicesWith({}), { local: true })))

  it.effect("removes an old finished task, unless an open task depends on it", () =>
    Effect.gen(function*() {
      for (const name of ["cancelled", "done", "failed", "open", "TASK-twin", "twin", "needed", "stuck"]) {
        yield* create(name)
      }
      yield* create("follower", { blocked_by: "needed,stuck" })
      yield* create("over", { depends_on: [{ task_id: id("done"), on_failure: "wait" }] })
      yield* create("late")
      for (const name of ["done", "needed", "over", "twin"]) yield* finish(name)
      for (const name of ["failed", "stuck"] as const) yield* finish(name, "failed")
      yield* TaskQueue.use((tasks) => tasks.cancel(id("cancelled"), {}, undefined))
      yield* TestClock.adjust("10 days")
      yield* finish("late")
      yield* TestClock.adjust("20 days")
      yield* TestClock.adjust("-1 millis")
      yield* tick
      assert.include(yield* tasks, "done", "a millisecond early")
      yield* settle
      yield* holds
      assert.deepStrictEqual(yield* tasks, ["TASK-twin", "follower", "late", "needed", "open", "stuck"])
      assert.deepStrictEqual(
        yield* all(
          "SELECT event, from_queue, actor, version FROM history WHERE task_id = 'done' ORDER BY version DESC LIMIT 1"
        ),
        ["deleted done retention 3"]
      )
      assert.deepStrictEqual(
        yield* all("SELECT key, value FROM queue_counts, json_each(counts) WHERE value <> 0 ORDER BY key"),
        ["done 2", "failed 1", "incoming 3"]
      )
      yield* finish("follower")
      yield* TestClock.adjust("30 days")
      yield* settle
      yield* settle
      yield* holds
      assert.deepStrictEqual(yield* tasks, ["TASK-twin", "open"])
    }).pipe(Effect.provide(servicesWith({ RETAIN_FINISHED_TASKS_DAYS: "30" }), { local: true })))

  it.effect("shortens the history of finished tasks to the newest entry, and later entries continue its versions", () =>
    Effect.gen(function*() {
      yield* Orchestrators.use(({ register }) => register("red", { cluster: "k", machine_id: "m" }))
      for (const name of ["gone", "done", "open"]) {
        yield* create(name)
        const granted = yield* TaskQueue.use((tasks) => tasks.claim("red", claim))
        assert.strictEqual(granted.fencing_token, 1)
      }
      yield* finish("done")
      yield* TaskQueue.use((tasks) => tasks.remove(id("gone"), undefined))
      yield* TestClock.adjust("8 days")
      yield* settle
      yield* holds
      assert.deepStrictEqual(
        yield* all("SELECT task_id, version, event, grants FROM history WHERE task_id <> 'open'"),
        ["done 3 force_queue 1", "gone 3 deleted 1"]
      )
      const kept = yield* all("SELECT event FROM history WHERE task_id = 'open' ORDER BY version")
      assert.deepStrictEqual(kept, ["created", "claimed", "lease_expired"])
      yield* create("gone", { priority: "P0" })
      const again = yield* TaskQueue.use((tasks) => tasks.claim("red", claim))
      assert.deepStrictEqual([again.id, again.version, again.fencing_token], [id("gone"), 5, 2])
      yield* holds
    }).pipe(
      Effect.provide(servicesWith({ RETAIN_HISTORY_DAYS: "7", UNCLAIMABLE_AFTER_SECONDS: "0" }), { local: true })
    ))

  it.effect("removes the oldest messages, as many as configured in a minute", () =>
    Effect.gen(function*() {
      for (let i = 0; i < 8; i++) {
        yield* mail(`${i}`)
        yield* TestClock.adjust("1 hour")
      }
      const left = Effect.map(all("SELECT content FROM messages ORDER BY seq"), (each) => each.join(""))
      yield* TestClock.adjust("20 hours")
      const seen = yield* Effect.forEach(Array.from({ length: 4 }), () => Effect.andThen(tick, left))
      // The messages of the first hours are a day old by now, two a minute.
      assert.deepStrictEqual(seen, ["234567", "4567", "567", "567"])
      yield* settle
      assert.strictEqual(yield* left, "")
    }).pipe(Effect.provide(servicesWith({ RETAIN_MESSAGES_DAYS: "1", RETAIN_PER_MINUTE: "2" }), { local: true })))

  it.effect("keeps messages that are not done, are about open tasks, or have replies", () =>
    Effect.gen(function*() {
      const to = { to_actor: "bob" }
      yield* create("open")
      yield* mail("said to nobody")
      yield* mail("not read yet", to)
      const [begun, dealt] = [yield* mail("begun", to), yield* mail("dealt with", to)]
      yield* mail("about open work", { task_id: "open" })
      const question = yield* mail("question")
      const answer = yield* mail("answer", { ...to, parent_message_id: question.id })
      yield* status(begun.id, "processing")
      yield* status(dealt.id, "done")
      yield* TestClock.adjust("2 days")
      yield* settle
      const left = all("SELECT content FROM messages WHERE content <> 'r' ORDER BY seq")
      const unread = "not read yet"
      assert.deepStrictEqual(yield* left, [unread, "begun", "about open work", "question", "answer"])
      yield* holds
      yield* status(answer.id, "done")
      yield* finish("open")
      yield* settle
      assert.deepStrictEqual(yield* left, [unread, "begun"])
      yield* holds
    }).pipe(Effect.provide(servicesWith({ RETAIN_MESSAGES_DAYS: "1" }), { local: true })))

  it.effect("works through a long backlog in many small steps, and keeps every invariant", () =>
    Effect.gen(function*() {
      const names = Array.from({ length: 47 }, (_, i) => `t${String(i).padStart(2, "0")}`)
      for (const [i, name] of names.entries()) {
        yield* create(name)
        for (let n = 0; n < i % 4; n++) yield* finish(name, "failed")
        if (i % 4 > 0) yield* finish(name)
      }
      yield* TestClock.adjust("2 days")
      const size = all("SELECT (SELECT count(*) FROM tasks), (SELECT count(*) FROM history)")
      let [before = ""] = yield* size
      for (let minute = 0; minute < 60; minute++) {
        yield* tick
        const [after = ""] = yield* size
        const [tasksLess, historyLess] = before.split(" ").map((n, i) => Number(n) - Number(after.split(" ")[i]))
        assert.isAtMost(tasksLess!, 3)
        // What leaves of the tasks is written down in history.
        assert.isAtMost(historyLess! + tasksLess!, 30)
        yield* holds
        before = after
        yield* TestClock.adjust("1 minute")
      }
      yield* settle
      yield* holds
      assert.deepStrictEqual(yield* tasks, names.filter((_, i) => i % 4 === 0))
      assert.lengthOf(yield* all("SELECT task_id FROM history"), 47)
    }).pipe(
      Effect.provide(
        servicesWith({
          RETAIN_FINISHED_TASKS_DAYS: "1",
          RETAIN_HISTORY_DAYS: "1",
          RETAIN_PER_MINUTE: "3",
          UNCLAIMABLE_AFTER_SECONDS: "0"
        }),
        { local: true }
      )
    ))

  it.effect("remembers idempotency keys as long as configured", () =>
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      yield* batch([sql`INSERT INTO idempotency_keys (id, fingerprint, answer, at) VALUES ('000', 'f', '[]', 0)`])
      yield* TestClock.adjust("47 hours")
      const minutes = Effect.forEach(Array.from({ length: 1440 }), () =>
        Effect.andThen(tick, TestClock.adjust("1 minute")))
      yield* tick
      assert.lengthOf(yield* all("SELECT id FROM idempotency_keys"), 1)
      yield* TestClock.adjust("1 hour")
      yield* minutes
      assert.lengthOf(yield* all("SELECT id FROM idempotency_keys"), 0)
    }).pipe(Effect.provide(servicesWith({ RETAIN_IDEMPOTENCY_HOURS: "48" }), { local: true })))
})
