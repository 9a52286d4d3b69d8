import { ImportedMessage, reader } from "../../../domain/transfer/ImportedRecords.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedMessage)

export const planMessages = planTable({
  kind: "messages",
  raises: "messages",
  identity: ["id"],
  unique: "server",
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
