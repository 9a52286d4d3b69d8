/** Reading what a task waits for. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DependencyRow } from "../../domain/dependency/Dependency.ts"
import type { TaskId } from "../../domain/Identifier.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database, type Row } from "../../sql/Database.ts"
import * as Edges from "../../sql/dependency/Edges.ts"
import { type Reach, within } from "../../sql/Reach.ts"

export const decodeEdges = Schema.decodeUnknownEffect(Schema.Array(DependencyRow))

/** The answer about a task, of its row and the rows of its edges. */
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
  const { batch, sql } = yield* Database
  const { listed } = Edges.make(sql)

  return Effect.fn("Dependencies.list")(function*(id: TaskId, scope: Reach) {
    const [tasks, edges] = yield* batch([
      sql`SELECT version, blocked_by FROM tasks WHERE id = ${id} AND ${within(sql, scope)}`,
      listed(id)
    ])
    return yield* listingOf(id, tasks?.[0], edges)
  })
})
