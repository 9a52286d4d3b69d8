/** A flow: a registered state machine that replaces the default one for the tasks that name it. */
import * as Schema from "effect/Schema"
import {
  describe,
  ErrorText,
  fromJsonText,
  JsonColumn,
  JsonValue,
  listOf,
  maybe,
  text,
  Time,
  TimeColumn
} from "../Encoding.ts"
import { FlowName, QueueName, ScopeName } from "../Identifier.ts"
import { atMostAsJson, MaxLong, ReasonText } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

/** Flows stay far below these limits, and their lists fit into one row. */
export const MaxStates = 200
export const MaxTransitions = 500

const fields = <T extends Schema.Top, J extends Schema.Top>(time: T, json: J) => ({
  name: FlowName,
  scope: ScopeName,
  description: text("What the flow is for."),
  states: Schema.String.pipe(describe("Its queues: a list of names, as JSON text.")),
  transitions: Schema.String.pipe(
    describe("Its steps, as JSON text: a list of objects with `from`, `to` and the other fields that were registered.")
  ),
  child_flow: Schema.NullOr(json).pipe(
    describe(
      "The flow of the tasks of a project, as a JSON object and not as text. Null if it has none."
    )
  ),
  registered_at: time.pipe(describe("When it was first registered.")),
  updated_at: time.pipe(describe("When it last changed. To register it again unchanged is no change."))
})

export const Flow = Schema.Struct(fields(Time, Schema.Json)).annotate({ identifier: "Flow" })
export type Flow = typeof Flow.Type

export const FlowRow = Schema.Struct(fields(TimeColumn, JsonColumn))

export const FlowWarnings = Schema.Array(Schema.String).pipe(
  describe("A sentence for each queue with tasks that the flow now leads nowhere. Empty if there are none.")
)

/** A flow, as the answer to its registration. */
export const RegisteredFlow = Schema.Struct({ ...Flow.fields, warnings: FlowWarnings }).annotate({
  identifier: "RegisteredFlow"
})
export type RegisteredFlow = typeof RegisteredFlow.Type

/** A list, or its JSON text. The items keep their keys and the order of their keys. */
const list = <S extends Schema.Top>(item: S, most: number) => {
  const items = listOf(item, most).check(atMostAsJson(MaxLong))
  return Schema.Union([items, fromJsonText(items)])
}
export const FlowStates = list(QueueName, MaxStates)
export const FlowTransitions = list(JsonValue.pipe(describe("A step: an object with `from` and `to`.")), MaxTransitions)

const required = <S extends Schema.Top>(name: string, schema: S, description: string) =>
  schema.annotate({ message: `Missing required field: ${name} (array)` }).pipe(describe(description))

const JsonObject = Schema.Record(Schema.String, JsonValue).check(atMostAsJson(MaxLong))

export const NewFlow = Schema.Struct({
  states: required("states", FlowStates, "Its queues, `incoming`, `claimed` and `done` among them."),
  transitions: required(
    "transitions",
    FlowTransitions,
    "Its steps: objects with `from` and `to`. Their other fields are kept and answered as they were sent."
  ),
  description: maybe(ReasonText, "What the flow is for."),
  child_flow: maybe(
    Schema.Union([Schema.Literal(""), JsonObject, fromJsonText(JsonObject)]),
    "The flow of the tasks of a project: an object with `transitions` and, if they name new queues, `states`. Its steps are added to those of the flow."
  )
}).annotate({ identifier: "NewFlow" })
export type NewFlow = typeof NewFlow.Type

export class FlowNotFound extends TaggedError<FlowNotFound>()(
  "FlowNotFound",
  { error: ErrorText, flow: Schema.String.pipe(describe("The name asked for.")) },
  { httpApiStatus: 404, description: "No flow of this name is in reach: it is not registered, or is in another scope." }
) {
  static readonly of = (flow: string) => new FlowNotFound({ error: `Flow not found: ${flow}. Register it.`, flow })
}

export class InvalidFlow extends TaggedError<InvalidFlow>()(
  "InvalidFlow",
  {
    error: ErrorText,
    details: Schema.Array(Schema.String).pipe(describe("Everything that is wrong with the flow."))
  },
  { httpApiStatus: 400, description: "The states and transitions do not make a flow. Nothing was registered." }
) {
  static readonly of = (problems: ReadonlyArray<string>) =>
    new InvalidFlow({ error: problems.join(" "), details: problems.slice(0, 50) })
}
