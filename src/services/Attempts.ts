/** How often a change that was worked out from what was read is tried. */
import * as Effect from "effect/Effect"
import type { TaskRow } from "../domain/task/Task.ts"
import { VersionConflict } from "../domain/task/TaskErrors.ts"
import { ifRoom } from "../sql/Database.ts"

/** Each failed attempt means that another change went through, so this many in a row is a storm, not a race. */
const Attempts = 5

/** An attempt changed nothing, because another change of the task came first. This is the task as the attempt read it. */
export class Overtaken {
  readonly task: TaskRow
  constructor(task: TaskRow) {
    this.task = task
  }
}

/** Makes the change again while others overtake it and the request has room for that. Then it is a conflict. */
export const repeated = Effect.fnUntraced(function*<A, E, R>(attempt: Effect.Effect<A | Overtaken, E, R>) {
  let result = yield* attempt
  for (let n = 1; result instanceof Overtaken; n++) {
    const { id, version } = result.task
    const conflict = Effect.fail(VersionConflict.of(id, version, version + 1))
    result = yield* n < Attempts ? ifRoom(conflict)(attempt) : conflict
  }
  return result
})
