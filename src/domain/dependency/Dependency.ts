/** Dependencies: the blockers of a task, and what the failure of a blocker does to it. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, IntegerParameter, listOf, maybe, Time, TimeColumn } from "../Encoding.ts"
import { QueueName, TaskId } from "../Identifier.ts"
import { TaggedError } from "../TaggedError.ts"
import { expected } from "../task/MoveInput.ts"

/** What happens to the dependent if the blocker fails or is cancelled. */
export const OnFailure = Schema.Literals(["wait", "skip", "fail"]).pipe(
  describe(
    "What happens to the dependent if the blocker goes to `failed` or `cancelled`. `wait`: it continues to wait. `skip`: it waits for this blocker no longer, unless the blocker is redriven. `fail`: it fails too, if nobody holds it."
  )
)
export type OnFailure = typeof OnFailure.Type

/** How many blockers a task may get in one request. */
export const MaxBlockers = 100

// `blocked_by` joins the names of blockers by commas, so a name has none.
const BlockerId = TaskId.check(Schema.isPattern(/^[^,]*$/, { expected: "no commas" })).pipe(
  describe("The task to wait for. It need not exist yet; `TASK-x` also means `x`.")
)

const edge = <T extends Schema.Top>(time: T) => ({
  blocker_id: Schema.String.pipe(
    describe("The task it waits for, as its creator named it; `TASK-x` also means `x`.")
  ),
  on_failure: OnFailure,
  satisfied_at: Schema.NullOr(time).pipe(
    describe(
      "Since when the blocker is met: it is done, or it failed and `on_failure` is `skip`. Null while it is unmet."
    )
  )
})

export const Dependency = Schema.Struct({
  ...edge(Time),
  queue: Schema.NullOr(QueueName).pipe(describe("The queue of the blocker; null if there is no such task."))
}).annotate({ identifier: "Dependency" })
export type Dependency = typeof Dependency.Type

/** A dependency as its row holds it. */
export const DependencyRow = Schema.Struct({ ...edge(TimeColumn), queue: Schema.NullOr(QueueName) })

/** All blockers of a task. */
export const Dependencies = Schema.Struct({
  task_id: TaskId,
  version: Schema.Int.pipe(describe("The version of the task.")),
  blocked_by: Schema.NullOr(Schema.String).pipe(
    describe("The unmet blockers, joined by commas; null if there are none.")
  ),
  dependencies: Schema.Array(Dependency).pipe(describe("All its blockers, met and unmet, in order."))
}).annotate({ identifier: "Dependencies" })
export type Dependencies = typeof Dependencies.Type

const NewDependency = Schema.Struct({
  task_id: BlockerId,
  on_failure: maybe(OnFailure, "`wait` unless given.")
})

/** A list of blockers in a body. Each is an id, or an id with its `on_failure`. */
export const DependsOn = listOf(Schema.Union([BlockerId, NewDependency]), MaxBlockers)
export type DependsOn = typeof DependsOn.Type

/** The new list of all blockers of a task. */
export const DependencyList = Schema.Struct({
  depends_on: DependsOn.pipe(describe("All blockers, in order. An empty list removes all.")),
  ...expected
}).annotate({ identifier: "DependencyList" })
export type DependencyList = typeof DependencyList.Type

/** How a task is to wait for one blocker. */
export const DependencyChange = Schema.Struct({
  on_failure: maybe(
    OnFailure,
    "What the blocker's failure means. Unchanged unless given; `wait` for a new dependency."
  ),
  ...expected
}).annotate({ identifier: "DependencyChange" })
export type DependencyChange = typeof DependencyChange.Type

/** What the query of a removal may state about the task. */
export const expectedParameters = {
  version: Schema.optionalKey(
    IntegerParameter.pipe(describe("The version that you expect the task to have: refused with 409 if it has another."))
  ),
  fencing_token: Schema.optionalKey(
    IntegerParameter.pipe(
      describe("The token of the lease of this call: refused with 409 if that lease is over.")
    )
  )
}

/** One blocker of a task, and what its failure means. */
export interface Waits {
  readonly blocker: string
  readonly on_failure: OnFailure
}

/** The ids of the tasks that this name can mean. */
export const meanings = (name: string): ReadonlyArray<string> =>
  name.startsWith("TASK-") ? [name, name.slice(5)] : [name]

/** The blockers that a caller names in `blocked_by`. */
export const parseBlockers = (blocked_by: string | null | undefined): ReadonlyArray<string> => [
  ...new Set((blocked_by ?? "").split(",").map((id) => id.trim()).filter((id) => id !== ""))
]

/** The blockers of `blocked_by` and `depends_on` together. Each is listed once, where it came first. */
export const waitsOf = (blockers: ReadonlyArray<string>, depends_on?: DependsOn | null): ReadonlyArray<Waits> => {
  const waits = new Map<string, OnFailure>(blockers.map((blocker) => [blocker, "wait"]))
  for (const item of depends_on ?? []) {
    if (typeof item === "string") waits.set(item, waits.get(item) ?? "wait")
    else waits.set(item.task_id, item.on_failure ?? waits.get(item.task_id) ?? "wait")
  }
  return [...waits].map(([blocker, on_failure]) => ({ blocker, on_failure }))
}

/** The dependency with this name, or with the other spelling of it. */
export const named = (waits: ReadonlyArray<Waits>, name: string): Waits | undefined =>
  waits.find(({ blocker }) => blocker === name)
    ?? waits.find(({ blocker }) => blocker === `TASK-${name}` || name === `TASK-${blocker}`)

export class DependencyCycle extends TaggedError<DependencyCycle>()(
  "DependencyCycle",
  {
    error: ErrorText,
    task_id: TaskId,
    path: Schema.Array(Schema.String).pipe(
      describe(
        "The tasks of the circle: each waits for the next one, and the last is the first. Of a very long circle, only the task and the blocker that would close it."
      )
    )
  },
  {
    httpApiStatus: 409,
    description: "The tasks would wait for each other in a circle. Nothing was changed."
  }
) {
  static readonly of = (task_id: TaskId, path: ReadonlyArray<string>) =>
    new DependencyCycle({
      error: `Task ${task_id} cannot wait for ${path[1]}: they would wait for each other (${
        path.join(" waits for ")
      }). Leave it out, or remove another of these dependencies first.`,
      task_id,
      path
    })

  /** There is a circle, but it is longer than the search. */
  static readonly tooLong = (task_id: TaskId, blocker: string) =>
    new DependencyCycle({
      error:
        `Task ${task_id} cannot wait for ${blocker}: that waits for it already, by way of many others. Leave it out, or remove another of these dependencies first.`,
      task_id,
      path: [task_id, blocker]
    })
}

export class DependencyNotFound extends TaggedError<DependencyNotFound>()(
  "DependencyNotFound",
  {
    error: ErrorText,
    task_id: TaskId,
    blocker_id: Schema.String.pipe(describe("The blocker asked for."))
  },
  { httpApiStatus: 404, description: "The task does not depend on this one. Nothing was changed." }
) {
  static readonly of = (task_id: TaskId, blocker_id: string) =>
    new DependencyNotFound({
      error:
        `Task ${task_id} does not depend on ${blocker_id}. GET /api/v1/tasks/:id/dependencies says on what it does.`,
      task_id,
      blocker_id
    })
}
