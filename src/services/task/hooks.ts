/** Completing a hook: one statement changes one hook, so that completions at the same time are all kept. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { fenceProblem } from "../../domain/lease/Fence.ts"
import { MaxLong, MaxRecord, TooLarge } from "../../domain/Size.ts"
import type { HookResult } from "../../domain/task/MoveInput.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { HookNotFound, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Fence from "../../sql/lease/Fence.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import { within } from "../../sql/Reach.ts"
import * as Oversized from "../../sql/task/Oversized.ts"
import * as Transition from "../../sql/task/Transition.ts"
import { Settings } from "../Settings.ts"
import { logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const once = yield* Idempotency.make
  const row = columnsOf(sql, TaskRow)
  const { requireFencingToken } = yield* Settings
  const transition = Transition.make(sql)
  const fence = Fence.make(sql, requireFencingToken)
  const { size } = Oversized.make(sql)

  return Effect.fn("TaskQueue.completeHook")(
    function*(id: TaskId, hook: string, { evidence, fencing_token, status }: HookResult, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      // Hooks are text that callers wrote: only a list of objects has any to complete. The first of a name counts.
      const hooks = sql`iif(json_valid(hooks), hooks, '[]')`
      const place = sql`(
        SELECT fullkey FROM json_each(${hooks})
        WHERE type = 'object' AND value ->> '$.name' = ${hook} ORDER BY key LIMIT 1)`
      const where = sql`id = ${id} AND ${within(sql, scope)}`
      const completed = sql`json_set(${hooks}, ${place} || '.status', ${status}
        ${evidence == null ? sql`` : sql`, ${place} || '.evidence', json(${JSON.stringify(evidence)})`})`
      // How many bytes the hooks, and the whole task, have then. A status has few, and a task few hooks.
      const bytes = sql`octet_length(${completed})`
      const record = sql`${size} - octet_length(hooks) + ${bytes}`
      const fits = evidence == null
        ? sql``
        : sql`AND (${bytes} <= octet_length(hooks) OR (${bytes} <= ${MaxLong} AND ${record} <= ${MaxRecord}))`
      const { answers: [, rows], replay } = yield* once.batch([
        transition.record({
          where: sql`${where} AND ${place} IS NOT NULL ${fits} ${fence(fencing_token)}`,
          event: "hook_completed",
          to: sql`queue`,
          actor: (yield* CurrentActor).name ?? sql`claimed_by`,
          details: JSON.stringify({ hook, status, ...(evidence == null ? {} : { evidence }) }),
          now
        }),
        sql`
          UPDATE tasks SET version = version + 1, updated_at = ${now}, hooks = ${completed}
          WHERE id = ${id} AND changes() > 0 RETURNING *`,
        transition.countRecorded(id)
      ], { after: 1, row, from: sql`tasks WHERE id = ${id} AND changes() > 0` })
      if (replay !== undefined) return (yield* firstTask(replay.rows))!
      const task = yield* firstTask(rows)
      if (task !== undefined) {
        yield* logTransition("hook_completed", task, null)
        return task
      }
      const [known] = yield* batch([
        sql`SELECT *, iif(${place} IS NULL, NULL, ${bytes}) AS hook_bytes, ${record} AS task_bytes FROM tasks WHERE ${where}`
      ])
      const untouched = yield* firstTask(known)
      if (untouched === undefined) return yield* TaskNotFound.of(id)
      const problem = fenceProblem(untouched, fencing_token, requireFencingToken)
      if (problem !== undefined) return yield* problem
      const { hook_bytes = null, task_bytes } = known![0]!
      return yield* hook_bytes === null
        ? HookNotFound.of(id, hook)
        : Number(hook_bytes) > MaxLong
        ? TooLarge.evidence(Number(hook_bytes))
        : TooLarge.of("record", Number(task_bytes), MaxRecord)
    }
  )
})
