/** Messages: mail between actors. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { excerpt, MaxReason } from "../../domain/Excerpt.ts"
import { type MessageId, messageId, type ScopeName } from "../../domain/Identifier.ts"
import { type InvalidQuestion, isHolding } from "../../domain/lease/Question.ts"
import { type ContentChoice, type Envelope, type InvalidCursor, pageOf } from "../../domain/Page.ts"
import {
  InvalidParentMessage,
  MaxThread,
  type Message,
  type MessageFilter,
  MessageNotFound,
  type MessagePatch,
  MessageRow,
  MessageStatusConflict,
  type NewMessage
} from "../../domain/record/Message.ts"
import type { InvalidTransition, LeaseLost, TaskNotFound, VersionConflict } from "../../domain/task/TaskErrors.ts"
import { columnsWithout } from "../../sql/Columns.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import * as Conditional from "../../sql/page/Conditional.ts"
import { afterCursor, cursorValues } from "../../sql/page/Keyset.ts"
import * as PageBytes from "../../sql/page/PageBytes.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import * as Questions from "../../sql/record/Questions.ts"
import * as Revisions from "../../sql/Revisions.ts"
import { statement, variants } from "../../sql/Statement.ts"
import * as Asking from "./question.ts"

const KeyedRow = { fields: { seq: true, ...MessageRow.fields } }
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(MessageRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

const longTexts = ["task_id", "from_actor", "to_actor", "type", "content", "status"]

const filters = ["task_id", "type", "to_actor", "from_actor", "status"] as const

/** Whether the message has no parent, or a parent in the same scope about the same task. */
const mayReply = `(:parent_message_id IS NULL
  OR :task_id = (SELECT task_id FROM messages WHERE id = :parent_message_id AND scope = :scope))`

const insert = statement(`
  INSERT INTO messages (id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at)
  SELECT :id, :scope, :task_id, :from_actor, :to_actor, :type, :content, :parent_message_id, 'pending', :now
  WHERE ${mayReply} RETURNING *`)

const kept = Idempotency.keeping({ row: columnsOf(MessageRow), from: "messages", where: "id = :id" })

const countNew = statement(`
  INSERT INTO queue_counts (scope, counts, messages_revision) SELECT :scope, '{}', 1 WHERE ${mayReply}
  ON CONFLICT (scope) DO UPDATE SET messages_revision = messages_revision + 1, messages_total = messages_total + 1`)

/** An answered question leaves the index of those that an overview looks at. */
const replied = statement(`
  UPDATE messages SET replied = 1 WHERE id = :parent_message_id AND scope = :scope AND ${Questions.open}
    AND EXISTS (SELECT 1 FROM messages AS reply WHERE reply.id = :id)`)

const parent = statement("SELECT task_id FROM messages WHERE id = :parent_message_id AND scope = :scope")

const byId = variants((content: "with content" | "without content") =>
  statement(
    content === "with content"
      ? `SELECT * FROM messages WHERE id = :id AND ${inScope}`
      : `SELECT id, scope, task_id, from_actor, to_actor, type, '' AS content, parent_message_id, status, created_at
        FROM messages WHERE id = :id AND ${inScope}`
  )
)

/**
 * Each step stays within the scope. A reply is younger than its parent, so the recursion ends. The limit is for threads
 * that are too long for an answer.
 */
const inThread = `seq IN (
  WITH RECURSIVE thread (seq, id) AS (
    SELECT seq, id FROM messages WHERE id = :thread_id AND scope = :scope
    UNION ALL
    SELECT reply.seq, reply.id FROM thread
      CROSS JOIN messages AS reply ON reply.parent_message_id = thread.id AND reply.scope = :scope
    LIMIT ${MaxThread})
  SELECT seq FROM thread)`

const isUnreplied = `NOT EXISTS (
  SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id AND reply.scope = messages.scope)`

/**
 * The condition that finds the messages of a list. Messages about a task and messages to a receiver have their own
 * indexes.
 */
const finding = {
  scope: "scope = :scope",
  task: "scope = :scope AND task_id = :task_id",
  receiver: "scope = :scope AND to_actor = :to_actor",
  thread: `scope = :scope AND ${inThread}`
}
type Finding = keyof typeof finding

const findingOf = ({ task_id, thread_id, to_actor }: MessageFilter): Finding =>
  thread_id ? "thread" : task_id ? "task" : to_actor ? "receiver" : "scope"

/** The messages of a list. An absent filter is null. */
const listed = (found: Finding, narrowed: boolean, unreplied: boolean) =>
  `FROM messages WHERE ${finding[found]} ${
    narrowed
      ? `AND (:task_id IS NULL OR task_id = :task_id) AND (:to_actor IS NULL OR to_actor = :to_actor)
        AND (:from_actor IS NULL OR from_actor = :from_actor) AND (:type IS NULL OR type = :type)
        AND (:status IS NULL OR status = :status)`
      : ""
  } ${unreplied ? `AND ${isUnreplied}` : ""}`

const pages = variants((
  found: Finding,
  narrowed: boolean,
  unreplied: boolean,
  order: "ascending" | "descending",
  content: boolean,
  next: boolean
) =>
  PageBytes.pagesOf(
    { columns: Object.keys(KeyedRow.fields), long: longTexts },
    `
    SELECT ${content ? "*" : columnsWithout(KeyedRow, ["content"], { empty: "''" })}
    ${listed(found, narrowed, unreplied)} ${next ? `AND ${afterCursor(["seq"], order)}` : ""}
    ORDER BY seq ${order === "ascending" ? "ASC" : "DESC"} LIMIT :take OFFSET :skip`
  )
)

const countListed = variants((found: Finding, narrowed: boolean, unreplied: boolean) =>
  found === "scope" && !narrowed && !unreplied
    ? Revisions.total("messages")
    : statement(`SELECT count(*) AS total ${listed(found, narrowed, unreplied)}`)
)

const revision = statement(`SELECT ${Revisions.of("messages")} AS revision`)

const asExpected = "(:expected IS NULL OR status = :expected)"

const raiseIfAsExpected = statement(`
  INSERT INTO queue_counts (scope, counts, messages_revision)
  SELECT scope, '{}', 1 FROM messages WHERE id = :id AND ${inScope} AND ${asExpected}
  ON CONFLICT (scope) DO UPDATE SET messages_revision = messages_revision + 1`)

const setStatus = statement(`
  UPDATE messages SET status = :status WHERE id = :id AND ${inScope} AND ${asExpected} RETURNING id`)

export class Messages extends Context.Service<Messages, {
  /** Sends a message. A question with `hold` holds its task, and a reply to it frees the task. */
  readonly send: (
    scope: ScopeName,
    message: NewMessage
  ) => Effect.Effect<
    Message,
    InvalidParentMessage | InvalidQuestion | TaskNotFound | LeaseLost | InvalidTransition | VersionConflict
  >
  readonly get: (id: MessageId, scope: Reach, choice?: ContentChoice) => Effect.Effect<Message, MessageNotFound>
  /**
   * A page of messages, the oldest first, and the number of all messages that match the filter. Without an offset the
   * page has the newest messages, and its cursor leads to older ones. A thread is answered whole, as one page.
   */
  readonly list: (
    scope: ScopeName,
    filter: MessageFilter
  ) => Effect.Effect<{ readonly messages: ReadonlyArray<Message> } & Envelope, InvalidCursor>
  /** Sets the status of the message, if it has the status that the caller expects. */
  readonly patch: (
    id: MessageId,
    patch: MessagePatch,
    scope: Reach
  ) => Effect.Effect<Message, MessageNotFound | MessageStatusConflict>
}>()("octopoid-server/services/Messages") {
  static readonly layer = Layer.effect(
    Messages,
    Effect.gen(function*() {
      const { batch } = yield* Database
      const random = yield* SecureRandom.SecureRandom
      const once = yield* Idempotency.make
      const ask = yield* Effect.provideService(Asking.make, SecureRandom.SecureRandom, random)
      const read = yield* Conditional.make
      const paged = yield* PageBytes.reader

      const send = Effect.fn("Messages.send")(function*(scope: ScopeName, message: NewMessage) {
        if (message.hold === true) return (yield* decode(yield* ask(scope, message)))[0]!
        const now = yield* Clock.currentTimeMillis
        const id = yield* Effect.provideService(messageId, SecureRandom.SecureRandom, random)
        const { content, from_actor, task_id, type } = message
        const to_actor = message.to_actor || null
        const parent_message_id = message.parent_message_id || null
        const frees = isHolding(parent_message_id)
        const values = {
          id,
          scope,
          task_id,
          from_actor,
          to_actor,
          type,
          content,
          parent_message_id,
          now,
          excerpt: excerpt(content, MaxReason)
        }
        const { answers: { inserted, parents }, replay } = yield* once.batch({
          inserted: insert(values),
          parents: parent_message_id === null ? undefined : parent(values),
          replied: parent_message_id === null ? undefined : replied(values),
          counted: countNew(values),
          answered: frees ? Questions.reply.answered(values) : undefined,
          freed: frees ? Questions.reply.freed(values) : undefined,
          freedCounted: frees ? Questions.reply.freedCounted(values) : undefined
        }, { keep: "inserted", answer: kept, values })
        const [sent] = yield* decode(replay?.rows ?? inserted)
        if (sent !== undefined) return sent
        return yield* parents[0] === undefined
          ? InvalidParentMessage.unknown(String(parent_message_id))
          : InvalidParentMessage.ofOtherTask(String(parent_message_id))
      })

      const get = Effect.fn("Messages.get")(function*(id: MessageId, scope: Reach, { content }: ContentChoice = {}) {
        const read = byId(content === false ? "without content" : "with content")
        const { found } = yield* batch({ found: read({ id, scope: scope ?? null }) })
        return (yield* decode(found))[0] ?? (yield* MessageNotFound.of(id))
      })

      const list = Effect.fn("Messages.list")(function*(scope: ScopeName, filter: MessageFilter) {
        const whole = Boolean(filter.thread_id) && filter.limit === undefined
        const asked = { scope, ...filter }
        // Pages after the newest page are older. A page with an offset counts from the oldest message, so its next page
        // is newer.
        const going = (name: string) =>
          pageOf(whole ? { ...filter, limit: MaxThread } : filter, { name, of: asked, key: { seq: "number" } })
        const older = going("messages, older")
        const newer = filter.offset !== undefined || Result.isFailure(older)
        const page = yield* Effect.fromResult(newer ? going("messages, newer") : older)
        const values = {
          ...Object.fromEntries(filters.map((field) => [field, filter[field] || null])),
          ...cursorValues(page),
          scope,
          thread_id: filter.thread_id || null,
          skip: page.skip
        }
        const by = findingOf(filter)
        const own = by === "task" ? "task_id" : by === "receiver" ? "to_actor" : undefined
        const narrowed = filters.some((field) => field !== own && filter[field])
        const unreplied = filter.unreplied === true
        const count = page.total === undefined ? countListed(by, narrowed, unreplied)(values) : undefined
        const question = { name: "messages", asked, revision: revision(values) }
        const order = newer ? "ascending" : "descending"
        const { answers, found } = yield* paged({
          page,
          pages: pages(by, narrowed, unreplied, order, filter.content ?? true, page.after !== undefined),
          values
        }, (rows) => read(question, { rows, count }))
        const { envelope, rows } = page.end(found, Number(answers.count[0]?.total))
        const messages = yield* decode(newer ? rows : rows.toReversed())
        return {
          messages,
          ...envelope,
          // Offsets count from the oldest message in both directions.
          offset: newer ? envelope.offset : Math.max(envelope.total - envelope.offset - rows.length, 0),
          limit: whole ? messages.length : envelope.limit
        }
      })

      const patch = Effect.fn("Messages.patch")(function*(id: MessageId, changes: MessagePatch, scope: Reach) {
        const { expected_status: expected = null, status } = changes
        const values = { id, scope: scope ?? null, status, expected }
        const { changed, found } = yield* batch({
          raised: raiseIfAsExpected(values),
          changed: setStatus(values),
          found: byId("with content")(values)
        })
        const message = (yield* decode(found))[0] ?? (yield* MessageNotFound.of(id))
        if (changed.length === 0 && expected !== null) {
          return yield* MessageStatusConflict.of(message.id, expected, message.status)
        }
        return message
      })

      return Messages.of({ send, get, list, patch })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
