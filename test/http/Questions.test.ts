/** A question holds its task until someone replies. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { migrated } from "../support/layers.ts"
import * as server from "../support/server.ts"

const start = Effect.gen(function*() {
  const { db } = migrated()
  const { send } = yield* server.make({ BACKOFF_SECONDS: "60" }, () => db)
  const post = (path: string, body: unknown = {}, headers?: Record<string, string>) =>
    send("POST", `/api/v1/${path}`, body, headers)
  const get = (path: string) => Effect.map(send("GET", `/api/v1/${path}`), ({ body }) => body)
  yield* post("orchestrators/register", { cluster: "k", machine_id: "m" })
  yield* post("tasks", { id: "a", file_path: "a", branch: "b" })
  const claim = (rest: object = {}) =>
    post("tasks/claim", { orchestrator_id: "k-m", agent_name: "ann", lease_duration_seconds: 60, ...rest })
  const { fencing_token } = (yield* claim()).body
  const question = { task_id: "a", from_actor: "ann", to_actor: "eve", type: "question", content: "Red or blue?" }
  const ask = (rest: object = {}, headers?: Record<string, string>) =>
    post("messages", { ...question, hold: true, fencing_token, ...rest }, headers)
  const reply = (parent: string, rest: object = {}, headers?: Record<string, string>) =>
    post("messages", {
      task_id: "a",
      from_actor: "eve",
      type: "comment",
      content: "Blue.",
      parent_message_id: parent,
      ...rest
    }, headers)
  const last = Effect.map(get("tasks/a/history"), ({ history }) => history.at(-1))
  return { ask, claim, fencing_token, get, last, post, reply, send }
})

const key = (name: string) => ({ "idempotency-key": name })

describe("a question that holds its task", () => {
  it.effect("is in the overview as long as the task waits, also if it is to one person or done", () =>
    Effect.gen(function*() {
      const { ask, get, reply, send } = yield* start
      const { id } = (yield* ask()).body
      const open = Effect.map(get("overview"), ({ questions }) => [questions.total, ...questions.items])
      const [total, question] = yield* open
      assert.strictEqual(total, 1)
      assert.deepInclude(question, { id, task_id: "a", from_actor: "ann", content: "Red or blue?" })
      assert.strictEqual((yield* send("PATCH", `/api/v1/messages/${id}`, { status: "done" })).status, 200)
      assert.strictEqual((yield* open)[0], 1)
      yield* reply(id)
      assert.deepStrictEqual(yield* open, [0])
    }))

  it.effect("is in the overview once if it is to a person in general", () =>
    Effect.gen(function*() {
      const { ask, get } = yield* start
      yield* ask({ to_actor: "human" })
      assert.strictEqual((yield* get("overview")).questions.total, 1)
    }))

  it.effect("ends the lease without an attempt, and the reply frees the task with the answer in the handoff", () =>
    Effect.gen(function*() {
      const { ask, claim, fencing_token, get, last, post, reply } = yield* start
      const asked = yield* ask()
      assert.strictEqual(asked.status, 201)
      const { id } = asked.body
      assert.deepInclude(yield* get("tasks/a"), {
        queue: "incoming",
        claimed_by: null,
        attempt_count: 0,
        waiting_for_reply: id
      })
      const { actor, details, event, reason } = yield* last
      assert.deepStrictEqual([event, actor, reason, details], ["asked", "ann", "Red or blue?", {
        message_id: id,
        to_actor: "eve"
      }])
      yield* TestClock.adjust("1 day")
      const empty = yield* claim()
      assert.deepInclude(empty.body, { reason: "waiting_for_reply" })
      assert.strictEqual(empty.body.waiting.waiting_for_reply, 1)
      const { claimable, reasons } = yield* get("tasks/a/explain")
      assert.isFalse(claimable)
      assert.deepInclude(reasons[0], { reason: "waiting_for_reply", message_id: id })
      assert.strictEqual((yield* post("tasks/a/renew", { fencing_token })).status, 409)

      const answer = yield* reply(id)
      assert.strictEqual(answer.status, 201)
      assert.deepInclude(yield* last, { event: "answered", actor: "eve", reason: "Blue." })
      const again = (yield* claim()).body
      assert.deepInclude(again, { id: "a", attempt_count: 0, waiting_for_reply: null, available_at: null })
      assert.deepStrictEqual(again.handoff.answers, [{
        question_id: id,
        question: "Red or blue?",
        asked_by: "ann",
        reply_id: answer.body.id,
        answer: "Blue.",
        answered_by: "eve",
        at: "1970-01-02T00:00:00.000Z"
      }])
      const { events } = yield* get("events?types=asked,answered")
      assert.deepStrictEqual(events.map(({ event }: { event: string }) => event), ["asked", "answered"])
    }))

  it.effect("needs the token of the holder, and a refused one stores no message", () =>
    Effect.gen(function*() {
      const { ask, fencing_token, get } = yield* start
      for (
        const [rest, status] of [
          [{ fencing_token: fencing_token + 1 }, 409],
          [{ fencing_token: null }, 400],
          [{ type: "comment" }, 400],
          [{ task_id: "nobody" }, 404]
        ] as const
      ) assert.strictEqual((yield* ask(rest)).status, status, JSON.stringify(rest))
      assert.deepInclude(yield* get("tasks/a"), { queue: "claimed", waiting_for_reply: null })
      assert.strictEqual((yield* get("messages?scope=default")).total, 0)
    }))

  it.effect("is no reply: one that names a parent is refused by name, and nothing is stored", () =>
    Effect.gen(function*() {
      const { ask, get, post } = yield* start
      const { body } = yield* post("messages", { task_id: "a", from_actor: "eve", type: "comment", content: "Well?" })
      for (const parent_message_id of [body.id, "unknown"]) {
        const refused = yield* ask({ parent_message_id })
        assert.strictEqual(refused.status, 400)
        assert.deepInclude(refused.body, { _tag: "InvalidQuestion", field: "parent_message_id" })
        assert.include(refused.body.error, "parent_message_id:")
      }
      assert.deepInclude(yield* get("tasks/a"), { queue: "claimed", waiting_for_reply: null })
      assert.strictEqual((yield* get("messages?scope=default")).total, 1)
      assert.strictEqual((yield* ask({ parent_message_id: "" })).status, 201, "an empty one names none")
    }))

  it.effect("is asked and answered once under an idempotency key", () =>
    Effect.gen(function*() {
      const { ask, get, reply } = yield* start
      const first = yield* ask({}, key("q"))
      assert.strictEqual((yield* ask({}, key("q"))).body.id, first.body.id)
      const answer = yield* reply(first.body.id, {}, key("r"))
      assert.strictEqual((yield* reply(first.body.id, {}, key("r"))).body.id, answer.body.id)
      assert.strictEqual((yield* get("tasks/a")).version, 4)
      assert.strictEqual((yield* get("messages?scope=default")).total, 2)
      assert.lengthOf((yield* get("tasks/a/handoff")).answers, 1)
    }))

  it.effect("waits no longer when the task is cancelled, moved, given away or forced, and later replies change nothing", () =>
    Effect.gen(function*() {
      const { ask, claim, get, post, reply, send } = yield* start
      const ends = [
        post("tasks/a/cancel"),
        send("PATCH", "/api/v1/tasks/a", { queue: "needs_continuation" }),
        send("PATCH", "/api/v1/tasks/a", { claimed_by: "bob" }),
        post("tasks/a/force-queue", { queue: "incoming", reason: "r" }),
        post("tasks/a/fail", { reason: "r" })
      ]
      let { fencing_token } = yield* get("tasks/a")
      for (const end of ends) {
        const asked = yield* ask({ fencing_token })
        assert.strictEqual((yield* get("tasks/a")).waiting_for_reply, asked.body.id)
        yield* end
        const { version, waiting_for_reply } = yield* get("tasks/a")
        assert.isNull(waiting_for_reply)
        yield* reply(asked.body.id)
        assert.strictEqual((yield* get("tasks/a")).version, version)
        yield* post("tasks/a/force-queue", { queue: "incoming", reason: "again" })
        fencing_token = (yield* claim()).body.fencing_token
      }
      const asked = yield* ask({ fencing_token })
      yield* send("DELETE", "/api/v1/tasks/a")
      assert.strictEqual((yield* reply(asked.body.id)).status, 201)
    }))

  it.effect("about a task to be cancelled cancels it, and another question does not hold it", () =>
    Effect.gen(function*() {
      const { ask, get, post } = yield* start
      yield* post("tasks/a/cancel")
      yield* ask()
      assert.deepInclude(yield* get("tasks/a"), { queue: "cancelled", waiting_for_reply: null })
      yield* post("messages", { task_id: "a", from_actor: "x", type: "question", content: "?" })
      assert.deepInclude(yield* get("tasks/a"), { version: 4 })
    }))

  it.effect("is imported with the task that waits for its reply", () =>
    Effect.gen(function*() {
      const { ask, get, post, reply } = yield* start
      const { body: message } = yield* ask()
      const task = { ...(yield* get("tasks/a")), id: "b", file_path: "b", terminal: 0 }
      const imported = { ...message, id: `${message.id}2`, task_id: "b" }
      yield* post("scopes/other/import", { tasks: [{ ...task, waiting_for_reply: imported.id }], messages: [imported] })
      assert.strictEqual((yield* get("tasks/b")).waiting_for_reply, imported.id)
      yield* reply(imported.id, { task_id: "b", scope: "other" })
      assert.isNull((yield* get("tasks/b")).waiting_for_reply)
      assert.strictEqual((yield* get("tasks/a")).waiting_for_reply, message.id)
    }))

  it.effect("keeps the last three answers, and the beginning of long ones", () =>
    Effect.gen(function*() {
      const { ask, claim, get, reply } = yield* start
      let { fencing_token } = yield* get("tasks/a")
      for (const n of [1, 2, 3, 4]) {
        const { id } = (yield* ask({ fencing_token, content: `${n}${"q".repeat(5000)}` })).body
        yield* reply(id, { content: "a".repeat(5000) })
        fencing_token = (yield* claim()).body.fencing_token
      }
      const { answers } = yield* get("tasks/a/handoff")
      assert.deepStrictEqual(
        answers.map(({ answer, question }: Record<string, string>) => [question![0], question!.length, answer!.length]),
        [["2", 1000, 4000], ["3", 1000, 4000], ["4", 1000, 4000]]
      )
    }))
})
