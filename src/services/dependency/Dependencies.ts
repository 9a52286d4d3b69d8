/** Dependencies of tasks: read, changed, and shown as a graph. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  type Dependencies as Listing,
  type DependencyChange,
  type DependencyCycle,
  type DependencyList,
  DependencyNotFound,
  MaxBlockers,
  named,
  type Waits,
  waitsOf
} from "../../domain/dependency/Dependency.ts"
import type { Graph } from "../../domain/dependency/DependencyGraph.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import type { Expected } from "../../domain/task/MoveInput.ts"
import { InvalidTask, type LeaseLost, type TaskNotFound, type VersionConflict } from "../../domain/task/TaskErrors.ts"
import type { Reach } from "../../sql/Reach.ts"
import * as Changing from "./change.ts"
import * as Graphing from "./graph.ts"
import * as Reading from "./read.ts"

type ChangeError = TaskNotFound | InvalidTask | LeaseLost | VersionConflict | DependencyCycle

export class Dependencies extends Context.Service<Dependencies, {
  /** All blockers of the task, and their queues. */
  readonly list: (id: TaskId, scope: Reach) => Effect.Effect<Listing, TaskNotFound>
  /** Replaces the blockers of the task by these. */
  readonly replace: (id: TaskId, list: DependencyList, scope: Reach) => Effect.Effect<Listing, ChangeError>
  /** Adds a blocker, or changes what its failure means. */
  readonly put: (
    id: TaskId,
    blocker: TaskId,
    change: DependencyChange,
    scope: Reach
  ) => Effect.Effect<Listing, ChangeError>
  /** Removes a blocker. */
  readonly remove: (
    id: TaskId,
    blocker: string,
    expected: Expected,
    scope: Reach
  ) => Effect.Effect<Listing, ChangeError | DependencyNotFound>
  /** The blockers and dependents of the task, their blockers and dependents, and so on, within `depth` edges. */
  readonly graph: (id: TaskId, depth: number, scope: Reach) => Effect.Effect<Graph, TaskNotFound>
}>()("octopoid-server/services/Dependencies") {
  static readonly layer = Layer.effect(
    Dependencies,
    Effect.gen(function*() {
      const change = yield* Changing.make

      const put = Effect.fn("Dependencies.put")(
        function*(id: TaskId, blocker: TaskId, { on_failure, ...expected }: DependencyChange, scope: Reach) {
          if (blocker.includes(",")) return yield* InvalidTask.commaInBlocker(blocker)
          return yield* change(id, expected, scope, (waits: ReadonlyArray<Waits>) => {
            const edge = named(waits, blocker)
            return Effect.succeed(
              edge === undefined
                ? [...waits, { blocker, on_failure: on_failure ?? "wait" }]
                : waits.map((each) => each === edge ? { ...each, on_failure: on_failure ?? each.on_failure } : each)
            )
          })
        }
      )

      const remove = Effect.fn("Dependencies.remove")(
        function*(id: TaskId, blocker: string, expected: Expected, scope: Reach) {
          return yield* change(id, expected, scope, (waits) => {
            const edge = named(waits, blocker)
            return edge === undefined
              ? Effect.fail(DependencyNotFound.of(id, blocker))
              : Effect.succeed(waits.filter((each) => each !== edge))
          })
        }
      )

      const replace = Effect.fn("Dependencies.replace")(
        function*(id: TaskId, { depends_on, ...expected }: DependencyList, scope: Reach) {
          if (depends_on.length > MaxBlockers) return yield* InvalidTask.tooManyBlockers(MaxBlockers)
          return yield* change(id, expected, scope, () => Effect.succeed(waitsOf([], depends_on)))
        }
      )

      return Dependencies.of({ put, remove, replace, list: yield* Reading.make, graph: yield* Graphing.make })
    })
  )
}
