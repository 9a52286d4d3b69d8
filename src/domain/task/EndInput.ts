/** What callers send to end a task before it is done, and to bring it back from an end. */
import * as Schema from "effect/Schema"
import { maybe } from "../Encoding.ts"
import { Label, ReasonText } from "../Size.ts"
import { expected } from "./MoveInput.ts"

export const Cancellation = Schema.Struct({
  reason: maybe(ReasonText, "Why: kept on the task as `cancel_reason`, and in its history."),
  cancelled_by: maybe(Label, "Who cancels it; the key's name unless given."),
  version: expected.version,
  fencing_token: maybe(
    Schema.Int,
    "The token of the lease that is meant: refused with 409 when that lease is over. Never needed, since others than the holder cancel."
  )
}).annotate({ identifier: "Cancellation" })
export type Cancellation = typeof Cancellation.Type

export const Redrive = Schema.Struct({
  reason: maybe(ReasonText, "Why it is worth another try: kept in the task's history."),
  redriven_by: maybe(Label, "Who says so; the key's name unless given."),
  ...expected
}).annotate({ identifier: "Redrive" })
export type Redrive = typeof Redrive.Type
