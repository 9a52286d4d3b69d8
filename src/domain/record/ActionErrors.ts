/** The ways an operation on an action can fail. */
import * as Schema from "effect/Schema"
import { ActionStatus } from "./Action.ts"
import { describe, ErrorText } from "../Encoding.ts"
import { ActionId } from "../Identifier.ts"
import { TaggedError } from "../TaggedError.ts"

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
  { httpApiStatus: 400, description: "Only an action that is proposed, and has not expired, can be executed." }
) {
  static readonly inStatus = (action_id: ActionId, status: ActionStatus) =>
    new ActionNotExecutable({
      error: `Cannot execute action with status "${status}". Only "proposed" actions can be executed.`,
      action_id,
      status
    })
  static readonly lapsed = (action_id: ActionId) =>
    new ActionNotExecutable({ error: "Action has expired", action_id, status: "expired" })
}

export class InvalidActionStatus extends TaggedError<InvalidActionStatus>()(
  "InvalidActionStatus",
  { error: ErrorText, valid: Schema.Array(ActionStatus).pipe(describe("The statuses an action can have.")) },
  { httpApiStatus: 400, description: "The status is none that an action can have." }
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
