import { ImportedRole, reader } from "../../../domain/transfer/ImportedRecords.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedRole)

export const planRoles = planTable({
  kind: "roles",
  identity: ["name"],
  unique: "scope",
  read,
  row: (role, now) => ({
    name: role.name,
    description: role.description ?? null,
    claims_from: role.claims_from ?? "incoming",
    orchestrator_id: role.orchestrator_id,
    created_at: role.created_at ?? now
  }),
  taken: (name) => `The role ${name} cannot be written.`
})
