/** One move of one task by its id, in one batch: made if the task is where it starts, and explained if not. */
import * as Effect from "effect/Effect"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { excerpt, MaxReason } from "../../domain/Excerpt.ts"
import { seed } from "../../domain/lease/Backoff.ts"
import { expectationProblem } from "../../domain/lease/Fence.ts"
import type { Expected } from "../../domain/task/MoveInput.ts"
import { landing, type Move, moves, sourcesOf } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTransition, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import { statement, type Values } from "../../sql/Statement.ts"
import * as Moves from "../../sql/task/Move.ts"
import { Settings } from "../Settings.ts"
import * as ExternalKey from "./externalKey.ts"
import { logCascade, logTransition } from "./log.ts"
import { firstTask } from "./rows.ts"

interface Order {
  readonly verb: string
  readonly move: Move
  readonly id: TaskId
  readonly scope: ScopeName | undefined
  readonly expected: Expected
  readonly now: number
  /** Who made the move; null is the holder, or nobody. */
  readonly actor: string | null
  readonly reason?: string | null
  /** What else history keeps, as JSON text. */
  readonly details?: string | null
  /** What the move writes besides, by the names of its parameters. */
  readonly values?: Values
}

const taskInScope = statement("SELECT * FROM tasks WHERE id = :id AND (:scope IS NULL OR scope = :scope)")
const flowOfTask = statement(
  "SELECT name FROM flows WHERE (scope, name) = (SELECT scope, flow FROM tasks WHERE id = :id)"
)
const movedTask = Idempotency.keeping({ row: columnsOf(TaskRow), from: "tasks", where: "id = :id" })

export const make = Effect.gen(function*() {
  const { batch } = yield* Database
  const once = yield* Idempotency.make
  const externalKey = yield* ExternalKey.make
  const settings = yield* Settings
  const { backoff, limits, requireFencingToken } = settings
  const stepsOf = new Map(Object.values(moves).map((move) => [move, Moves.steps(move, backoff.baseSeconds > 0)]))

  /** Why the task was not moved: read again, in the second round trip that only a refusal costs. */
  const refusal = Effect.fnUntraced(function*({ expected: { fencing_token, version }, id, move, scope, verb }: Order) {
    const values = { id, scope: scope ?? null }
    const { flow, found } = yield* batch({ found: taskInScope(values), flow: flowOfTask(values) })
    const task = yield* firstTask(found)
    if (task === undefined) return yield* TaskNotFound.of(id)
    const problem = expectationProblem(task, { fencing_token, version }, requireFencingToken, move.afterLapse)
    if (problem !== undefined) return yield* problem
    return yield* move.flow === "step" && flow.length === 1
      ? InvalidTransition.byFlow(verb, id, task.queue, task.flow, landing(move, task))
      : InvalidTransition.of(verb, id, task.queue, sourcesOf(move))
  })

  return Effect.fnUntraced(function*(order: Order) {
    const { actor, details = null, expected, id, move, now, reason = null, scope } = order
    const values: Values = {
      ...order.values,
      id,
      scope: scope ?? null,
      version: expected.version ?? null,
      token: expected.fencing_token ?? null,
      lenient: Number(!requireFencingToken),
      now,
      actor,
      reason,
      excerpt: reason === null ? null : excerpt(reason, MaxReason),
      details,
      max_attempts: limits.max_attempts,
      max_rejections: limits.max_rejections,
      backoff_base: backoff.baseSeconds,
      backoff_max: backoff.maxSeconds,
      seed: yield* seed
    }
    const steps = stepsOf.get(move)!
    const { answers, replay } = yield* once.atomic({
      recorded: steps.recorded(values),
      // A task that is done makes no other fail.
      failed: move === moves.accept ? undefined : steps.failed(values),
      satisfied: steps.satisfied(values),
      unblocked: steps.unblocked(values),
      counted: steps.counted(values),
      dependents: steps.dependents(values),
      moved: steps.moved(values)
    }, { keep: "moved", answer: movedTask, values }).pipe(
      Effect.catchTag("UniqueViolation", (violation) => externalKey.taken(id, null, violation))
    )
    if (replay !== undefined) return (yield* firstTask(replay.rows))!
    const task = yield* firstTask(answers.moved)
    if (task === undefined) return yield* refusal(order)
    yield* logCascade([answers.dependents])
    const detoured = move === moves.burnOut && task.queue !== landing(move, task)
    const event = detoured ? moves.submit.event : move.event
    yield* logTransition(event, task, actor)
    return task
  })
})
