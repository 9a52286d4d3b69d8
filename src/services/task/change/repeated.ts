/** Repeats a change that reads the task before it writes, if another change was faster. */
import * as Effect from "effect/Effect"
import type { TaskRow } from "../../../domain/task/Task.ts"
import { VersionConflict } from "../../../domain/task/TaskErrors.ts"
import { ifRoom } from "../../../sql/Database.ts"

/** Each failed attempt means that another change was faster. This many in a row are no accident. */
const Attempts = 5

/**
 * The attempt changed nothing, because another change of the task was faster. `task` is the task as the attempt read
 * it.
 */
export class Overtaken {
  readonly task: TaskRow
  constructor(task: TaskRow) {
    this.task = task
  }
}

/** Repeats the attempt while it is overtaken and the request has room. After that the call fails with a conflict. */
export const repeated = Effect.fnUntraced(function*<A, E, R>(attempt: Effect.Effect<A | Overtaken, E, R>) {
  let result = yield* attempt
  for (let n = 1; result instanceof Overtaken; n++) {
    const { id, version } = result.task
    const conflict = Effect.fail(VersionConflict.of(id, version, version + 1))
    result = yield* n < Attempts ? ifRoom(conflict)(attempt) : conflict
  }
  return result
})
