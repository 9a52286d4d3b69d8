/** Why a claim gets nothing. */
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../Encoding.ts"
import { TaggedError } from "../TaggedError.ts"

export class AtCapacity extends TaggedError<AtCapacity>()(
  "AtCapacity",
  {
    error: ErrorText,
    reason: Schema.Literal("at_capacity").pipe(describe("Why there is nothing for it.")),
    orchestrator_id: Schema.String.pipe(describe("The machine that claims.")),
    claimed: Schema.Int.pipe(describe("How many tasks it holds.")),
    max_claimed: Schema.Int.pipe(describe("How many it may hold at once.")),
    retry_after_seconds: Schema.Int.pipe(describe("When to ask again; also the `Retry-After` header."))
  },
  { httpApiStatus: 429, description: "The machine holds as many tasks as it may. Reviews do not count." }
) {
  static readonly of = (orchestrator_id: string, claimed: number, max_claimed: number, retry_after_seconds: number) =>
    new AtCapacity({
      error:
        `Orchestrator ${orchestrator_id} holds ${claimed} of the ${max_claimed} tasks it may hold at once. Finish one first.`,
      reason: "at_capacity",
      orchestrator_id,
      claimed,
      max_claimed,
      retry_after_seconds
    })
}

export const EmptyReason = Schema.Literals([
  "none_ready",
  "role_mismatch",
  "backing_off",
  "blocked",
  "held",
  "maintenance",
  "too_large"
]).pipe(
  describe(
    "`none_ready`: the queue is empty. `role_mismatch`: tasks are ready, but none of the roles or types asked for. `backing_off`: what is there waits after attempts that were given up, and the first is due in `retry_after_seconds`, or in more than a minute. `blocked`: what is there waits for other tasks. `held`: what is there is held by others. `maintenance`: the orchestrator gets no work until it is lifted. `too_large`: the next task is larger than a record may be, and no other is ready for the claim: a PATCH that shortens it makes it claimable."
  )
)

const waiting = (description: string) => Schema.Int.pipe(describe(description))

export class NoTasksAvailable extends TaggedError<NoTasksAvailable>()(
  "NoTasksAvailable",
  {
    message: Schema.Literal("No tasks available").pipe(describe("What clients of the old server look for.")),
    error: ErrorText,
    reason: EmptyReason,
    counts: Schema.Record(Schema.String, Schema.Int).pipe(describe("How many tasks each queue holds.")),
    waiting: Schema.Struct({
      ready: waiting("Ready for another claim."),
      held: waiting("Held by others."),
      blocked: waiting("Waiting for other tasks."),
      backing_off: waiting("Waiting after an attempt that was given up.")
    }).pipe(
      describe(
        "What is in the queue that was looked into, of up to 20 tasks: the first 10 that are ready, and the first 10 that are not."
      )
    ),
    retry_after_seconds: Schema.Int.pipe(describe("When to ask again; also the `Retry-After` header."))
  },
  { httpApiStatus: 404, description: "There is no task for this claim now." }
) {}
