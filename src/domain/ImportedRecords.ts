/** The kinds of records that are written as they come, as other servers spell them. A task is in `ImportedTask.ts`. */
import * as Schema from "effect/Schema"
import { JsonTextInput } from "./Encoding.ts"
import { DraftId, OrchestratorId, ProjectId } from "./Identifier.ts"
import { ImportedFlag, ImportedInt, ImportedTime, optional } from "./Imported.ts"

const text = optional(Schema.String)
const json = optional(JsonTextInput)
const time = optional(ImportedTime)
// What every record of its kind has had since it was created, as its creator had to send it.
const given = Schema.NonEmptyString

const Steps = Schema.Array(Schema.StructWithRest(Schema.Struct({ from: Schema.String, to: Schema.String }), [
  Schema.Record(Schema.String, Schema.Json)
]))
/** A list that may come as JSON text. */
const list = <S extends Schema.Top>(schema: S) => Schema.Union([schema, Schema.fromJsonString(schema)])

export const ImportedFlow = Schema.Struct({
  name: given,
  description: text,
  states: list(Schema.Array(Schema.String)),
  transitions: list(Steps),
  child_flow: optional(list(Schema.StructWithRest(
    Schema.Struct({ states: optional(Schema.Array(Schema.String)), transitions: optional(Steps) }),
    [Schema.Record(Schema.String, Schema.Json)]
  ))),
  registered_at: time,
  updated_at: time
})

export const ImportedRole = Schema.Struct({
  name: given,
  description: text,
  claims_from: text,
  orchestrator_id: given,
  created_at: time
})

export const ImportedOrchestrator = Schema.Struct({
  id: OrchestratorId,
  cluster: given,
  machine_id: given,
  hostname: text,
  repo_url: text,
  version: text,
  capabilities: json,
  max_agents: optional(ImportedInt),
  max_claimed: optional(ImportedInt),
  status: text,
  registered_at: time,
  last_heartbeat: time
})

export const ImportedProject = Schema.Struct({
  id: ProjectId,
  title: text,
  description: text,
  status: text,
  branch: text,
  base_branch: text,
  auto_accept: optional(ImportedFlag),
  flow: text,
  pr_number: optional(ImportedInt),
  pr_url: text,
  created_by: text,
  created_at: ImportedTime,
  updated_at: time,
  completed_at: time
})

export const ImportedDraft = Schema.Struct({
  id: DraftId,
  title: text,
  status: text,
  author: text,
  domain: text,
  file_path: text,
  linked_task_id: text,
  linked_project_id: text,
  tags: json,
  slug: text,
  created_at: ImportedTime,
  updated_at: time
})

export const ImportedMessage = Schema.Struct({
  id: given,
  task_id: given,
  from_actor: given,
  to_actor: text,
  type: given,
  content: given,
  parent_message_id: text,
  status: optional(Schema.Literals(["pending", "processing", "done"])),
  created_at: ImportedTime
})

export const ImportedAction = Schema.Struct({
  id: given,
  entity_type: given,
  entity_id: given,
  action_type: text,
  label: given,
  description: text,
  status: Schema.Literals(["proposed", "execute_requested", "executing", "completed", "failed", "expired"]),
  proposed_by: given,
  proposed_at: ImportedTime,
  executed_at: time,
  result: json,
  expires_at: time,
  metadata: json,
  action_data: json
})
