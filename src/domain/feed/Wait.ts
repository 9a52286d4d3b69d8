/** The message by which a WebSocket waits for work (`docs/events.md`). */
import * as Schema from "effect/Schema"
import { Claim } from "../task/MoveInput.ts"

/** The most bytes of the message. */
export const MaxWait = 3000

/** What the claim of the client would look for. */
export const Wait = Schema.Struct({
  type: Schema.Literal("wait"),
  queue: Claim.fields.queue,
  role_filter: Claim.fields.role_filter,
  type_filter: Claim.fields.type_filter
})
export type Wait = typeof Wait.Type

/** The answer, once a task is ready. */
export const work = { type: "work" } as const
