/** One log line for each transition. */
import * as Effect from "effect/Effect"
import type { TaskRow } from "../../domain/Task.ts"
import type { Answers } from "../../sql/Database.ts"
import { decodeTasks } from "./rows.ts"

export const logTransition = (
  event: string,
  task: Pick<TaskRow, "id" | "scope" | "queue" | "version" | "claimed_by" | "fencing_token">,
  actor: string | null
) =>
  Effect.logInfo("transition").pipe(Effect.annotateLogs({
    event,
    task_id: task.id,
    scope: task.scope,
    queue: task.queue,
    version: task.version,
    actor,
    fencing_token: task.fencing_token
  }))

/** The same for tasks that changed because another one did, as the statement that changed them returned them. */
export const logTransitions = (event: string, rows: ReadonlyArray<unknown> | undefined) =>
  Effect.flatMap(
    decodeTasks(rows ?? []),
    Effect.forEach((task) => logTransition(event, task, null), { discard: true })
  )

/**
 * The same for what a cascade did (`sql/Cascade.ts`): what its statements answered, or those of a `settle` alone. Only the
 * statements that change tasks answer any.
 */
export const logCascade = (answers: Answers) =>
  Effect.gen(function*() {
    const settled = yield* decodeTasks(answers.at(-1) ?? [])
    yield* logTransitions("dependency_failed", answers.slice(0, -1).flat())
    yield* Effect.forEach(
      settled,
      (task) => logTransition(task.blocked_by === null ? "unblocked" : "blocked", task, null),
      { discard: true }
    )
  })

/** The same for what was taken back (`sql/Expiry.ts`), and for who failed or may go on because of it. */
export const logTakenBack = (answers: Answers) =>
  Effect.andThen(logCascade(answers.slice(0, -3)), logTransitions("lease_expired", answers.at(-1)))
