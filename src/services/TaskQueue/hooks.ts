/** Completing a hook: one statement changes one hook, so that completions at the same time are all kept. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/Actor.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import type { HookResult } from "../../domain/MoveInput.ts"
import { HookNotFound, TaskNotFound } from "../../domain/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Transition from "../../sql/Transition.ts"
import { logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const transition = Transition.make(sql)

  return Effect.fn("TaskQueue.completeHook")(
    function*(id: TaskId, hook: string, { evidence, status }: HookResult, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      // Hooks are text that callers wrote: only a list of objects has any to complete. The first of a name counts.
      const place = sql`(
        SELECT fullkey FROM json_each(iif(json_valid(hooks), hooks, '[]'))
        WHERE type = 'object' AND value ->> '$.name' = ${hook} ORDER BY key LIMIT 1)`
      const where = sql`id = ${id} ${scope === undefined ? sql`` : sql`AND scope = ${scope}`}`
      const [, rows] = yield* batch([
        transition.record({
          where: sql`${where} AND ${place} IS NOT NULL`,
          event: "hook_completed",
          to: sql`queue`,
          actor: (yield* CurrentActor).name ?? sql`claimed_by`,
          details: JSON.stringify({ hook, status, ...(evidence == null ? {} : { evidence }) }),
          now
        }),
        sql`
          UPDATE tasks SET version = version + 1, updated_at = ${now}, hooks = json_set(hooks, ${place} || '.status', ${status}
            ${evidence == null ? sql`` : sql`, ${place} || '.evidence', json(${JSON.stringify(evidence)})`})
          WHERE id = ${id} AND changes() > 0 RETURNING *`
      ])
      const task = yield* firstTask(rows)
      if (task !== undefined) {
        yield* logTransition("hook_completed", task, null)
        return task
      }
      const [known] = yield* batch([sql`SELECT id FROM tasks WHERE ${where}`])
      return yield* known?.length === 0 ? TaskNotFound.of(id) : HookNotFound.of(id, hook)
    }
  )
})
