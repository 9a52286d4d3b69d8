/** A record of each kind as another server lists it. */
import type { ImportKind } from "../../src/domain/transfer/Import.ts"
import { projectFlow } from "../support/flows.ts"
import { iso, type Row, sqlite, task } from "./OldServer.ts"

const at = Date.UTC(2026, 2, 2, 11)
const created_at = sqlite(at)

const message = {
  task_id: "good",
  from_actor: "ada",
  to_actor: null,
  type: "comment",
  content: "hello",
  parent_message_id: null,
  status: "pending",
  created_at
}
const action = {
  entity_type: "draft",
  entity_id: "1",
  action_type: "proposal",
  label: "Do it",
  description: null,
  status: "completed",
  proposed_by: "ada",
  proposed_at: created_at,
  executed_at: null,
  result: null,
  expires_at: null,
  metadata: null,
  action_data: null
}

/** A record that fits, with all its fields. */
export const good: Record<ImportKind, (id: string, n: number) => Row> = {
  flows: (name) => ({ ...projectFlow, name, registered_at: created_at, updated_at: null }),
  roles: (name) => ({ name, description: null, claims_from: "incoming", orchestrator_id: "k-m", created_at }),
  orchestrators: (id) => ({
    id,
    cluster: "k",
    machine_id: id,
    hostname: null,
    repo_url: null,
    version: null,
    capabilities: null,
    max_agents: null,
    max_claimed: null,
    status: "active",
    registered_at: created_at,
    last_heartbeat: created_at
  }),
  projects: (id) => ({
    id,
    title: id,
    description: null,
    status: "active",
    branch: "b",
    base_branch: "main",
    auto_accept: true,
    flow: "project",
    pr_number: null,
    pr_url: null,
    created_by: null,
    created_at,
    updated_at: null,
    completed_at: null
  }),
  drafts: (_, id) => ({
    id,
    title: "t",
    status: "idea",
    author: "ada",
    domain: null,
    file_path: null,
    linked_task_id: null,
    linked_project_id: null,
    tags: null,
    slug: null,
    created_at,
    updated_at: null
  }),
  // With a lease that runs, so that the fields of one count.
  tasks: (id) => ({
    ...task(id, at),
    queue: "claimed",
    claimed_by: "ann",
    claimed_at: created_at,
    orchestrator_id: "k-m",
    lease_expires_at: iso(at + 7_200_000),
    fencing_token: 1,
    lease_losses: 0,
    metadata: null
  }),
  messages: (id) => ({ id, ...message }),
  actions: (id) => ({ id, ...action })
}
