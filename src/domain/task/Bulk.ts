/** Bulk requests: the same change of many tasks, each by itself, with an outcome for each. */
import * as Schema from "effect/Schema"
import { DependencyCycle } from "../dependency/Dependency.ts"
import { describe, ErrorText, listOf, maybe } from "../Encoding.ts"
import { QueueName, TaskId } from "../Identifier.ts"
import { Label, ReasonText, TooLarge } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"
import { EvidenceMissing } from "./Evidence.ts"
import * as Errors from "./TaskErrors.ts"
import { MaxLooked } from "./TaskFilter.ts"
import { NewTask } from "./TaskInput.ts"

/** How many tasks a bulk request names. */
export const MaxBulk = 100

const BulkAction = Schema.Literals([
  "create",
  "accept",
  "reject",
  "requeue",
  "redrive",
  "cancel",
  "delete",
  "reprioritise"
])
export type BulkAction = typeof BulkAction.Type

export const BulkFilter = Schema.Struct({
  queue: maybe(QueueName, "Tasks in this queue."),
  project_id: maybe(Label, "Tasks of this project."),
  type: maybe(Label, "Tasks of this type."),
  role: maybe(Label, "Tasks with this role."),
  priority: maybe(Label, "Tasks with this priority, as it was written.")
}).annotate({ identifier: "BulkFilter" })
export type BulkFilter = typeof BulkFilter.Type

export const Bulk = Schema.Struct({
  action: BulkAction.pipe(
    describe("What is done with each task: what its own endpoint does, or for `reprioritise` a PATCH of `priority`.")
  ),
  tasks: maybe(listOf(NewTask, MaxBulk), `For \`create\`: the tasks, ${MaxBulk} at most.`),
  ids: maybe(
    listOf(TaskId, MaxBulk),
    `For every other action: the tasks, ${MaxBulk} at most. Either this or \`filter\`.`
  ),
  filter: maybe(
    BulkFilter,
    `For every other action: the tasks that match, most urgent first. It names a \`queue\` or a \`project_id\`. A request looks at ${MaxLooked} tasks and takes ${MaxBulk} at most.`
  ),
  by: maybe(Label, "Who does it: `accepted_by`, `rejected_by` and so on. `accept` and `reject` need it."),
  reason: maybe(ReasonText, "Why. `reject` needs it."),
  release: maybe(Schema.Boolean, "For `requeue`: whether the tasks are released."),
  priority: maybe(Label, "For `reprioritise`: the priority that the tasks get."),
  dry_run: maybe(
    Schema.Boolean,
    "Whether the server only says what it would do. Each task is then tried as if it were the only one, and nothing is changed."
  ),
  cursor: maybe(
    Schema.String.check(Schema.isMaxLength(4096)),
    "The `next_cursor` of the answer before, to go on where it ended. Repeat the other fields unchanged, under another idempotency key."
  )
}).annotate({ identifier: "Bulk" })
export type Bulk = typeof Bulk.Type

/** The errors of the endpoints that a bulk request stands for. */
export const BulkError = Schema.Union([
  Errors.TaskNotFound,
  Errors.TaskExists,
  Errors.InvalidTransition,
  Errors.LeaseLost,
  Errors.NotLeased,
  Errors.TaskBlocked,
  Errors.TerminalFailure,
  Errors.VersionConflict,
  Errors.InvalidTask,
  DependencyCycle,
  EvidenceMissing,
  TooLarge
])
export type BulkError = typeof BulkError.Type

const BulkResult = Schema.Struct({
  task_id: TaskId,
  outcome: Schema.Literals(["done", "refused", "not_attempted"]).pipe(
    describe(
      "`done`: the change is made, or in a dry run would be. `refused`: nothing was changed, and `error` says why. `not_attempted`: the request had no room for it."
    )
  ),
  queue: Schema.NullOr(QueueName).pipe(
    describe("The queue after the change; null if it is not made or the task is gone.")
  ),
  version: Schema.NullOr(Schema.Int).pipe(
    describe("The version after the change; null if it is not made or the task is gone.")
  ),
  existing: Schema.NullOr(TaskId).pipe(
    describe("For `create`: the open task that has the `external_key`. Nothing was created.")
  ),
  error: Schema.NullOr(BulkError).pipe(describe("What the endpoint of the action would answer; null unless refused."))
}).annotate({ identifier: "BulkResult" })
export type BulkResult = typeof BulkResult.Type

const count = (description: string) => Schema.Int.pipe(describe(description))

export const BulkAnswer = Schema.Struct({
  action: BulkAction.pipe(describe("What was done with each task.")),
  dry_run: Schema.Boolean.pipe(describe("Whether nothing was changed.")),
  outcomes: Schema.Array(BulkResult).pipe(
    describe("The outcome of each task, in the order of the request or filter.")
  ),
  done: count("How many have the outcome `done`."),
  refused: count("How many have the outcome `refused`."),
  not_attempted: count("How many have the outcome `not_attempted`."),
  looked_at: count("At how many tasks a filter looked. 0 without a filter."),
  next_cursor: Schema.NullOr(Schema.String).pipe(
    describe("The `cursor` of the next request; null if nothing is left to do.")
  )
}).annotate({ identifier: "BulkAnswer" })
export type BulkAnswer = typeof BulkAnswer.Type

export class InvalidBulk extends TaggedError<InvalidBulk>()(
  "InvalidBulk",
  { error: ErrorText, field: Schema.String.pipe(describe("The field that is missing or does not fit.")) },
  { httpApiStatus: 400, description: "A field does not fit the action. Nothing was changed." }
) {
  private static readonly because = (field: string, error: string) => new InvalidBulk({ field, error })
  static readonly needs = (action: BulkAction, field: string) =>
    this.because(field, `${field}: the action ${action} needs it.`)
  static readonly oneOf = (action: BulkAction) =>
    this.because("ids", `The action ${action} needs either ids or a filter, and takes no tasks.`)
  static readonly onlyTasks = () =>
    this.because("tasks", "The action create needs tasks, and takes neither ids nor a filter.")
  static readonly twice = (id: string) => this.because("ids", `The request names the task ${id} twice.`)
  static readonly unbounded = () =>
    this.because("filter", "filter: it has to name a queue or a project_id, which an index finds.")
}

/** What does not fit in the request, or undefined. */
export const problemOf = ({ action, by, filter, ids, priority, reason, tasks }: Bulk): InvalidBulk | undefined => {
  if (action === "create" ? tasks == null || ids != null || filter != null : tasks != null) {
    return action === "create" ? InvalidBulk.onlyTasks() : InvalidBulk.oneOf(action)
  }
  if (action !== "create" && (ids == null) === (filter == null)) return InvalidBulk.oneOf(action)
  const names = tasks?.map(({ id }) => id) ?? ids ?? []
  const twice = names.find((id, place) => names.indexOf(id) !== place)
  if (twice !== undefined) return InvalidBulk.twice(twice)
  if (filter != null && !filter.queue && !filter.project_id) return InvalidBulk.unbounded()
  if ((action === "accept" || action === "reject") && !by) return InvalidBulk.needs(action, "by")
  if (action === "reject" && !reason) return InvalidBulk.needs(action, "reason")
  if (action === "reprioritise" && !priority) return InvalidBulk.needs(action, "priority")
  return undefined
}
