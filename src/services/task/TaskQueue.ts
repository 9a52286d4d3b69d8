/**
 * The queue: creates, reads, claims and moves tasks. A change is one batch. The operations are in the other files here.
 */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DependencyCycle } from "../../domain/dependency/Dependency.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import type { Handoff } from "../../domain/lease/Handoff.ts"
import type { TooManyParks } from "../../domain/lease/Park.ts"
import type { ContentChoice, Envelope, InvalidCursor } from "../../domain/Page.ts"
import type { TooLarge } from "../../domain/Size.ts"
import type { Bulk, BulkAnswer, InvalidBulk } from "../../domain/task/Bulk.ts"
import type { EvidenceMissing } from "../../domain/task/Evidence.ts"
import type { AskedClaim, Explanation } from "../../domain/task/explain/Explanation.ts"
import type { HistoryEntry, HistoryQuery } from "../../domain/task/History.ts"
import type {
  Acceptance,
  Cancellation,
  Claim,
  Failure,
  ForcedMove,
  HookResult,
  Parking as ParkInput,
  Redrive,
  Rejection,
  Requeue,
  Submission
} from "../../domain/task/MoveInput.ts"
import type { ClaimedTask, ExistingTask, Task } from "../../domain/task/Task.ts"
import type {
  AtCapacity,
  HookNotFound,
  InvalidTask,
  InvalidTransition,
  LeaseLost,
  NoTasksAvailable,
  NotLeased,
  TaskBlocked,
  TaskExists,
  TaskNotFound,
  TerminalFailure,
  VersionConflict
} from "../../domain/task/TaskErrors.ts"
import type { TaskFilter } from "../../domain/task/TaskFilter.ts"
import type { NewTask, TaskPatch } from "../../domain/task/TaskInput.ts"
import type { Reach } from "../../sql/Reach.ts"
import * as Parking from "../lease/park.ts"
import * as Cancel from "./change/cancel.ts"
import * as Hooks from "./change/hooks.ts"
import * as Moves from "./change/move.ts"
import * as Patching from "./change/patch.ts"
import * as Removal from "./change/remove.ts"
import * as Claiming from "./claim.ts"
import * as Creation from "./create.ts"
import * as Explaining from "./explain.ts"
import * as Bulking from "./many/bulk.ts"
import * as Searching from "./many/search.ts"
import * as Reading from "./read.ts"

type PatchError =
  | TaskExists
  | TaskNotFound
  | InvalidTask
  | LeaseLost
  | NotLeased
  | TaskBlocked
  | VersionConflict
  | DependencyCycle
type MoveError = TaskExists | TaskNotFound | InvalidTransition | LeaseLost | VersionConflict

export class TaskQueue extends Context.Service<TaskQueue, {
  /**
   * Adds a task to the scope, on the branch of its project if that has one. If an open task has the same external key,
   * answers that task instead.
   */
  readonly create: (
    scope: ScopeName,
    task: NewTask
  ) => Effect.Effect<Task | ExistingTask, TaskExists | InvalidTask | DependencyCycle>
  readonly get: (id: TaskId, scope: Reach, choice?: ContentChoice) => Effect.Effect<Task, TaskNotFound>
  /**
   * A page of the tasks of the scope, newest or most urgent first, and how many match on all pages. A search looks at a
   * bounded number of tasks for each page.
   */
  readonly list: (
    scope: ScopeName,
    filter: TaskFilter
  ) => Effect.Effect<
    { readonly tasks: ReadonlyArray<Task>; readonly looked_at?: number } & Envelope,
    InvalidCursor
  >
  /** Leases the most urgent task that matches. A claim never fails because another claim was faster. */
  readonly claim: (
    scope: ScopeName,
    claim: Claim
  ) => Effect.Effect<ClaimedTask, NoTasksAvailable | AtCapacity | InvalidTask | LeaseLost | TaskNotFound>
  /** Hands in a result. A late call counts if no one else was granted the task and no one moved it. */
  readonly submit: (id: TaskId, work: Submission, scope: Reach) => Effect.Effect<Task, MoveError>
  /** Marks the task done and unblocks its dependents. */
  readonly accept: (
    id: TaskId,
    acceptance: Acceptance,
    scope: Reach
  ) => Effect.Effect<Task, MoveError | EvidenceMissing>
  /** Sends the task back with a reason, which its next holder gets. */
  readonly reject: (id: TaskId, rejection: Rejection, scope: Reach) => Effect.Effect<Task, MoveError>
  /** Gives up the work, or releases the task, and sends it back to the queue it was claimed from. */
  readonly requeue: (id: TaskId, requeue: Requeue, scope: Reach) => Effect.Effect<Task, MoveError>
  /** Fails the task for good, from any queue, with a reason. */
  readonly fail: (id: TaskId, failure: Failure, scope: Reach) => Effect.Effect<Task, MoveError>
  /** Cancels the task, or asks its holder to stop. */
  readonly cancel: (
    id: TaskId,
    cancellation: Cancellation,
    scope: Reach
  ) => Effect.Effect<Task, Exclude<MoveError, TaskExists>>
  /** Parks an account until a time, and releases the task. */
  readonly park: (
    id: TaskId,
    parking: ParkInput,
    scope: Reach
  ) => Effect.Effect<Task, MoveError | InvalidTask | TooManyParks>
  /** Brings a failed or cancelled task back to `incoming`, with its counters at zero. */
  readonly redrive: (id: TaskId, redrive: Redrive, scope: Reach) => Effect.Effect<Task, MoveError | TerminalFailure>
  /** Changes fields, and repairs contradictions (`domain/task/PatchPlan.ts`). */
  readonly patch: (
    id: TaskId,
    patch: TaskPatch,
    scope: Reach
  ) => Effect.Effect<Task, PatchError>
  /** Puts the task into any queue, also into `done`, and ends its lease. */
  readonly force: (
    id: TaskId,
    forced: ForcedMove,
    scope: Reach
  ) => Effect.Effect<Task, PatchError>
  /** Records the result of a hook. */
  readonly completeHook: (
    id: TaskId,
    hook: string,
    result: HookResult,
    scope: Reach
  ) => Effect.Effect<Task, TaskNotFound | HookNotFound | LeaseLost | TooLarge>
  /** Explains why nobody has the task, and whether a claim would get it. Changes nothing. */
  readonly explain: (
    id: TaskId,
    asked: AskedClaim,
    scope: Reach
  ) => Effect.Effect<Explanation, TaskNotFound | InvalidTask>
  readonly remove: (id: TaskId, scope: Reach) => Effect.Effect<void, TaskNotFound>
  /** Makes the same change of many tasks, each by itself, and answers the outcome of each. */
  readonly bulk: (bulk: Bulk, scope: Bulking.BulkScope) => Effect.Effect<BulkAnswer, InvalidBulk | InvalidCursor>
  /** What the next holder of the task should know. */
  readonly handoff: (
    id: TaskId,
    scope: Reach
  ) => Effect.Effect<Handoff & { readonly task_id: TaskId }, TaskNotFound>
  /** The history of the task, oldest entry first. A deleted task has one too. */
  readonly history: (id: TaskId, scope: Reach, query?: HistoryQuery) => Effect.Effect<{
    readonly task_id: TaskId
    readonly history: ReadonlyArray<HistoryEntry>
    readonly total: number
    readonly next_cursor: string | null
  }, TaskNotFound | InvalidCursor>
}>()("octopoid-server/services/TaskQueue") {
  static readonly layer = Layer.effect(
    TaskQueue,
    Effect.gen(function*() {
      const reading = yield* Reading.make
      const search = yield* Searching.make
      const operations = {
        create: yield* Creation.make,
        claim: yield* Claiming.make,
        cancel: yield* Cancel.make,
        completeHook: yield* Hooks.make,
        explain: yield* Explaining.make,
        ...(yield* Patching.make),
        park: yield* Parking.make,
        remove: yield* Removal.make,
        ...(yield* Moves.make),
        ...reading,
        list: (scope: ScopeName, filter: TaskFilter) =>
          filter.q ? search(scope, filter, filter.q) : reading.list(scope, filter)
      } satisfies Omit<TaskQueue["Service"], "bulk">
      return TaskQueue.of({ ...operations, bulk: yield* Bulking.make(operations) })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}
