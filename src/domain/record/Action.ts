/** An action: a proposal that one actor approves and another carries out. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { describe, ErrorText, maybe, text, Time, TimeColumn } from "../Encoding.ts"
import { ActionId, ScopeName } from "../Identifier.ts"
import { contentParameter, pageParameters } from "../Page.ts"
import { filled, Label, LongText, MaxLabel, MaxLine, MaxLong, MaxShort, SizedId, sizedJsonText } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

export const ActionStatus = Schema.Literals([
  "proposed",
  "execute_requested",
  "executing",
  "completed",
  "failed",
  "expired"
])
export type ActionStatus = typeof ActionStatus.Type

/** The statuses that an action does not leave. */
export const finishedStatuses = ["completed", "failed", "expired"] as const satisfies ReadonlyArray<ActionStatus>

const entityType = "The kind of record that it is about, such as `draft` or `task`."
const entityId = "The id of that record. It need not exist."

const fields = <T extends Schema.Top>(time: T) => ({
  id: ActionId,
  entity_type: Schema.String.pipe(describe(entityType)),
  entity_id: Schema.String.pipe(describe(entityId)),
  action_type: Schema.String.pipe(describe("What to do, as a word for programs.")),
  label: Schema.String.pipe(describe("What to do, in a few words for people.")),
  description: text("What to do, in full."),
  status: ActionStatus.pipe(describe(
    "`proposed`, then `execute_requested` after its approval, `executing`, and `completed` or `failed`. A proposal that nobody approved in time is `expired`."
  )),
  proposed_by: Schema.String.pipe(describe("Who proposed it.")),
  proposed_at: time.pipe(describe("When it was proposed.")),
  executed_at: Schema.NullOr(time).pipe(describe("When it was approved.")),
  result: text("The result: text, or JSON text."),
  expires_at: Schema.NullOr(time).pipe(describe("Until when it may be approved.")),
  metadata: text("Data of the proposer, as text or JSON text."),
  scope: ScopeName,
  action_data: text("What the actor who carries it out needs to know, as text or JSON text.")
})

export const Action = Schema.Struct(fields(Time)).annotate({ identifier: "Action" })
export type Action = typeof Action.Type

export const ActionRow = Schema.Struct(fields(TimeColumn))

/** The action as it is at `now`. Expiry is not stored: it follows from the time. */
export const actionSeenAt = (action: Action, now: number): Action =>
  action.status === "proposed" && action.expires_at !== null && DateTime.toEpochMillis(action.expires_at) <= now
    ? { ...action, status: "expired" }
    : action

const given = (description: string, most = MaxLabel) => filled(most).pipe(describe(description))

export const NewAction = Schema.Struct({
  entity_type: given(entityType),
  entity_id: SizedId.pipe(describe(entityId)),
  label: given("What to do, in a few words for people.", MaxLine),
  proposed_by: given("Who proposes it."),
  action_type: maybe(Label, "What to do, as a word for programs; `proposal` unless given."),
  description: maybe(LongText, "What to do, in full."),
  expires_at: maybe(
    Schema.Union([Time, Schema.Literal("")]),
    "Until when it may be approved; without end unless given."
  ),
  metadata: maybe(sizedJsonText(MaxLong), "Any data to keep: text, or JSON, which is returned as text."),
  action_data: maybe(
    sizedJsonText(MaxLong),
    "What the actor who carries it out needs to know: text, or JSON, which is returned as text."
  )
}).annotate({ identifier: "NewAction" })
export type NewAction = typeof NewAction.Type

const result = maybe(sizedJsonText(MaxLong), "The result: text, or JSON, which is returned as text.")

/** What PATCH may change. The service checks the status, because clients expect its answer to an invalid one. */
export const ActionPatch = Schema.Struct({
  status: maybe(Label, `One of ${ActionStatus.literals.map((status) => `\`${status}\``).join(", ")}.`),
  result,
  expected_status: maybe(
    ActionStatus,
    "The status that you expect the action to have. If it has another one, nothing is changed and the answer is 409: of several callers that begin to carry it out, one succeeds."
  )
}).annotate({ identifier: "ActionPatch" })
export type ActionPatch = typeof ActionPatch.Type

export const ActionCompletion = Schema.Struct({ result }).annotate({ identifier: "ActionCompletion" })
export type ActionCompletion = typeof ActionCompletion.Type

export const ActionFailure = Schema.Struct({
  error: maybe(sizedJsonText(MaxShort), "Why it failed."),
  reason: maybe(sizedJsonText(MaxShort), "Why it failed, for clients that use this name."),
  result
}).annotate({ identifier: "ActionFailure" })
export type ActionFailure = typeof ActionFailure.Type

/** The result that is kept for a failure: its text, or all texts by their names if there are several. */
export const actionResultOf = ({ error, reason, result }: ActionFailure): string | null => {
  const said = Object.entries({ error, reason, result }).filter(([, text]) => text)
  return said.length > 1 ? JSON.stringify(Object.fromEntries(said)) : said[0]?.[1] ?? null
}

const parameter = (description: string) => Schema.optionalKey(Schema.String).pipe(describe(description))

/** Whether a read returns the long texts of an action. */
export const actionContent = contentParameter(
  "`description`, `result`, `metadata` and `action_data`, which are null then"
)

/** The query parameters of the action list. Each narrows the list; an empty one does not. */
export const actionFilters = {
  entity_type: parameter(entityType),
  entity_id: parameter(entityId),
  status: Schema.optionalKey(Schema.Literals([...ActionStatus.literals, "pending", ""])).pipe(
    describe("Exactly this status; `pending` means `proposed`. Without it, expired actions are left out.")
  ),
  ...pageParameters,
  ...actionContent
}
const ActionFilter = Schema.Struct(actionFilters)
export type ActionFilter = typeof ActionFilter.Type

const status = ActionStatus.pipe(describe("The status the action has."))

export class ActionNotFound extends TaggedError<ActionNotFound>()(
  "ActionNotFound",
  { error: ErrorText, action_id: Schema.String.pipe(describe("The id asked for.")) },
  { httpApiStatus: 404, description: "No action with this id is in reach: it does not exist, or is in another scope." }
) {
  static readonly of = (action_id: string) => new ActionNotFound({ error: "Action not found", action_id })
}

export class ActionNotExecutable extends TaggedError<ActionNotExecutable>()(
  "ActionNotExecutable",
  { error: ErrorText, action_id: ActionId, status },
  { httpApiStatus: 400, description: "Only an action that is proposed and has not expired can be executed." }
) {
  static readonly inStatus = (action_id: ActionId, status: ActionStatus) =>
    new ActionNotExecutable({
      error: `Cannot execute action with status "${status}". Only "proposed" actions can be executed.`,
      action_id,
      status
    })
  static readonly expired = (action_id: ActionId) =>
    new ActionNotExecutable({ error: "Action has expired", action_id, status: "expired" })
}

export class InvalidActionStatus extends TaggedError<InvalidActionStatus>()(
  "InvalidActionStatus",
  { error: ErrorText, valid: Schema.Array(ActionStatus).pipe(describe("The statuses an action can have.")) },
  { httpApiStatus: 400, description: "An action cannot have this status." }
) {
  static readonly of = (status: string) =>
    new InvalidActionStatus({
      error: `Invalid status "${status}". Valid statuses: ${ActionStatus.literals.join(", ")}`,
      valid: ActionStatus.literals
    })
}

export class ActionStatusConflict extends TaggedError<ActionStatusConflict>()(
  "ActionStatusConflict",
  { error: ErrorText, action_id: ActionId, status },
  {
    httpApiStatus: 409,
    description: "The action is finished, or does not have the status the caller expects. Nothing was changed."
  }
) {
  static readonly finished = (action_id: ActionId, status: ActionStatus) =>
    new ActionStatusConflict({
      error: `Action ${action_id} is ${status}, which is final: its status and outcome stay as they are.`,
      action_id,
      status
    })
  static readonly unexpected = (action_id: ActionId, status: ActionStatus, expected: ActionStatus) =>
    new ActionStatusConflict({
      error: `Action ${action_id} is ${status}, not ${expected}. Read it again before you change it.`,
      action_id,
      status
    })
}
