/** Decodes the rows of actions as they are at a given time. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ActionRow, actionSeenAt } from "../../../domain/record/Action.ts"

const decodeRows = Schema.decodeUnknownEffect(Schema.Array(ActionRow))

export const decodeActions = (rows: unknown, now: number) =>
  Effect.map(Effect.orDie(decodeRows(rows)), (actions) => actions.map((action) => actionSeenAt(action, now)))
