/** One task in a scope with one machine, and the most frequent calls about it. */
import * as Effect from "effect/Effect"
import { OrchestratorId, TaskId } from "../../src/domain/Identifier.ts"
import type { NewTask } from "../../src/domain/task/TaskInput.ts"
import { Leases } from "../../src/services/lease/Leases.ts"
import { Orchestrators } from "../../src/services/machine/Orchestrators.ts"
import { TaskQueue } from "../../src/services/task/TaskQueue.ts"
import { Database } from "../../src/sql/Database.ts"

export const id = TaskId.make("a")

export const begin = Effect.fnUntraced(function*(rest: Partial<NewTask> = {}) {
  const queue = yield* TaskQueue
  const { batch, sql } = yield* Database
  const { reap } = yield* Leases
  yield* (yield* Orchestrators).register("red", { cluster: "k", machine_id: "m", max_agents: 5 })
  const create = (name: string, more: Partial<NewTask> = {}) =>
    queue.create("red", { id: TaskId.make(name), file_path: name, branch: "b", ...more })
  yield* create(id, rest)
  return {
    queue,
    create,
    reap,
    claim: (from?: string) =>
      queue.claim("red", {
        orchestrator_id: OrchestratorId.make("k-m"),
        agent_name: "ann",
        lease_duration_seconds: 60,
        ...(from === undefined ? {} : { queue: from })
      }),
    get: queue.get(id, undefined),
    /** Writes columns as no request could. */
    write: (columns: Record<string, unknown>) =>
      batch([sql`UPDATE tasks SET ${sql.update(columns, [])} WHERE id = ${id}`]),
    /** The row of the task, with the columns that the wire does not show. */
    row: Effect.map(batch([sql`SELECT * FROM tasks WHERE id = ${id}`]), ([rows]) => rows![0]!),
    counts: Effect.map(
      batch([sql`SELECT counts FROM queue_counts`]),
      ([rows]) => JSON.parse(String(rows![0]!.counts)) as Record<string, number>
    ),
    last: Effect.map(queue.history(id, undefined), ({ history }) => history.at(-1)!)
  }
})
