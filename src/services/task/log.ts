/** Log lines of transitions: one for a task, and one for each kind of event when a request changes many tasks. */
import * as Effect from "effect/Effect"
import type { TaskRow } from "../../domain/task/Task.ts"
import type { Answers, Row } from "../../sql/Database.ts"

type Told = Pick<TaskRow, "claimed_by" | "fencing_token" | "id" | "queue" | "scope" | "version">

// A line names so many ids: a cascade may change thousands of tasks, and each line costs time in the request.
const Named = 10

export const logTransition = (event: string, task: Told, actor: string | null) =>
  Effect.logInfo("transition").pipe(Effect.annotateLogs({
    event,
    task_id: task.id,
    scope: task.scope,
    queue: task.queue,
    version: task.version,
    actor,
    fencing_token: task.fencing_token
  }))

/** Logs records that one request or cron turn changed: how many there are, and the first ids. */
export const logMany = (message: string, event: string, records: ReadonlyArray<Row>) =>
  Effect.logInfo(message).pipe(Effect.annotateLogs({
    event,
    count: records.length,
    ids: records.slice(0, Named).map(({ id }) => id),
    scopes: [...new Set(records.map(({ scope }) => scope))].slice(0, Named)
  }))

/** Logs tasks that went through the same event. The actor is named where it is one task. */
export const logTransitions = (event: string, tasks: ReadonlyArray<Row>, actorOf?: (task: Row) => unknown) =>
  tasks.length === 1
    ? logTransition(event, tasks[0] as unknown as Told, (actorOf?.(tasks[0]!) ?? null) as string | null)
    : tasks.length === 0
    ? Effect.void
    : logMany("transitions", event, tasks)

/** Logs what a cascade changed (`sql/legacy/Cascade.ts`), or what was taken back (`sql/lease/Expiry.ts`), as the statements answered it. */
export const logCascade = (answers: Answers) =>
  Effect.forEach(
    Map.groupBy(answers.flat(), ({ event }) => String(event)),
    ([event, tasks]) => logTransitions(event, tasks),
    { discard: true }
  )
