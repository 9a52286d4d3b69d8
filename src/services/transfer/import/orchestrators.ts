import { ImportedOrchestrator, reader } from "../../../domain/transfer/ImportedRecords.ts"
import { planTable } from "./table.ts"

const read = reader(ImportedOrchestrator)

export const planOrchestrators = planTable({
  kind: "orchestrators",
  raises: "machines",
  identity: ["id"],
  unique: "scope",
  read,
  row: (machine, now) => ({
    id: machine.id,
    cluster: machine.cluster,
    machine_id: machine.machine_id,
    hostname: machine.hostname ?? null,
    repo_url: machine.repo_url ?? null,
    version: machine.version ?? null,
    capabilities: machine.capabilities ?? null,
    max_agents: machine.max_agents ?? null,
    max_claimed: machine.max_claimed ?? null,
    // The machine has not called this server yet. Its first heartbeat or claim makes it active.
    status: machine.status === "maintenance" ? "maintenance" : "offline",
    registered_at: machine.registered_at ?? now,
    last_heartbeat: machine.last_heartbeat ?? machine.registered_at ?? now
  }),
  taken: (id) => `Another scope has an orchestrator with the id ${id}, and an id belongs to one machine.`
})
