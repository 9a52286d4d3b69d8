/** One log line for each transition. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { TaskRow } from "../../domain/Task.ts"
import type { Answers } from "../../sql/Database.ts"
import { decodeTasks } from "./rows.ts"

const { claimed_by, fencing_token, id, queue, scope, version } = TaskRow.fields
const told = { id, scope, queue, version, claimed_by, fencing_token }

export const logTransition = (
  event: string,
  task: Pick<TaskRow, keyof typeof told>,
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

const decodeTold = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ ...told, event: Schema.String })))

/** The same for what a cascade did (`sql/Cascade.ts`), or was taken back (`sql/Expiry.ts`), as the statements answered it. */
export const logCascade = (answers: Answers) =>
  Effect.flatMap(
    Effect.orDie(decodeTold(answers.flat())),
    Effect.forEach((task) => logTransition(task.event, task, null), { discard: true })
  )
