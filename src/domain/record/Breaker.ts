/** Breakers: they stop the claims of a scope or a project when many different tasks fail alike. */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import { describe, ErrorText, maybe, text, Time } from "../Encoding.ts"
import { ProjectId, ScopeName, TaskId } from "../Identifier.ts"
import { Line } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

/** The largest threshold. */
export const MaxThreshold = 100

/** How many failures a breaker remembers: the newest. */
export const MaxRemembered = 200

/** The longest window and the longest wait, in seconds: a day. Waits that double end there. */
export const MaxSeconds = 86_400

export const DefaultWindowSeconds = 600
export const DefaultWaitSeconds = 300

/** How many breakers a list has. */
export const MaxBreakers = 500

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const optional = <S extends Schema.Top>(schema: S, description: string) =>
  Schema.NullOr(schema).pipe(describe(description))

export const BreakerState = Schema.Literals(["closed", "open", "half_open"]).pipe(
  describe(
    "`closed`: tasks are claimed. `open`: none is claimed before `next_canary_at`; then one is, as a canary. `half_open`: the canary is at work, and nothing else is claimed."
  )
)

export const Breaker = Schema.Struct({
  scope: ScopeName,
  project_id: optional(ProjectId, "The project whose claims it stops; null if it stops those of the scope."),
  threshold: optional(Schema.Int, "How many different tasks have to fail alike; null if the breaker is off."),
  window_seconds: Schema.Int.pipe(describe("Within how many seconds.")),
  wait_seconds: Schema.Int.pipe(
    describe("How long the breaker waits for the first canary. The wait doubles with each canary that fails.")
  ),
  state: BreakerState,
  opened_at: optional(Time, "When it opened; null if it is closed."),
  reason: text("The reason of the failure that opened it."),
  tripped_by: optional(TaskId, "The task whose failure opened it."),
  failed_canaries: Schema.Int.pipe(describe("How many canaries have failed since.")),
  next_canary_at: optional(Time, "When the next canary may be claimed, unless one is at work; null if it is closed."),
  canary_task_id: optional(TaskId, "The canary that is at work; null if there is none.")
}).annotate({ identifier: "Breaker" })
export type Breaker = typeof Breaker.Type

export const BreakerList = Schema.Struct({
  scope: ScopeName,
  breakers: Schema.Array(Breaker).pipe(
    describe(`The breakers that are on, at most ${MaxBreakers}: that of the scope first, then those of projects by id.`)
  )
}).annotate({ identifier: "BreakerList" })
export type BreakerList = typeof BreakerList.Type

const project = {
  project_id: maybe(ProjectId, "The project; without it, the breaker is that of the whole scope.")
}

export const BreakerSettings = Schema.Struct({
  ...project,
  threshold: maybe(
    between(2, MaxThreshold),
    `How many different tasks have to fail alike, from 2 to ${MaxThreshold}. Null turns the breaker off, and closes it.`
  ),
  window_seconds: maybe(between(1, MaxSeconds), `Within how many seconds; ${DefaultWindowSeconds} unless given.`),
  wait_seconds: maybe(
    between(1, MaxSeconds),
    `How long it waits for the first canary, in seconds; ${DefaultWaitSeconds} unless given. The wait doubles with each canary that fails, up to a day.`
  )
}).annotate({ identifier: "BreakerSettings" })
export type BreakerSettings = typeof BreakerSettings.Type

export const BreakerClosing = Schema.Struct({
  ...project,
  reason: maybe(Line, "Why, for the feed."),
  closed_by: maybe(Line, "Who closes it; the caller unless given.")
}).annotate({ identifier: "BreakerClosing" })
export type BreakerClosing = typeof BreakerClosing.Type

export class BreakerNotFound extends TaggedError<BreakerNotFound>()(
  "BreakerNotFound",
  { error: ErrorText, project_id: Schema.NullOr(Schema.String).pipe(describe("The project; null for the scope.")) },
  { httpApiStatus: 404, description: "The scope or the project has no breaker." }
) {
  static readonly of = (scope: string, project_id: string | null) =>
    new BreakerNotFound({
      error: `${
        project_id === null ? `Scope ${scope}` : `Project ${project_id}`
      } has no breaker. Set one with PUT /api/v1/breakers.`,
      project_id
    })
}

/** An open breaker, as the answer to a claim that it stops shows it. */
export const StoppedBy = Schema.Struct({
  project_id: optional(ProjectId, "The project whose breaker it is; null for the scope."),
  opened_at: Time.pipe(describe("When it opened.")),
  reason: text("The reason of the failure that opened it."),
  next_canary_at: Time.pipe(describe("When the next canary may be claimed, unless one is at work.")),
  canary_task_id: optional(TaskId, "The canary that is at work; null if there is none.")
})

/** What an open breaker says about a task that it stops. */
export interface Stopping {
  readonly project_id: string | null
  readonly opened_at: number
  readonly reason: string | null
  readonly retry_at: number
  readonly half_open: boolean
  readonly canary_task: string | null
}

/** The same for an answer. */
export const stoppedBy = (
  { canary_task, half_open, opened_at, project_id, reason, retry_at }: Stopping
): typeof StoppedBy.Type => ({
  project_id: project_id === null ? null : ProjectId.make(project_id),
  opened_at: DateTime.makeUnsafe(opened_at),
  reason,
  next_canary_at: DateTime.makeUnsafe(retry_at),
  canary_task_id: half_open && canary_task !== null ? TaskId.make(canary_task) : null
})

/** Why it opened, and when the next canary may be claimed. */
export const causeOf = ({ reason, retry_at }: Stopping) => ({
  ...(reason === null ? {} : { cause: reason }),
  until: DateTime.makeUnsafe(retry_at)
})

/** Why nothing is claimed there, and what to do. */
export const breakerSentence = (
  { canary_task, half_open, opened_at, project_id, reason, retry_at }: Stopping
): string => {
  const where = project_id === null ? "the scope" : `project ${project_id}`
  const cause = reason === null ? "" : `: ${reason.replace(/[.\s]+$/, "")}`
  const next = half_open
    ? `Task ${canary_task} is tried as a canary; its result closes the breaker.`
    : `The next canary may be claimed at ${new Date(retry_at).toISOString()}.`
  return `The breaker of ${where} is open since ${
    new Date(opened_at).toISOString()
  }, because different tasks failed alike${cause}. ${next} Mend the cause and close it with POST /api/v1/breakers/close.`
}
