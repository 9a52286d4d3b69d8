/** Messages: mail between actors. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { InvalidCursor } from "../../domain/Cursor.ts"
import { type MessageId, messageId, type ScopeName } from "../../domain/Identifier.ts"
import { type ContentChoice, type Envelope, pageOf } from "../../domain/Page.ts"
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
import { without } from "../../sql/Columns.ts"
import * as Conditional from "../../sql/Conditional.ts"
import { Database } from "../../sql/Database.ts"
import { beyond } from "../../sql/Keyset.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import * as PageBytes from "../../sql/PageBytes.ts"
import { type Reach, within } from "../../sql/Reach.ts"
import * as MessageStatements from "../../sql/record/Messages.ts"
import * as Revision from "../../sql/task/Revision.ts"

const KeyedRow = { fields: { seq: true, ...MessageRow.fields } }
const decodeRows = Schema.decodeUnknownEffect(Schema.Array(MessageRow))
const decode = (rows: unknown) => Effect.orDie(decodeRows(rows))

const longTexts = ["task_id", "from_actor", "to_actor", "type", "content", "status"]

const filters = ["task_id", "type", "to_actor", "from_actor", "status"] as const

export class Messages extends Context.Service<Messages, {
  readonly send: (scope: ScopeName, message: NewMessage) => Effect.Effect<Message, InvalidParentMessage>
  readonly get: (id: MessageId, scope: Reach, choice?: ContentChoice) => Effect.Effect<Message, MessageNotFound>
  /**
   * A page of the scope's messages in the order they arrived, and how many match on all pages. Without an offset it is
   * the last page, so that whoever asks for nothing else sees what is new; its cursor leads to the page before, and so on
   * to the oldest. A thread is one page.
   */
  readonly list: (
    scope: ScopeName,
    filter: MessageFilter
  ) => Effect.Effect<{ readonly messages: ReadonlyArray<Message> } & Envelope, InvalidCursor>
  /** Says how far the message has been dealt with, if it is as far as the caller expects. */
  readonly patch: (
    id: MessageId,
    patch: MessagePatch,
    scope: Reach
  ) => Effect.Effect<Message, MessageNotFound | MessageStatusConflict>
}>()("octopoid-server/services/Messages") {
  static readonly layer = Layer.effect(
    Messages,
    Effect.gen(function*() {
      const { batch, sql } = yield* Database
      const random = yield* SecureRandom.SecureRandom
      const once = yield* Idempotency.make
      const row = columnsOf(sql, MessageRow)
      const { insert } = MessageStatements.make(sql)
      const read = yield* Conditional.make
      const bounded = yield* PageBytes.make
      const revision = Revision.make(sql)

      const one = (id: MessageId, scope: Reach) => sql`id = ${id} AND ${within(sql, scope)}`

      const send = Effect.fn("Messages.send")(function*(scope: ScopeName, message: NewMessage) {
        const now = yield* Clock.currentTimeMillis
        const id = yield* Effect.provideService(messageId, SecureRandom.SecureRandom, random)
        const { task_id } = message
        const parent_message_id = message.parent_message_id || null
        const parent = sql`SELECT task_id FROM messages WHERE id = ${parent_message_id} AND scope = ${scope}`
        const { answers: [rows, parents], replay } = yield* once.batch([
          insert(
            { ...message, id, scope, to_actor: message.to_actor || null, parent_message_id, now },
            parent_message_id === null ? undefined : sql`(${parent}) = ${task_id}`
          ),
          ...(parent_message_id === null ? [] : [parent]),
          revision.raiseIn("messages", scope, { added: sql`changes()` })
        ], { after: 0, row, from: sql`messages WHERE id = ${id}` })
        const [sent] = yield* decode(replay?.rows ?? rows)
        if (sent !== undefined) return sent
        return yield* parents?.[0] === undefined
          ? InvalidParentMessage.unknown(String(parent_message_id))
          : InvalidParentMessage.ofOtherTask(String(parent_message_id))
      })

      /** The columns of a message, without what it says if nobody asked for that. */
      const columns = (content: boolean | undefined) =>
        without(sql, KeyedRow, content === false ? ["content"] : [], { empty: sql`''`, table: "messages" })

      const get = Effect.fn("Messages.get")(function*(id: MessageId, scope: Reach, { content }: ContentChoice = {}) {
        const [rows] = yield* batch([sql`SELECT ${columns(content)} FROM messages WHERE ${one(id, scope)}`])
        return (yield* decode(rows))[0] ?? (yield* MessageNotFound.of(id))
      })

      // Every step stays in the scope. A reply is younger than what it replies to, so this ends by itself; the bound is
      // for threads that are too long to answer.
      const thread = (scope: ScopeName, root: string) =>
        sql`seq IN (
          WITH RECURSIVE thread (seq, id) AS (
            SELECT seq, id FROM messages WHERE id = ${root} AND scope = ${scope}
            UNION ALL
            SELECT reply.seq, reply.id FROM thread
              CROSS JOIN messages AS reply ON reply.parent_message_id = thread.id AND reply.scope = ${scope}
            LIMIT ${MaxThread})
          SELECT seq FROM thread)`

      const list = Effect.fn("Messages.list")(function*(scope: ScopeName, filter: MessageFilter) {
        const whole = Boolean(filter.thread_id) && filter.limit === undefined
        const asked = { scope, ...filter }
        // From the newest page one goes on to older ones, and from one that counts from the oldest to newer ones.
        const going = (name: string) =>
          pageOf(whole ? { ...filter, limit: MaxThread } : filter, { name, of: asked, key: { seq: "number" } })
        const older = going("messages, older")
        const newer = filter.offset !== undefined || Result.isFailure(older)
        const page = yield* Effect.fromResult(newer ? going("messages, newer") : older)
        const narrowed = [
          ...filters.flatMap((field) => filter[field] ? [sql`${sql(field)} = ${filter[field]}`] : []),
          ...(filter.thread_id ? [thread(scope, filter.thread_id)] : []),
          ...(filter.unreplied === true
            ? [sql`NOT EXISTS (
                SELECT 1 FROM messages AS reply
                WHERE reply.parent_message_id = messages.id AND reply.scope = messages.scope)`]
            : [])
        ]
        const matches = sql.and([sql`scope = ${scope}`, ...narrowed])
        const order = newer ? "ascending" : "descending"
        const { found, others: [totals] } = yield* bounded({
          page,
          columns: Object.keys(KeyedRow.fields),
          long: longTexts,
          rows: (take) =>
            sql`
            SELECT ${columns(filter.content)} FROM messages WHERE ${sql.and([matches, ...beyond(sql, page, order)])}
            ORDER BY seq ${sql.literal(newer ? "ASC" : "DESC")} LIMIT ${take} OFFSET ${page.skip}`
        }, (rows) =>
          read({
            name: "messages",
            asked,
            revision: sql`SELECT ${revision.of("messages", sql`${scope}`)} AS revision`
          }, page.total === undefined ? [rows, revision.total("messages", scope, narrowed)] : [rows]))
        const { envelope, rows } = page.end(found, Number(totals?.[0]?.total))
        const messages = yield* decode(newer ? rows : rows.toReversed())
        return {
          messages,
          ...envelope,
          // Places are counted from the oldest message, whichever way one goes.
          offset: newer ? envelope.offset : Math.max(envelope.total - envelope.offset - rows.length, 0),
          limit: whole ? messages.length : envelope.limit
        }
      })

      const patch = Effect.fn("Messages.patch")(function*(id: MessageId, changes: MessagePatch, scope: Reach) {
        const { expected_status: expected = null, status } = changes
        const [changed = [], rows] = yield* batch([
          sql`
            UPDATE messages SET status = ${status}
            WHERE ${one(id, scope)} ${expected === null ? sql`` : sql`AND status = ${expected}`} RETURNING id`,
          sql`SELECT * FROM messages WHERE ${one(id, scope)}`,
          revision.raise("messages", sql`SELECT scope FROM messages WHERE ${one(id, scope)}`)
        ])
        const message = (yield* decode(rows))[0] ?? (yield* MessageNotFound.of(id))
        if (changed.length === 0 && expected !== null) {
          return yield* MessageStatusConflict.of(message.id, expected, message.status)
        }
        return message
      })

      return Messages.of({ send, get, list, patch })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
