/** Log lines of transitions: one for a task, or one for each kind of event if a request changes many tasks. */
import * as Effect from "effect/Effect"
import type { TaskRow } from "../../domain/task/Task.ts"
import type { Answers, Row } from "../../sql/Database.ts"

type Logged = Pick<TaskRow, "claimed_by" | "fencing_token" | "id" | "queue" | "scope" | "version">

// How many ids a line names. A cascade may change thousands of tasks, and logging costs time in the request.
const Named = 10

export const logTransition = (event: string, task: Logged, actor: string | null) =>
  Effect.logInfo("transition").pipe(Effect.annotateLogs({
    event,
    task_id: task.id,
    scope: task.scope,
    queue: task.queue,
    version: task.version,
    actor,
    fencing_token: task.fencing_token
  }))

/** Logs records that a request or cron turn changed: their number and the first ids. */
export const logMany = (message: string, event: string, records: ReadonlyArray<Row>) =>
  Effect.logInfo(message).pipe(Effect.annotateLogs({
    event,
    count: records.length,
    ids: records.slice(0, Named).map(({ id }) => id),
    scopes: [...new Set(records.map(({ scope }) => scope))].slice(0, Named)
  }))

/** Logs tasks with the same event. If it is one task, the line names the actor. */
export const logTransitions = (event: string, tasks: ReadonlyArray<Row>, actorOf?: (task: Row) => unknown) =>
  tasks.length === 1
    ? logTransition(event, tasks[0] as unknown as Logged, (actorOf?.(tasks[0]!) ?? null) as string | null)
    : tasks.length === 0
    ? Effect.void
    : logMany("transitions", event, tasks)

/** Logs what a cascade changed or what was taken back (`sql/dependency/Cascade.ts`, `sql/lease/Expiry.ts`). */
export const logCascade = (answers: Answers) =>
  Effect.forEach(
    Map.groupBy(answers.flat(), ({ event }) => String(event)),
    ([event, tasks]) => logTransitions(event, tasks),
    { discard: true }
  )
