/**
 * Records as other servers spell them: two formats of timestamps, booleans as 0 and 1 or as such, JSON as text or as it
 * is, and null or empty text for what is not there. Unknown fields are ignored.
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { FlagInput, JsonTextInput } from "./Encoding.ts"
import { DraftId, OrchestratorId, ProjectId } from "./Identifier.ts"

const instant = /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?)?\s*(Z|[+-]\d\d:?\d\d)?$/i

/** Milliseconds of `2026-03-02 10:00:00`, which is UTC, and of ISO 8601 with any number of digits and any offset. */
export const millisOf = (text: string): Option.Option<number> => {
  const [, date, time = "00:00", fraction = "", zone = "Z"] = instant.exec(text.trim()) ?? []
  return date === undefined
    ? Option.none()
    : Option.map(DateTime.make(`${date}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`), DateTime.toEpochMillis)
}

export const ImportedTime = Schema.String.check(
  Schema.makeFilter((text) => Option.isSome(millisOf(text)), {
    expected: "a time, as `2026-03-02 10:00:00` or in ISO 8601"
  })
).pipe(Schema.decodeTo(
  Schema.Int,
  SchemaTransformation.transform({
    decode: (text) => Option.getOrElse(millisOf(text), () => 0),
    encode: (millis) => DateTime.formatIso(DateTime.makeUnsafe(millis))
  })
))

export const ImportedFlag = FlagInput.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transform({ decode: (value) => Number(value), encode: (number) => number === 1 })
  )
)

export const ImportedInt = Schema.Int.check(
  Schema.isBetween({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
)

/** What another server may not have, or not know. */
export const optional = Schema.optionalKey
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

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const explain = (error: Schema.SchemaError): string =>
  format(error.issue).issues.slice(0, 5)
    .map(({ message, path = [] }) =>
      `${path.map((part) => String(Predicate.isObject(part) ? part.key : part)).join(".") || "record"}: ${
        message.slice(0, 300)
      }`
    ).join("; ")

/** Reads a record, or says which of its fields do not fit and why. */
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
