import { ImportedMessage, reader } from "../../../domain/transfer/ImportedRecords.ts"
import * as Questions from "../../../sql/record/Questions.ts"
import { statement } from "../../../sql/Statement.ts"
import { planTable } from "./table.ts"

const given = (name: string) => `SELECT value ->> '${name}' FROM json_each(:messages)`

/** The questions among these messages, or answered by them. The `+` has SQLite find them by their ids. */
const replied = statement(`
  UPDATE messages SET replied = 1
  WHERE id IN (${given("id")} UNION ${given("parent_message_id")}) AND +scope = :scope AND ${Questions.open}
    AND EXISTS (SELECT 1 FROM messages AS reply WHERE reply.parent_message_id = messages.id)`)

const read = reader(ImportedMessage)

export const planMessages = planTable({
  kind: "messages",
  raises: "messages",
  identity: ["id"],
  unique: "server",
  followed: replied,
  read,
  row: (message) => ({
    id: message.id,
    task_id: message.task_id,
    from_actor: message.from_actor,
    to_actor: message.to_actor ?? null,
    type: message.type,
    content: message.content,
    parent_message_id: message.parent_message_id ?? null,
    status: message.status ?? "pending",
    created_at: message.created_at
  }),
  taken: (id) => `Another scope has a message with the id ${id}, and ids are unique on the server.`
})
