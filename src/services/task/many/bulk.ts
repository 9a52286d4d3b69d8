/**
 * Bulk requests. Each task is changed by the operation of its own endpoint, in a batch of its own, so it has the rules
 * and errors of that endpoint. A request sends a bounded number of statements, and says which tasks it did not get to.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { IdempotencyKeyReused } from "../../../domain/IdempotencyKey.ts"
import type { ScopeName, TaskId } from "../../../domain/Identifier.ts"
import type { InvalidCursor } from "../../../domain/Page.ts"
import { TooLarge } from "../../../domain/Size.ts"
import {
  type Bulk,
  BulkAnswer,
  type BulkError,
  type BulkResult,
  type InvalidBulk,
  problemOf
} from "../../../domain/task/Bulk.ts"
import type { ExistingTask, Task } from "../../../domain/task/Task.ts"
import type { NewTask } from "../../../domain/task/TaskInput.ts"
import { Database, ifRoom, isTooBig, StatementLimit } from "../../../sql/Database.ts"
import { CurrentIdempotency, CurrentKeyLifetime, type RequestKey } from "../../../sql/Idempotency.ts"
import * as Parts from "../../../sql/many/Parts.ts"
import { Rehearsed, Rehearsing } from "../../../sql/many/Rehearsal.ts"
import type { Reach } from "../../../sql/Reach.ts"
import { Settings } from "../../Settings.ts"
import type { TaskQueue } from "../TaskQueue.ts"
import * as Selecting from "./select.ts"

type Operations = Pick<
  TaskQueue["Service"],
  "create" | "accept" | "reject" | "requeue" | "redrive" | "cancel" | "patch" | "remove"
>

/** The scope of new tasks and of a filter, and the scopes that ids reach. */
export interface BulkScope {
  readonly own: ScopeName
  readonly reach: Reach
}

const answerJson = Schema.fromJsonString(BulkAnswer)
const encodeAnswer = Schema.encodeEffect(answerJson)
const decodeAnswer = Schema.decodeUnknownEffect(Schema.Struct({ answer: BulkAnswer }).pipe(Schema.fromJsonString))

/** The plan of a request and the outcomes of its parts, as the row of its key has them. */
interface Progress {
  readonly plan: Selecting.Selection
  readonly parts: Readonly<Record<string, Parts.Part>>
}

const nothing = { queue: null, version: null, existing: null, error: null }
const notAttempted = (task_id: TaskId): BulkResult => ({ task_id, outcome: "not_attempted", ...nothing })
const refused = (task_id: TaskId, error: BulkError): BulkResult => ({ task_id, outcome: "refused", ...nothing, error })
const done = (task_id: TaskId, { id, queue, version }: Parts.Part): BulkResult => ({
  task_id,
  outcome: "done",
  ...nothing,
  queue,
  version,
  existing: id === task_id ? null : id as TaskId
})

// Left for the last batch, which has two statements, and for reading what the same request did meanwhile.
const Reserved = 4

/** The outcome of one task. Dies with `PartKnown` if another request under the key had the effect meanwhile. */
const attempt = (id: TaskId, change: Effect.Effect<Task | ExistingTask | void, BulkError>) =>
  change.pipe(
    Effect.map((task) => done(id, task === undefined ? { id, queue: null, version: null } : task)),
    Effect.catchDefect((defect) =>
      defect instanceof Rehearsed
        ? Effect.succeed(done(id, defect.part))
        // D1 does not store a row of this size. The batch had no effect.
        : isTooBig(defect)
        ? Effect.fail(TooLarge.record())
        : Effect.die(defect)
    ),
    Effect.catch((error) => Effect.succeed(refused(id, error))),
    ifRoom(Effect.succeed(notAttempted(id)), Reserved)
  )

export const make = Effect.fnUntraced(function*(tasks: Operations) {
  const { batch } = yield* Database
  const { bulkStatements } = yield* Settings
  const lifetime = yield* CurrentKeyLifetime
  const select = yield* Selecting.make

  const operation = (bulk: Bulk, id: TaskId, { own, reach }: BulkScope, created: ReadonlyMap<string, NewTask>) => {
    const by = bulk.by || null
    const reason = bulk.reason ?? null
    switch (bulk.action) {
      case "create":
        return tasks.create(own, created.get(id)!)
      case "accept":
        return tasks.accept(id, { accepted_by: bulk.by ?? "" }, reach)
      case "reject":
        return tasks.reject(id, { rejected_by: bulk.by ?? "", reason: bulk.reason ?? "" }, reach)
      case "requeue":
        return tasks.requeue(id, { requeued_by: by, reason, release: bulk.release ?? false }, reach)
      case "redrive":
        return tasks.redrive(id, { redriven_by: by, reason }, reach)
      case "cancel":
        return tasks.cancel(id, { cancelled_by: by, reason }, reach)
      case "delete":
        return tasks.remove(id, reach)
      case "reprioritise":
        return tasks.patch(id, { priority: bulk.priority ?? null, agent_name: by, reason }, reach)
    }
  }

  const read = Effect.fnUntraced(function*(key: RequestKey, rows: ReadonlyArray<Record<string, unknown>>) {
    const [row] = rows
    if (row === undefined) return undefined
    if (row.fingerprint !== key.fingerprint) return yield* Effect.die(IdempotencyKeyReused.of())
    return JSON.parse(String(row.answer)) as { readonly answer?: unknown } & Progress
  })

  const answered = Effect.fnUntraced(function*(answer: unknown, key: RequestKey) {
    key.replayed = true
    return (yield* Effect.orDie(decodeAnswer(JSON.stringify({ answer })))).answer
  })

  const carryOut = Effect.fnUntraced(function*(
    bulk: Bulk,
    scope: BulkScope,
    { cursors, ids, looked_at }: Selecting.Selection,
    parts: Progress["parts"],
    key: RequestKey | undefined
  ) {
    const created = new Map(bulk.tasks?.map((task) => [task.id as string, task]))
    const outcomes: Array<BulkResult> = []
    let full = false
    for (const [place, id] of ids.entries()) {
      const name = `t${place}`
      const known = parts[name]
      if (known !== undefined || full) {
        outcomes.push(known === undefined ? notAttempted(id) : done(id, known))
        continue
      }
      const part = key === undefined ? undefined : { ...key, part: name }
      const outcome = yield* attempt(id, operation(bulk, id, scope, created)).pipe(
        Effect.provideService(CurrentIdempotency, part),
        Effect.provideService(Rehearsing, bulk.dry_run === true),
        Effect.catchDefect((defect) =>
          key !== undefined && defect instanceof Parts.PartKnown ? Effect.undefined : Effect.die(defect)
        )
      )
      // The same request is under way twice, and the other one was faster.
      if (outcome === undefined) return undefined
      full = outcome.outcome === "not_attempted"
      outcomes.push(outcome)
    }
    const count = (outcome: BulkResult["outcome"]) => outcomes.filter((one) => one.outcome === outcome).length
    const first = outcomes.findIndex(({ outcome }) => outcome === "not_attempted")
    const answer: BulkAnswer = {
      action: bulk.action,
      dry_run: bulk.dry_run === true,
      outcomes,
      done: count("done"),
      refused: count("refused"),
      not_attempted: count("not_attempted"),
      looked_at,
      next_cursor: cursors[first === -1 ? ids.length : first] ?? null
    }
    return answer
  })

  /** The same under an idempotency key: continues what the key has begun, and keeps the answer. */
  const underKey = Effect.fnUntraced(function*(bulk: Bulk, scope: BulkScope, key: RequestKey) {
    const now = yield* Clock.currentTimeMillis
    const values = { key: key.id, fingerprint: key.fingerprint, now, oldest: now - lifetime }
    const { found } = yield* batch({ found: Parts.found(values) })
    let progress = yield* read(key, found)
    if (progress === undefined) {
      const plan = yield* select(bulk, scope.own)
      const begun = yield* batch({
        forgotten: Parts.forgotten(values),
        begun: Parts.begin({ ...values, plan: JSON.stringify(plan) }),
        found: Parts.found(values)
      })
      progress = yield* read(key, begun.found)
    }
    while (progress !== undefined) {
      if (progress.answer !== undefined) return yield* answered(progress.answer, key)
      const answer: BulkAnswer | undefined = yield* carryOut(bulk, scope, progress.plan, progress.parts, key)
      if (answer === undefined) {
        progress = yield* read(key, (yield* batch({ found: Parts.found(values) })).found)
        continue
      }
      const { ended, found } = yield* batch({
        ended: Parts.end({ ...values, answer: yield* Effect.orDie(encodeAnswer(answer)) }),
        found: Parts.found(values)
      })
      if (ended.length > 0) return answer
      progress = yield* read(key, found)
      if (progress === undefined) return answer
    }
    return yield* Effect.die(new Error("the row of an idempotency key has vanished"))
  })

  return Effect.fn("TaskQueue.bulk")(
    function*(bulk: Bulk, scope: BulkScope): Effect.fn.Return<BulkAnswer, InvalidBulk | InvalidCursor> {
      const problem = problemOf(bulk)
      if (problem !== undefined) return yield* problem
      const key = yield* CurrentIdempotency
      if (key !== undefined && bulk.dry_run !== true) return yield* underKey(bulk, scope, key)
      return (yield* carryOut(bulk, scope, yield* select(bulk, scope.own), {}, undefined))!
    },
    Effect.provideService(StatementLimit, bulkStatements)
  )
})
