/** Completes a hook. One statement changes one hook, so that completions at the same time are all kept. */
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
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { inScope } from "../../sql/Reach.ts"
import { keyOf } from "../../sql/record/ProjectCounts.ts"
import { statement } from "../../sql/Statement.ts"
import { Settings } from "../Settings.ts"
import { logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

// Callers wrote the hooks as text: only a list of objects has hooks that can be completed.
const hooks = "iif(json_valid(hooks), hooks, '[]')"

/** The path of the hook in the list: the first of its name. */
const place = `(
  SELECT fullkey FROM json_each(${hooks}) WHERE type = 'object' AND value ->> '$.name' = :hook ORDER BY key LIMIT 1)`

/**
 * The hooks with this hook completed. The status is set, and then a second field: the evidence. Without evidence the second
 * field is the status again.
 */
const completed = `json_set(${hooks}, ${place} || '.status', :status, ${place} || :field, json(:value))`

// In bytes, of the task as it is with these hooks.
const taskBytes = "bytes - octet_length(hooks) + hook_bytes"

/** A status has few bytes, and a task few hooks: only evidence has to fit. It does where it makes the hooks shorter. */
const fits = `(:field = '.status' OR hook_bytes <= octet_length(hooks)
  OR (hook_bytes <= ${MaxLong} AND ${taskBytes} <= ${MaxRecord}))`

/** The fence (`domain/lease/Fence.ts`): a token that is given is that of the lease, or of the lease that expired last. */
const fenced = `(coalesce(fencing_token, lapsed_token) = :token
  OR (:token IS NULL AND (:lenient OR claimed_by IS NULL)))`

const record = statement(`
  INSERT INTO history (task_id, version, scope, event, from_queue, to_queue, actor, details, grants, at)
  SELECT id, version + 1, scope, 'hook_completed', queue, queue, coalesce(:actor, claimed_by), :details, grants, :now
  FROM (
    SELECT *, octet_length(${completed}) AS hook_bytes FROM tasks
    WHERE id = :id AND ${inScope} AND ${fenced} AND ${place} IS NOT NULL)
  WHERE ${fits}`)

// The task stays in its queue, so its counters stay as they are. Without LIMIT, SQLite would read all counters.
const count = statement(`
  UPDATE queue_counts SET revision = revision + 1
  FROM (SELECT scope AS owner, ${keyOf("project_id")} AS project FROM planned WHERE id = :id LIMIT 1) AS changed
  WHERE scope = changed.owner OR scope = changed.project`)

const update = statement(`
  UPDATE tasks SET version = version + 1, updated_at = :now, hooks = ${completed}
  WHERE id = :id AND EXISTS (SELECT 1 FROM planned WHERE planned.id = :id) RETURNING *`)

const completedTask = Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" })

const lookAgain = statement(`
  SELECT *, ${taskBytes} AS task_bytes FROM (
    SELECT *, iif(${place} IS NULL, NULL, octet_length(${completed})) AS hook_bytes
    FROM tasks WHERE id = :id AND ${inScope})`)

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const once = yield* Idempotency.make
  const { requireFencingToken } = yield* Settings

  return Effect.fn("TaskQueue.completeHook")(
    function*(id: TaskId, hook: string, { evidence, fencing_token, status }: HookResult, scope: ScopeName | undefined) {
      const [field, value] = evidence == null ? [".status", status] : [".evidence", evidence]
      const values = {
        id,
        scope: scope ?? null,
        hook,
        status,
        field,
        value: JSON.stringify(value),
        token: fencing_token ?? null,
        lenient: Number(!requireFencingToken),
        actor: (yield* CurrentActor).name ?? null,
        details: JSON.stringify({ hook, status, ...(evidence == null ? {} : { evidence }) }),
        now: yield* Clock.currentTimeMillis
      }
      const { answers: { updated }, replay } = yield* once.batch(
        { recorded: record(values), counted: count(values), updated: update(values) },
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
      const problem = fenceProblem(untouched, fencing_token, requireFencingToken)
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
