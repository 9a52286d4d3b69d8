/** The external key of a task. One open task of a scope may have it, so a change that opens a second one is refused. */
import * as Effect from "effect/Effect"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { TaskExists } from "../../domain/task/TaskErrors.ts"
import { Database, type UniqueViolation } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { statement } from "../../sql/Statement.ts"
import { firstTask } from "./rows.ts"

// The condition of the index `tasks_external_key`, word for word: SQLite uses the index only then.
export const open = "external_key IS NOT NULL AND iif(queue IN ('done', 'failed', 'cancelled'), id, '') = ''"

const openTask = statement(`SELECT * FROM tasks WHERE scope = :scope AND external_key = :key_of_task AND ${open}`)
const kept = Idempotency.keeping({
  row: { ...columnsOf(TaskRow), existing: "1" },
  from: "tasks",
  where: `scope = :scope AND external_key = :key_of_task AND ${open}`,
  provenBy: "where"
})

const keyOf = "coalesce(:key_of_task, (SELECT external_key FROM tasks WHERE id = :id))"
const asked = statement(`SELECT ${keyOf} AS external_key`)
const holder = statement(`
  SELECT id FROM tasks WHERE scope = (SELECT scope FROM tasks WHERE id = :id) AND external_key = ${keyOf} AND ${open}`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const once = yield* Idempotency.make

  /** The open task that has the key, if there is one. The answer is kept under the idempotency key of the request. */
  const known = Effect.fnUntraced(function*(scope: ScopeName, key: string) {
    const values = { scope, key_of_task: key }
    const { answers, replay } = yield* once.batch({ task: openTask(values) }, { keep: "task", answer: kept, values })
    return yield* firstTask(replay?.rows ?? answers.task)
  })

  /** The refusal of a change that would make the task the second open task with a key: `key`, or else its own. */
  const taken = Effect.fnUntraced(function*(id: TaskId, key: string | null, violation: UniqueViolation) {
    if (!violation.columns.includes("index 'tasks_external_key'")) return yield* Effect.die(violation)
    const values = { id, key_of_task: key }
    const { changed, holders } = yield* batch({ changed: asked(values), holders: holder(values) })
    return yield* TaskExists.externalKey(id, String(changed[0]?.external_key), holders[0] && String(holders[0].id))
  })

  return { known, taken }
})
