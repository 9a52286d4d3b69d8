/** Messages over real SQL: order of arrival, which page, threads, replies, who takes one up, and scopes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { MessageId } from "../../src/domain/Identifier.ts"
import { MaxThread, type MessageFilter, MessagePatch, NewMessage } from "../../src/domain/record/Message.ts"
import { Messages } from "../../src/services/record/Messages.ts"
import { Database } from "../../src/sql/Database.ts"
import * as MessageStatements from "../support/insertMessage.ts"
import { ServicesLayer } from "../support/layers.ts"

const fresh = (rest: object = {}) =>
  Schema.decodeSync(NewMessage)({ task_id: "t", from_actor: "ann", type: "comment", content: "c", ...rest })
const change = Schema.decodeUnknownSync(MessagePatch)

const send = (rest: object = {}, scope = "red") => Messages.use((messages) => messages.send(scope, fresh(rest)))
const list = (filter: MessageFilter, scope = "red") => Messages.use((messages) => messages.list(scope, filter))
const contents = (filter: MessageFilter, scope = "red") =>
  Effect.map(list(filter, scope), ({ messages }) => messages.map(({ content }) => content))
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${from + i}`)

const sendNumbered = (count: number, rest: object = {}) =>
  Effect.forEach(numbered(0, count), (content) => send({ content, ...rest }))

describe("Messages", () => {
  it.effect("makes ids that contain the time, and takes null and empty text for absent", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_123)
      const message = yield* send({ to_actor: "", parent_message_id: null })
      assert.match(message.id, /^msg-1700000000123-[0-9a-z]{6}$/)
      assert.deepInclude(message, { to_actor: null, parent_message_id: null, status: "pending", scope: "red" })
      assert.deepStrictEqual(yield* Messages.use(({ get }) => get(message.id, "red")), message)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("C8, 8.2#11: without an offset the page is the newest, in the order of arrival, and states its offset", () =>
    Effect.gen(function*() {
      yield* sendNumbered(60)
      const latest = yield* list({})
      assert.deepStrictEqual(latest.messages.map(({ content }) => content), numbered(10, 60))
      assert.deepInclude(latest, { total: 60, offset: 10, limit: 50 })
      assert.deepStrictEqual(yield* contents({ limit: 2 }), ["58", "59"])
      assert.deepStrictEqual(yield* contents({ limit: 2, offset: 0 }), ["0", "1"])
      assert.deepStrictEqual(yield* contents({ offset: 58 }), ["58", "59"])
      assert.deepInclude(yield* list({ offset: 60 }), { messages: [], total: 60, offset: 60, limit: 50 })
      assert.deepInclude(yield* list({ limit: 0 }), { messages: [], total: 60, offset: 60, limit: 0 })
      assert.deepInclude(yield* list({ limit: 500 }), { total: 60, offset: 0, limit: 500 })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("E12: keeps the order of arrival within a millisecond, and if the clock is set back", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(5000)
      yield* sendNumbered(20)
      yield* TestClock.setTime(4000)
      yield* send({ content: "last" })
      const pages = yield* Effect.forEach([0, 7, 14], (offset) => contents({ limit: 7, offset }))
      assert.deepStrictEqual(pages.flat(), [...numbered(0, 20), "last"])
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("narrows by every filter, and not by an empty one", () =>
    Effect.gen(function*() {
      yield* send({ content: "a", to_actor: "human" })
      const question = yield* send({ content: "b", to_actor: "agent", type: "question", task_id: "u" })
      yield* send({ content: "c", from_actor: "bob", task_id: "u", parent_message_id: question.id })
      yield* send({ content: "d" }, "blue")
      yield* Messages.use(({ patch }) => patch(question.id, change({ status: "done" }), undefined))
      for (
        const [filter, expected] of [
          [{}, "abc"],
          [{ to_actor: "human" }, "a"],
          [{ from_actor: "bob" }, "c"],
          [{ type: "question" }, "b"],
          [{ task_id: "u" }, "bc"],
          [{ task_id: "", type: "", status: "", thread_id: "" }, "abc"],
          [{ status: "done" }, "b"],
          [{ status: "pending", task_id: "u" }, "c"],
          [{ unreplied: true }, "ac"],
          [{ unreplied: false }, "abc"],
          [{ unreplied: true, task_id: "u" }, "c"]
        ] as const
      ) {
        assert.strictEqual((yield* contents(filter)).join(""), expected, JSON.stringify(filter))
        assert.strictEqual((yield* list(filter)).total, expected.length, JSON.stringify(filter))
      }
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("D9: a parent of another scope or task is refused, and a refused message is not written", () =>
    Effect.gen(function*() {
      const { id } = yield* send()
      const unknown = yield* Effect.flip(send({ parent_message_id: id }, "blue"))
      assert.strictEqual(unknown.error, `Parent message not found: ${id}`)
      const other = yield* Effect.flip(send({ parent_message_id: id, task_id: "u" }))
      assert.strictEqual(other.error, "Parent message belongs to a different task")
      assert.strictEqual((yield* list({})).total, 1)
      assert.strictEqual((yield* list({}, "blue")).total, 0)
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("E18, D9: a thread is the message and everything below it, filtered, and stays in its scope", () =>
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const before = yield* send({ content: "before" })
      const root = yield* send({ content: "root", parent_message_id: before.id })
      const left = yield* send({ content: "left", parent_message_id: root.id })
      yield* send({ content: "beside", parent_message_id: before.id })
      yield* send({ content: "right", parent_message_id: root.id, from_actor: "bob" })
      const deep = yield* send({ content: "deep", parent_message_id: left.id, from_actor: "bob" })
      // Nobody can send these: a reply in another scope, and a reply to that in this one.
      const { insert } = MessageStatements.make(sql)
      const row = { ...fresh({ content: "foreign" }), to_actor: null, now: 0 }
      const [foreign, below] = [MessageId.make("msg-0-foreign"), MessageId.make("msg-0-below")]
      yield* batch([
        insert({ ...row, id: foreign, scope: "blue", parent_message_id: deep.id }),
        insert({ ...row, id: below, scope: "red", parent_message_id: foreign })
      ])

      const thread = yield* list({ thread_id: root.id })
      assert.deepStrictEqual(thread.messages.map(({ content }) => content), ["root", "left", "right", "deep"])
      assert.deepInclude(thread, { total: 4, offset: 0, limit: 4 })
      assert.deepStrictEqual(yield* contents({ thread_id: root.id, from_actor: "bob" }), ["right", "deep"])
      assert.deepStrictEqual(yield* contents({ thread_id: root.id, unreplied: true }), ["right", "deep"])
      assert.deepStrictEqual(yield* contents({ thread_id: root.id, limit: 1 }), ["deep"])
      assert.deepStrictEqual(yield* contents({ thread_id: root.id, limit: 2, offset: 1 }), ["left", "right"])
      const none = { messages: [], total: 0, offset: 0, limit: 0, next_cursor: null }
      assert.deepStrictEqual(yield* list({ thread_id: "unknown" }), none)
      assert.deepStrictEqual(yield* list({ thread_id: root.id }, "blue"), none)
      assert.deepStrictEqual(
        yield* contents({ thread_id: foreign }, "blue"),
        ["foreign"],
        "what is above a message is not below it"
      )
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("F11: a thread of any depth ends at its bound", () =>
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      yield* batch([sql`
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${MaxThread + 100})
        INSERT INTO messages (id, scope, task_id, from_actor, type, content, parent_message_id, created_at)
        SELECT 'm' || i, 'red', 't', 'ann', 'comment', i, iif(i = 0, NULL, 'm' || (i - 1)), 0 FROM n`])
      const thread = yield* list({ thread_id: "m0" })
      assert.deepStrictEqual(thread.messages.map(({ content }) => content), numbered(0, MaxThread))
      assert.deepInclude(thread, { total: MaxThread, offset: 0, limit: MaxThread })
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("8.2#14: of ten dispatchers that take a message at once, one gets it", () =>
    Effect.gen(function*() {
      const messages = yield* Messages
      const { id } = yield* send({ type: "action_command" })
      const take = messages.patch(id, change({ status: "processing", expected_status: "pending" }), "red")
      const outcomes = yield* Effect.all(Array.from({ length: 10 }, () => Effect.result(take)), {
        concurrency: "unbounded"
      })
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Success").length, 1)
      const refused = yield* Effect.flip(take)
      assert.deepInclude(refused, { _tag: "MessageStatusConflict", expected: "pending", status: "processing" })
      assert.strictEqual((yield* messages.patch(id, change({ status: "done" }), undefined)).status, "done")
      assert.strictEqual((yield* messages.get(id, "red")).status, "done")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("finds and changes nothing in another scope", () =>
    Effect.gen(function*() {
      const messages = yield* Messages
      const { id } = yield* send()
      for (const effect of [messages.get(id, "blue"), messages.patch(id, change({ status: "done" }), "blue")]) {
        assert.strictEqual((yield* Effect.flip(effect))._tag, "MessageNotFound")
      }
      assert.strictEqual((yield* messages.get(id, undefined)).status, "pending")
    }).pipe(Effect.provide(ServicesLayer)))

  it.effect("can be written on a condition, in another batch", () =>
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const { insert } = MessageStatements.make(sql)
      const row = { ...fresh(), scope: "red", to_actor: null, parent_message_id: null, now: 7 }
      const answers = yield* batch([
        insert({ ...row, id: MessageId.make("m1") }, sql`1 = 2`),
        insert({ ...row, id: MessageId.make("m2") }, sql`1 = 1`)
      ])
      assert.deepStrictEqual(answers.map((rows) => rows.length), [0, 1])
    }).pipe(Effect.provide(ServicesLayer)))
})
