/** Deleting a task. Its history and mail stay; nobody waits for it any more, and what was proposed for it is off. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/access/Caller.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { TaskNotFound } from "../../domain/task/TaskErrors.ts"
import { Database } from "../../sql/Database.ts"
import * as Dependents from "../../sql/dependency/Dependents.ts"
import * as Cascade from "../../sql/legacy/Cascade.ts"
import { within } from "../../sql/Reach.ts"
import * as Actions from "../../sql/record/Actions.ts"
import * as Transition from "../../sql/task/Transition.ts"
import { logCascade, logTransition, logTransitions } from "./log.ts"
import { firstTask } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const transition = Transition.make(sql)
  const dependents = Dependents.make(sql)
  const cascade = Cascade.make(sql)
  const actions = Actions.make(sql)

  return Effect.fn("TaskQueue.remove")(function*(id: TaskId, scope: ScopeName | undefined) {
    const now = yield* Clock.currentTimeMillis
    const where = sql`id = ${id} AND ${within(sql, scope)}`
    const change = { where, event: "deleted", to: null, actor: (yield* CurrentActor).name ?? sql`claimed_by`, now }
    const releases = dependents.release({ id, where }, `Task ${id} was deleted.`, now)
    const steps = [
      ...releases,
      ...dependents.forget({ id, where }),
      transition.record(change),
      transition.count(change),
      actions.withdraw(where),
      sql`DELETE FROM tasks WHERE ${where} RETURNING *`
    ]
    // Who waits for a task `TASK-<id>` went on when this one was done, and waits for that one alone from now on.
    const left = cascade.settle(cascade.named(Dependents.namesake(id)), now)
    const answers = yield* batch([...steps, ...left])
    const task = yield* firstTask(answers[steps.length - 1])
    if (task === undefined) return yield* TaskNotFound.of(id)
    yield* logTransitions("unblocked", answers[releases.length - 1] ?? [])
    yield* logCascade(answers.slice(steps.length))
    yield* logTransition("deleted", task, null)
  })
})
