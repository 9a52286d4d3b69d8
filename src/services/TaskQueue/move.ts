/** Submit, accept, reject, requeue and fail: moves of one task by its id, each one batch. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { Fragment, Statement } from "effect/sql/Statement"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import type { Acceptance, Failure, Rejection, Requeue, Submission } from "../../domain/MoveInput.ts"
import { InvalidTransition, TaskNotFound, VersionConflict } from "../../domain/TaskErrors.ts"
import { burntOut, landing, type Move, moves } from "../../domain/TaskState.ts"
import { Database } from "../../sql/Database.ts"
import * as Dependents from "../../sql/Dependents.ts"
import * as Transition from "../../sql/Transition.ts"
import { Settings } from "../Settings.ts"
import { logTransition, logTransitions } from "./log.ts"
import { firstTask } from "./rows.ts"

interface Order {
  readonly verb: string
  readonly move: Move
  readonly id: TaskId
  readonly scope: ScopeName | undefined
  readonly version: number | null | undefined
  readonly now: number
  readonly actor: Fragment | string | null
  readonly reason?: string | null
  readonly details?: string | null
  /** More columns to write, each after a comma. */
  readonly set: Fragment
}

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const settings = yield* Settings
  const transition = Transition.make(sql)
  const dependents = Dependents.make(sql)

  /** Why the task was not moved: read again, in the second round trip that only a refusal costs. */
  const refusal = Effect.fnUntraced(function*({ id, move, scope, verb, version }: Order) {
    const [rows, flows] = yield* batch([
      sql`SELECT * FROM tasks WHERE id = ${id} ${scope === undefined ? sql`` : sql`AND scope = ${scope}`}`,
      sql`SELECT name FROM flows WHERE (scope, name) = (SELECT scope, flow FROM tasks WHERE id = ${id})`
    ])
    const task = yield* firstTask(rows)
    if (task === undefined) return yield* TaskNotFound.of(id)
    if (typeof version === "number" && version !== task.version) {
      return yield* VersionConflict.of(id, version, task.version)
    }
    return yield* move.flow === "step" && flows?.length === 1
      ? InvalidTransition.byFlow(verb, id, task.queue, task.flow, landing(move, task))
      : InvalidTransition.of(verb, id, task.queue, typeof move.from === "object" ? move.from : ["any other queue"])
  })

  const run = Effect.fnUntraced(function*(order: Order) {
    const { id, move, now, scope, set, version } = order
    const steps = transition.byId(move, {
      ...order,
      where: sql`1 ${scope === undefined ? sql`` : sql`AND scope = ${scope}`}
        ${typeof version === "number" ? sql`AND version = ${version}` : sql``}`
    }, set)
    const releases: Array<Statement<any>> = move === moves.accept
      ? dependents.release({ id, where: sql`id = ${id} AND queue = 'done'` }, null, `Task ${id} is done.`, now)
      : []
    const answers = yield* batch([...steps, ...releases])
    const task = yield* firstTask(answers[1])
    if (task === undefined) return yield* refusal(order)
    if (releases.length > 0) yield* logTransitions("unblocked", answers.at(-1))
    yield* logTransition(move.event, task, typeof order.actor === "string" ? order.actor : null)
    return task
  })

  const submit = Effect.fn("TaskQueue.submit")(
    function*(id: TaskId, work: Submission, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      const limits = { idleTurns: settings.burnoutIdleTurns, totalTurns: settings.burnoutTotalTurns }
      const { commits_count, turns_used } = work
      return yield* run({
        verb: "submit",
        move: burntOut(work, limits) ? moves.burnOut : moves.submit,
        id,
        scope,
        version: work.version,
        now,
        // After a lease ran out, the one who lost it is in the entry that says so.
        actor: sql`coalesce(claimed_by, (SELECT actor FROM history
          WHERE task_id = tasks.id AND event = ${moves.expire.event} ORDER BY version DESC LIMIT 1))`,
        details: JSON.stringify({ commits_count, turns_used, ...(burntOut(work, limits) ? limits : {}) }),
        set: sql`, submitted_at = ${now}, commits_count = ${commits_count}, turns_used = ${turns_used},
          check_results = coalesce(${work.check_results ?? null}, check_results),
          execution_notes = coalesce(${work.execution_notes ?? null}, execution_notes),
          pr_number = coalesce(${work.pr_number ?? null}, pr_number), pr_url = coalesce(${work.pr_url ?? null}, pr_url)`
      })
    }
  )

  const accept = Effect.fn("TaskQueue.accept")(
    function*(id: TaskId, acceptance: Acceptance, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      const completed = acceptance.completed_at ? DateTime.toEpochMillis(acceptance.completed_at) : now
      return yield* run({
        verb: "accept",
        move: moves.accept,
        id,
        scope,
        version: acceptance.version,
        now,
        actor: acceptance.accepted_by,
        set: sql`, completed_at = ${completed}`
      })
    }
  )

  const reject = Effect.fn("TaskQueue.reject")(
    function*(id: TaskId, { reason, rejected_by, version }: Rejection, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: "reject",
        move: moves.reject,
        id,
        scope,
        version,
        now,
        actor: rejected_by,
        reason,
        set: sql`, last_rejection_reason = ${reason}`
      })
    }
  )

  const requeue = Effect.fn("TaskQueue.requeue")(
    function*(id: TaskId, { reason, version }: Requeue, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: "requeue",
        move: moves.requeue,
        id,
        scope,
        version,
        now,
        actor: sql`claimed_by`,
        reason: reason ?? null,
        set: sql``
      })
    }
  )

  const fail = Effect.fn("TaskQueue.fail")(
    function*(id: TaskId, { failed_by, reason, version }: Failure, scope: ScopeName | undefined) {
      const now = yield* Clock.currentTimeMillis
      return yield* run({
        verb: "fail",
        move: moves.fail,
        id,
        scope,
        version,
        now,
        actor: failed_by ? failed_by : sql`claimed_by`,
        reason,
        set: sql`, execution_notes = ${reason}`
      })
    }
  )

  return { submit, accept, reject, requeue, fail }
})
