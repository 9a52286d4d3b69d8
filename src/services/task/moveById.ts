/** One move of one task by its id, in one batch: made if the task is where it starts, and explained if not. */
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { seed } from "../../domain/lease/Backoff.ts"
import { expectationProblem } from "../../domain/lease/Fence.ts"
import type { Expected } from "../../domain/task/MoveInput.ts"
import { landing, type Move, moves, sourcesOf } from "../../domain/task/Moves.ts"
import { TaskRow } from "../../domain/task/Task.ts"
import { InvalidTransition, TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Cascade from "../../sql/dependency/Cascade.ts"
import * as Fence from "../../sql/lease/Fence.ts"
import * as Idempotency from "../../sql/legacy/Idempotency.ts"
import { columnsOf } from "../../sql/legacy/JsonRow.ts"
import { within } from "../../sql/Reach.ts"
import * as Ending from "../../sql/task/Ending.ts"
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
  readonly actor: Fragment | string | null
  readonly reason?: string | null
  readonly details?: string | null
  /** More columns to write, each after a comma. */
  readonly set: Fragment
}

// Whoever makes one of these has the task no longer, and handed in no result.
const givesBack: ReadonlySet<Move> = new Set([moves.requeue, moves.release, moves.reject])

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const once = yield* Idempotency.make
  const externalKey = yield* ExternalKey.make
  const row = columnsOf(sql, TaskRow)
  const ending = Ending.make(sql)
  const cascade = Cascade.make(sql)
  const settings = yield* Settings
  const fence = Fence.make(sql, settings.requireFencingToken)

  /** Why the task was not moved: read again, in the second round trip that only a refusal costs. */
  const refusal = Effect.fnUntraced(function*({ expected: { fencing_token, version }, id, move, scope, verb }: Order) {
    const [rows, flows] = yield* batch([
      sql`SELECT * FROM tasks WHERE id = ${id} AND ${within(sql, scope)}`,
      sql`SELECT name FROM flows WHERE (scope, name) = (SELECT scope, flow FROM tasks WHERE id = ${id})`
    ])
    const task = yield* firstTask(rows)
    if (task === undefined) return yield* TaskNotFound.of(id)
    const problem = expectationProblem(task, { fencing_token, version }, settings.requireFencingToken, move.afterLapse)
    if (problem !== undefined) return yield* problem
    return yield* move.flow === "step" && flows?.length === 1
      ? InvalidTransition.byFlow(verb, id, task.queue, task.flow, landing(move, task))
      : InvalidTransition.of(verb, id, task.queue, sourcesOf(move))
  })

  /** That the task, as `freed`, is as this very move left it. */
  const justMoved = ({ move, now }: Order): Fragment =>
    sql`EXISTS (SELECT 1 FROM history WHERE task_id = freed.id AND version = freed.version
      AND event = ${move.event} AND at = ${now})`

  return Effect.fnUntraced(function*(order: Order) {
    const { expected: { fencing_token, version }, id, move, now, scope, set } = order
    const steps = ending.byId(move, {
      ...order,
      policy: settings,
      seed: yield* seed,
      where: sql`${within(sql, scope)}
        ${typeof version === "number" ? sql`AND version = ${version}` : sql``} ${fence(fencing_token, move.afterLapse)}`
    }, set)
    // Who waits for the task follows it, if the counters before this did, which they do with every move that was made.
    // An accepted task is done, so nobody fails with it.
    // What the task waits for itself may have failed while it was held.
    const freed = givesBack.has(move)
    const fall = freed
      ? cascade.fall(cascade.around(id, now, justMoved(order)), now)
      : move === moves.accept
      ? []
      : cascade.fall(cascade.of(id, now), now, sql`changes() > 0`)
    const fallen = freed ? [cascade.ifFallen(id)] : []
    const before = [...steps, ...fall]
    const { answers, replay } = yield* once.atomic([
      ...before,
      ...fallen,
      ...cascade.settle(cascade.of(id, now), now)
    ], {
      after: 1,
      ...(freed ? { atEnd: { may: cascade.mayFall, rows: sql`tasks WHERE id = ${id}` } } : {}),
      row,
      from: sql`tasks WHERE id = ${id} AND changes() > 0`
    }).pipe(Effect.catchTag("UniqueViolation", (violation) => externalKey.taken(id, null, violation)))
    if (replay !== undefined) return (yield* firstTask(replay.rows))!
    const task = yield* firstTask(answers[1])
    if (task === undefined) return yield* refusal(order)
    const after = before.length + fallen.length
    yield* logCascade([...answers.slice(steps.length, before.length), ...answers.slice(after)])
    const detoured = move === moves.burnOut && task.queue !== landing(move, task)
    const event = detoured ? moves.submit.event : move.event
    yield* logTransition(event, task, typeof order.actor === "string" ? order.actor : null)
    return (yield* firstTask(freed ? answers[before.length] : [])) ?? task
  })
})
