/** Deleting a task. Its history and mail stay; nobody waits for it any more, and what was proposed for it is off. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { CurrentActor } from "../../domain/Actor.ts"
import type { ScopeName, TaskId } from "../../domain/Identifier.ts"
import { TaskNotFound } from "../../domain/TaskErrors.ts"
import * as Actions from "../../sql/Actions.ts"
import { Database } from "../../sql/Database.ts"
import * as Dependents from "../../sql/Dependents.ts"
import { within } from "../../sql/Reach.ts"
import * as Transition from "../../sql/Transition.ts"
import { logTransition, logTransitions } from "./log.ts"
import { firstTask } from "./rows.ts"

export const make = Effect.gen(function*() {
  const { batch, sql } = yield* Database
  const transition = Transition.make(sql)
  const dependents = Dependents.make(sql)
  const actions = Actions.make(sql)

  return Effect.fn("TaskQueue.remove")(function*(id: TaskId, scope: ScopeName | undefined) {
    const now = yield* Clock.currentTimeMillis
    const where = sql`id = ${id} AND ${within(sql, scope)}`
    const change = { where, event: "deleted", to: null, actor: (yield* CurrentActor).name ?? sql`claimed_by`, now }
    const releases = dependents.release({ id, where }, `Task ${id} was deleted.`, now)
    const answers = yield* batch([
      ...releases,
      ...dependents.forget({ id, where }),
      transition.record(change),
      transition.count(change),
      actions.withdraw(where),
      sql`DELETE FROM tasks WHERE ${where} RETURNING *`
    ])
    const task = yield* firstTask(answers.at(-1))
    if (task === undefined) return yield* TaskNotFound.of(id)
    yield* logTransitions("unblocked", answers[releases.length - 1])
    yield* logTransition("deleted", task, null)
  })
})
