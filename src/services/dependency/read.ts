/** Reads the blockers of a task. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DependencyRow } from "../../domain/dependency/Dependency.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import type { Row } from "../../sql/Batch.ts"
import { Database } from "../../sql/Database.ts"
import { listed } from "../../sql/dependency/Dependency.ts"
import { inScope, type Reach } from "../../sql/Reach.ts"
import { statement } from "../../sql/Statement.ts"

export const decodeEdges = Schema.decodeUnknownEffect(Schema.Array(DependencyRow))

const one = statement(`SELECT version, blocked_by FROM tasks WHERE id = :id AND ${inScope}`)

/** The answer about a task, from its row and the rows of its dependencies. */
export const listingOf = Effect.fnUntraced(
  function*(id: TaskId, task: Row | undefined, edges: ReadonlyArray<Row> | undefined) {
    if (task === undefined) return yield* TaskNotFound.of(id)
    return {
      task_id: id,
      version: Number(task.version),
      blocked_by: task.blocked_by as string | null,
      dependencies: yield* Effect.orDie(decodeEdges(edges ?? []))
    }
  }
)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database

  return Effect.fn("Dependencies.list")(function*(id: TaskId, scope: Reach) {
    const values = { id, scope: scope ?? null }
    const { dependencies, task } = yield* batch({ task: one(values), dependencies: listed(values) })
    return yield* listingOf(id, task[0], dependencies)
  })
})
