import { ImportedAction, reader } from "../../../domain/transfer/ImportedRecords.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedAction)

export const planActions = planTable({
  kind: "actions",
  identity: ["id"],
  unique: "server",
  read,
  row: (action) => ({
    id: action.id,
    entity_type: action.entity_type,
    entity_id: action.entity_id,
    action_type: action.action_type ?? "proposal",
    label: action.label,
    description: action.description ?? null,
    status: action.status,
    proposed_by: action.proposed_by,
    proposed_at: action.proposed_at,
    executed_at: action.executed_at ?? null,
    result: action.result ?? null,
    expires_at: action.expires_at ?? null,
    metadata: action.metadata ?? null,
    action_data: action.action_data ?? null
  }),
  taken: (id) => `Another scope has an action with the id ${id}, and ids are unique on the server.`
})
