/** The names of records. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { describe } from "./Encoding.ts"

// Control characters and halves of surrogate pairs are refused: logs and URLs do not keep them, and some clients cannot
// send them back.
const name = (description: string, longest = 200) =>
  Schema.NonEmptyString.check(
    Schema.isMaxLength(longest),
    // oxlint-disable-next-line no-control-regex
    Schema.isPattern(/^[^\u0000-\u001f\u007f]*$/, { expected: "no control characters" }),
    Schema.makeFilter((text: string) => text.isWellFormed(), { expected: "no half of a surrogate pair" }),
    // An id is a segment of a path, and URLs remove `.` and `..`.
    Schema.isPattern(/^(?!\.{1,2}$).*\S/, { expected: "a name that is not blank, `.` or `..`" })
  ).pipe(describe(description))

/** The tenant. Every record belongs to one scope, and nothing crosses scopes. */
export const ScopeName = name("The scope (tenant) the record belongs to.")
export type ScopeName = typeof ScopeName.Type

/** The scope of a request that names none. */
export const DefaultScope: ScopeName = "default"

export const TaskId = name("The task's id, chosen by its creator and unique on the server.").pipe(
  Schema.brand("TaskId")
)
export type TaskId = typeof TaskId.Type

/** The id that the creator's own system has for the task: the number of an issue, an address. */
export const ExternalKey = name("The id that the creator's own system has for the task.", 255)

export const ProjectId = name("The project's id, chosen by its creator and unique on the server.").pipe(
  Schema.brand("ProjectId")
)
export type ProjectId = typeof ProjectId.Type

export const OrchestratorId = name("The orchestrator's id: `<cluster>-<machine_id>` unless it chose one.").pipe(
  Schema.brand("OrchestratorId")
)
export type OrchestratorId = typeof OrchestratorId.Type

export const FlowName = name("The flow's name, unique in its scope.")
export type FlowName = typeof FlowName.Type

export const RoleName = name("The role's name, unique in its scope.")
export type RoleName = typeof RoleName.Type

export const DraftId = Schema.Int.check(Schema.isGreaterThan(0)).pipe(
  describe("The draft's id, given by the server."),
  Schema.brand("DraftId")
)
export type DraftId = typeof DraftId.Type

export const MessageId = name("The message's id, given by the server.").pipe(Schema.brand("MessageId"))
export type MessageId = typeof MessageId.Type

export const ActionId = name("The action's id, given by the server.").pipe(Schema.brand("ActionId"))
export type ActionId = typeof ActionId.Type

/** The name of a queue. `task/Moves.ts` names the queues of the default machine; any other name is a queue too. */
export const QueueName = name("A queue: the state of a task. Any name without quotes.").check(
  // Queue names are keys of the JSON counters, and SQLite cannot escape a quote in a JSON path.
  Schema.isPattern(/^[^"\\]*$/, { expected: "no quotes or backslashes" })
)
export type QueueName = typeof QueueName.Type

const generated = Effect.fnUntraced(function*(prefix: string) {
  const now = yield* Clock.currentTimeMillis
  const random = yield* (yield* SecureRandom.SecureRandom).intBetween(0, 36 ** 6, { halfOpen: true })
  return `${prefix}-${now}-${random.toString(36).padStart(6, "0")}`
})

export const messageId = Effect.map(generated("msg"), (id) => MessageId.make(id))
export const actionId = Effect.map(generated("act"), (id) => ActionId.make(id))
