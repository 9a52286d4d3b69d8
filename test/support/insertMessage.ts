/** Inserts messages that no request can send, such as a reply in another scope. */
import type { Constructor, Fragment, Statement } from "effect/sql/Statement"
import type { MessageId, ScopeName } from "../../src/domain/Identifier.ts"

export interface NewRow {
  readonly id: MessageId
  readonly scope: ScopeName
  readonly task_id: string
  readonly from_actor: string
  readonly to_actor: string | null
  readonly type: string
  readonly content: string
  readonly parent_message_id: string | null
  readonly now: number
}

export const make = (sql: Constructor) => {
  /** Inserts the message if `where` holds, and answers it. */
  const insert = (message: NewRow, where: Fragment = sql`1`): Statement<any> =>
    sql`
      INSERT INTO messages
        (id, scope, task_id, from_actor, to_actor, type, content, parent_message_id, status, created_at)
      SELECT ${message.id}, ${message.scope}, ${message.task_id}, ${message.from_actor}, ${message.to_actor},
        ${message.type}, ${message.content}, ${message.parent_message_id}, 'pending', ${message.now}
      WHERE ${where} RETURNING *`

  return { insert }
}
