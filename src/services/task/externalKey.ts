/** The task that is known by an external key: one open task of a scope is, and nothing makes it two. */
import * as Effect from "effect/Effect"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { ends } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { TaskExists } from "../../domain/task/TaskErrors.ts"
import { Database, type UniqueViolation } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import { firstTask } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const once = yield* Idempotency.make

  // Word for word as the index has it, or it is not used.
  const over = sql.literal(ends.map((end) => `'${end}'`).join(", "))
  const open = sql`external_key IS NOT NULL AND iif(queue IN (${over}), id, '') = ''`

  /** The open task that has the key, if any does: an answer that is kept under the key of the request, like others. */
  const known = Effect.fnUntraced(function*(scope: ScopeName, key: string) {
    const from = sql`tasks WHERE scope = ${scope} AND external_key = ${key} AND ${open}`
    const { answers: [rows], replay } = yield* once.batch([sql`SELECT * FROM ${from}`], {
      after: 0,
      row: { ...columnsOf(sql, TaskRow), existing: sql`1` },
      from
    })
    return yield* firstTask(replay?.rows ?? rows)
  })

  /** Why a task could not be changed, where the change would have made it the second open task of a key: `key`, or its own. */
  const taken = Effect.fnUntraced(function*(id: TaskId, key: string | null, violation: UniqueViolation) {
    if (!violation.columns.includes("index 'tasks_external_key'")) return yield* Effect.die(violation)
    const self = sql`FROM tasks WHERE id = ${id}`
    const [changed = [], holders = []] = yield* batch([
      sql`SELECT coalesce(${key}, external_key) AS external_key ${self}`,
      sql`
        SELECT id FROM tasks WHERE scope = (SELECT scope ${self})
          AND external_key = coalesce(${key}, (SELECT external_key ${self})) AND ${open}`
    ])
    return yield* TaskExists.externalKey(id, String(changed[0]?.external_key), holders[0] && String(holders[0].id))
  })

  return { known, taken }
})
