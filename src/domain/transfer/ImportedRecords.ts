/**
 * Records of other servers, as those write them: two formats of timestamps, booleans as such or as 0 and 1, JSON as
 * text or as a value, and null or empty text for absent values. Unknown fields are ignored. Tasks are in
 * `ImportedTask.ts`.
 */
import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { FlagInput, integer, MaxCount, Time } from "../Encoding.ts"
import { excerpt } from "../Excerpt.ts"
import { FlowStates, FlowTransitions, NewFlow } from "../flow/Flow.ts"
import { ActionId, DraftId, FlowName, MessageId, OrchestratorId, ProjectId, RoleName } from "../Identifier.ts"
import { Registration } from "../machine/Orchestrator.ts"
import { ClaimQueue } from "../machine/Role.ts"
import { ActionStatus } from "../record/Action.ts"
import { NewDraft } from "../record/Draft.ts"
import { MessageStatus } from "../record/Message.ts"
import { ReviewRounds } from "../record/Project.ts"
import { caps, MaxSumSeconds, MaxSumUsd } from "../record/Usage.ts"
import {
  filled,
  Label,
  Line,
  LongText,
  MaxContent,
  MaxLabel,
  MaxLine,
  MaxLong,
  MaxShort,
  ReasonText,
  sizedJsonText
} from "../Size.ts"
import { RequiredKinds } from "../task/Evidence.ts"

export const ImportedTime = Time.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({ decode: DateTime.toEpochMillis, encode: (millis) => DateTime.makeUnsafe(millis) })
  )
)

export const ImportedFlag = FlagInput.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({ decode: (value) => Number(value), encode: (number) => number === 1 })
  )
)

/** A field that another server may not have. */
export const optional = Schema.optionalKey
const format = SchemaIssue.makeFormatterStandardSchemaV1()

const explain = (error: Schema.SchemaError): string =>
  format(error.issue).issues.slice(0, 5)
    .map(({ message, path = [] }) =>
      `${path.map((part) => String(Predicate.isObject(part) ? part.key : part)).join(".") || "record"}: ${
        excerpt(message, 300)
      }`
    ).join("; ")

/** Reads a record, or says which fields do not fit and why. */
export const reader = <S extends Schema.ConstraintDecoder<unknown>>(schema: S) => {
  const decode = Schema.decodeUnknownResult(schema, { errors: "all" })
  return (record: unknown): Result.Result<S["Type"], string> =>
    Predicate.isObject(record)
      ? Result.mapError(
        decode(Object.fromEntries(Object.entries(record).filter(([, value]) => value !== null && value !== ""))),
        explain
      )
      : Result.fail("The record is not an object.")
}

const label = optional(Label)
const line = optional(Line)
const long = optional(LongText)
const json = optional(sizedJsonText(MaxLong))
const time = optional(ImportedTime)
// A field that every record has, because its creator had to send it.
const given = filled(MaxLabel)

/** A flow as it is registered, with the times that the server added. */
export const ImportedFlow = Schema.Struct({
  ...NewFlow.fields,
  // Without the fixed sentence that clients expect for a flow without these.
  states: FlowStates,
  transitions: FlowTransitions,
  name: FlowName,
  registered_at: time,
  updated_at: time
})

export const ImportedRole = Schema.Struct({
  name: RoleName,
  description: optional(ReasonText),
  claims_from: optional(ClaimQueue),
  orchestrator_id: OrchestratorId,
  created_at: time
})

export const ImportedOrchestrator = Schema.Struct({
  id: OrchestratorId,
  cluster: Registration.fields.cluster,
  machine_id: Registration.fields.machine_id,
  hostname: label,
  repo_url: line,
  version: label,
  capabilities: optional(sizedJsonText(MaxShort)),
  max_agents: Registration.fields.max_agents,
  max_claimed: Registration.fields.max_claimed,
  status: label,
  registered_at: time,
  last_heartbeat: time
})

const sum = optional(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })))

/** The sums of what was used for a task or a project. */
export const importedTokens = { input_tokens: sum, output_tokens: sum, cached_tokens: sum }
export const importedSums = {
  cost_usd: optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: MaxSumUsd }))),
  wall_seconds: optional(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: MaxSumSeconds })))
}

export const ImportedProject = Schema.Struct({
  id: ProjectId,
  title: line,
  description: long,
  status: label,
  branch: line,
  base_branch: line,
  auto_accept: optional(ImportedFlag),
  flow: label,
  pr_number: optional(integer),
  pr_url: line,
  created_by: label,
  created_at: ImportedTime,
  updated_at: time,
  completed_at: time,
  evidence_required: optional(RequiredKinds),
  max_cost_usd: caps("the project").max_cost_usd,
  max_tokens: caps("the project").max_tokens,
  max_review_rounds: optional(ReviewRounds),
  ...importedTokens,
  ...importedSums
})

export const ImportedDraft = Schema.Struct({
  // The next draft gets the greatest number plus one.
  id: DraftId.check(Schema.isLessThanOrEqualTo(MaxCount)),
  title: line,
  status: label,
  author: label,
  domain: label,
  file_path: line,
  linked_task_id: label,
  linked_project_id: label,
  tags: NewDraft.fields.tags,
  slug: label,
  created_at: ImportedTime,
  updated_at: time
})

export const ImportedMessage = Schema.Struct({
  id: MessageId,
  task_id: given,
  from_actor: given,
  to_actor: label,
  type: given,
  content: filled(MaxContent),
  parent_message_id: label,
  status: optional(MessageStatus),
  created_at: ImportedTime
})

export const ImportedAction = Schema.Struct({
  id: ActionId,
  entity_type: given,
  entity_id: given,
  action_type: label,
  label: filled(MaxLine),
  description: long,
  status: ActionStatus,
  proposed_by: given,
  proposed_at: ImportedTime,
  executed_at: time,
  result: json,
  expires_at: time,
  metadata: json,
  action_data: json
})
