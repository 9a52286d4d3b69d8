/** Completes a hook. One statement changes one hook, so simultaneous completions are all kept. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../../domain/access/Caller.ts"
import type { ScopeName, TaskId } from "../../../domain/Identifier.ts"
import { fenceProblem, movesOnlyHeld } from "../../../domain/lease/Fence.ts"
import { MaxLong, MaxRecord, TooLarge } from "../../../domain/Size.ts"
import type { HookResult } from "../../../domain/task/MoveInput.ts"
import { TaskRow } from "../../../domain/task/Task.ts"
import { HookNotFound, TaskNotFound } from "../../../domain/task/TaskErrors.ts"
import { Database } from "../../../sql/Database.ts"
import { itsScope } from "../../../sql/dependency/Cascade.ts"
import * as Feed from "../../../sql/Feed.ts"
import * as Idempotency from "../../../sql/Idempotency.ts"
import { columnsOf } from "../../../sql/JsonRow.ts"
import { inScope } from "../../../sql/Reach.ts"
import { statement } from "../../../sql/Statement.ts"
import { Settings } from "../../Settings.ts"
import { logTransition } from "../log.ts"
import { firstTask } from "../rows.ts"

// Hooks are text of a caller. Only a list of objects has hooks that can be completed.
const hooks = "iif(json_valid(hooks), hooks, '[]')"

/**
 * The hooks of the task with the first hook of this name completed, or null if there is none. It sets the status and
 * one more field: the evidence, or, without evidence, the status again.
 */
const completed = `(
  SELECT json_set(${hooks}, fullkey || '.status', :status, fullkey || :field, json(:value))
  FROM json_each(${hooks}) WHERE type = 'object' AND value ->> '$.name' = :hook ORDER BY key LIMIT 1)`

// The size of the task with these hooks, in bytes.
const taskBytes = "bytes - octet_length(hooks) + hook_bytes"

/**
 * Only evidence can be too large. It fits if the hooks do not grow, or if the hooks and the task stay within their
 * limits.
 */
const fits = `(:field = '.status' OR hook_bytes <= octet_length(hooks)
  OR (hook_bytes <= ${MaxLong} AND ${taskBytes} <= ${MaxRecord}))`

/** The fence (`domain/lease/Fence.ts`): a given token is that of the lease, or of the lease that expired last. */
const fenced = `(coalesce(fencing_token, lapsed_token) = :token
  OR (:token IS NULL AND (:lenient OR claimed_by IS NULL)))`

// The inner LIMIT makes SQLite compute the hooks once.
const record = statement(`
  INSERT INTO history (task_id, version, scope, seq, event, from_queue, to_queue, actor, details, grants, at, title, project_id)
  SELECT id, version + 1, scope, ${
  Feed.nextSeq("task", "first")
}, 'hook_completed', queue, queue, coalesce(:actor, claimed_by),
    :details, grants, :now, title, project_id
  FROM (
    SELECT *, octet_length(${completed}) AS hook_bytes FROM tasks
    WHERE id = :id AND ${inScope} AND ${fenced} LIMIT 1) AS task
  WHERE hook_bytes IS NOT NULL AND ${fits}`)

const counted = Feed.counted(itsScope)

const update = statement(`
  UPDATE tasks SET version = version + 1, updated_at = :now, hooks = ${completed}
  WHERE id = :id AND EXISTS (SELECT 1 FROM history WHERE task_id = tasks.id AND history.version = tasks.version + 1)
  RETURNING *`)

const completedTask = Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" })

const lookAgain = statement(`
  SELECT *, ${taskBytes} AS task_bytes FROM (
    SELECT *, octet_length(${completed}) AS hook_bytes FROM tasks WHERE id = :id AND ${inScope} LIMIT 1)`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const once = yield* Idempotency.make
  const { requireFencingToken } = yield* Settings

  return Effect.fn("TaskQueue.completeHook")(
    function*(id: TaskId, hook: string, { evidence, fencing_token, status }: HookResult, scope: ScopeName | undefined) {
      const actor = yield* CurrentActor
      const required = requireFencingToken || movesOnlyHeld(actor)
      const [field, value] = evidence == null ? [".status", status] : [".evidence", evidence]
      const values = {
        id,
        scope: scope ?? null,
        hook,
        status,
        field,
        value: JSON.stringify(value),
        token: fencing_token ?? null,
        lenient: Number(!required),
        actor: actor.name ?? null,
        details: JSON.stringify({ hook, status, ...(evidence == null ? {} : { evidence }) }),
        now: yield* Clock.currentTimeMillis
      }
      const { answers: { updated }, replay } = yield* once.batch(
        { recorded: record(values), updated: update(values), counted: counted(values) },
        { keep: "updated", answer: completedTask, values }
      )
      if (replay !== undefined) return (yield* firstTask(replay.rows))!
      const task = yield* firstTask(updated)
      if (task !== undefined) {
        yield* logTransition("hook_completed", task, null)
        return task
      }
      const { found } = yield* batch({ found: lookAgain(values) })
      const untouched = yield* firstTask(found)
      if (untouched === undefined) return yield* TaskNotFound.of(id)
      const problem = fenceProblem(untouched, fencing_token, required)
      if (problem !== undefined) return yield* problem
      const { hook_bytes = null, task_bytes } = found[0]!
      return yield* hook_bytes === null
        ? HookNotFound.of(id, hook)
        : Number(hook_bytes) > MaxLong
        ? TooLarge.evidence(Number(hook_bytes))
        : TooLarge.of("record", Number(task_bytes), MaxRecord)
    }
  )
})
