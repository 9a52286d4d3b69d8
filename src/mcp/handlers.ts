/** What the tools do. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import { Checkpoint, type ClaimedTask, Handoff, NewTask, type Task, TaskId } from "../client.ts"
import * as Ask from "../client/call/Ask.ts"
import { secondsToWait } from "../client/call/NoUsableAnswer.ts"
import { wellFormed } from "../client/call/wellFormed.ts"
import { DefaultBranch } from "../domain/task/Task.ts"
import { type Agent, within } from "./Agent.ts"
import { branchOf } from "./branch.ts"
import { refusalOf, refuse } from "./Refused.ts"
import { Kit, MaxContent, MaxFound } from "./Tools.ts"

const timeOf = (time: DateTime.Utc | null): string | null => time === null ? null : DateTime.formatIso(time)

/** A part of the text that splits no character. */
const part = (text: string, from: number): string => text.slice(from, from + MaxContent).toWellFormed()

const encodeHandoff = Schema.encodeSync(Schema.toCodecJson(Handoff))

const claimed = (task: ClaimedTask) => ({
  task_id: task.id,
  fencing_token: task.fencing_token!,
  push_branch: branchOf(task.id, task.fencing_token!),
  title: task.title,
  content: task.content === null ? null : part(task.content, 0),
  content_length: task.content?.length ?? 0,
  file_path: task.file_path,
  branch: task.branch,
  priority: task.priority,
  role: task.role,
  type: task.type,
  project_id: task.project_id,
  checks: task.checks,
  lease_expires_at: timeOf(task.lease_expires_at),
  deadline_at: timeOf(task.deadline_at),
  handoff: encodeHandoff(task.handoff) as unknown as Record<string, Schema.Json>
})

const found = (task: Task) => ({
  task_id: task.id,
  title: task.title,
  queue: task.queue,
  priority: task.priority,
  role: task.role,
  project_id: task.project_id,
  claimed_by: task.claimed_by,
  blocked_by: task.blocked_by,
  waiting_for_reply: task.waiting_for_reply ?? null,
  reason: task.failure_reason ?? task.cancel_reason ?? task.last_rejection_reason
})

const saysOf = (task: ReturnType<typeof claimed>): string =>
  [
    `You hold task ${task.task_id}. Save a checkpoint after each step, and end with submit_result, give_back, fail_task or ask_person.`,
    ...(task.content_length > MaxContent
      ? [`The content goes on: read the rest with find_tasks, task_id and content_from ${MaxContent}.`]
      : [])
  ].join(" ")

/** The fields that were given, without those that are absent. */
const given = <A extends Record<string, unknown>>(fields: A) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]: Exclude<A[K], undefined>
  }

/** The value as the schema has it, or an error that names what does not fit. */
const fitting = <S extends Schema.Codec<unknown, unknown>>(schema: S, value: unknown) =>
  Effect.mapError(
    Schema.decodeUnknownEffect(schema, { errors: "all" })(value) as Effect.Effect<S["Type"], Schema.SchemaError>,
    (error) => refuse(`That does not fit: ${error.message}.`, "Nothing was done. Correct it and call again.")
  )

export const layer = (agent: Agent) => {
  const { api, holding, look, unreachable } = agent
  // Calls run one after the other, so that no call acts on a task that another is handing in.
  const alone = Semaphore.makeUnsafe(1)

  const tool = <A, E>(effect: Effect.Effect<A, E>) =>
    alone.withPermit(effect).pipe(
      Effect.mapError((error: unknown) => error instanceof Ask.Unreachable ? unreachable(error.why) : refusalOf(error))
    )

  return Kit.toLayer({
    claim_task: () =>
      tool(Effect.gen(function*() {
        yield* agent.tell
        return yield* agent.claim.pipe(
          Effect.map(({ task }) => {
            const answer = claimed(task)
            return { task: answer, says: saysOf(answer), retry_after_seconds: null }
          }),
          Effect.catchTag("NoTasksAvailable", ({ error, retry_after_seconds }) => {
            const seconds = Math.ceil(secondsToWait(retry_after_seconds))
            return Effect.succeed({
              task: null,
              says: `${error} Claim again in ${seconds} ${seconds === 1 ? "second" : "seconds"}, or end.`,
              retry_after_seconds: seconds
            })
          })
        )
      })),
    checkpoint: (input) =>
      tool(
        Effect.gen(function*() {
          yield* agent.tell
          const held = yield* holding
          const answer = yield* agent.renew(held, yield* fitting(Checkpoint, wellFormed(input)))
          if (answer.directive === "cancel") yield* agent.tell
          return {
            task_id: held.task.id,
            directive: answer.directive === "pause" ? "pause" as const : "continue" as const,
            reason: answer.pause_reason ?? null,
            lease_expires_at: DateTime.formatIso(answer.lease_expires_at),
            deadline_at: timeOf(answer.deadline_at)
          }
        }).pipe(Effect.catch((error) => Effect.andThen(agent.tell, Effect.fail(error))))
      ),
    submit_result: ({ notes, ...result }) =>
      tool(Effect.gen(function*() {
        const task_id = agent.current()?.task.id ?? ""
        const { queue, state } = yield* agent.submit({
          commits_count: 0,
          turns_used: 0,
          ...result,
          execution_notes: notes
        })
        return {
          task_id,
          state,
          queue,
          says: state === "saved"
            ? "The server does not answer. The result is saved on this machine and is handed in as soon as it does: you need not submit it again."
            : queue === "cancelled"
            ? "The task had been cancelled meanwhile. The result is kept with it."
            : "You hold nothing now. Call claim_task for the next task."
        }
      })),
    give_back: ({ reason }) =>
      tool(Effect.gen(function*() {
        yield* agent.tell
        const held = yield* holding
        const { queue } = yield* agent.ending(
          held,
          "requeue",
          api.tasks.requeue({
            query: {},
            params: { id: held.task.id },
            payload: { release: true, reason: wellFormed(reason), fencing_token: held.token }
          })
        )
        return { task_id: held.task.id, queue }
      })),
    fail_task: ({ reason, terminal = false }) =>
      tool(Effect.gen(function*() {
        yield* agent.tell
        const held = yield* holding
        const { queue } = yield* agent.ending(
          held,
          "fail",
          api.tasks.fail({
            query: {},
            params: { id: held.task.id },
            payload: { reason: wellFormed(reason), terminal, failed_by: agent.name, fencing_token: held.token }
          })
        )
        return { task_id: held.task.id, queue }
      })),
    ask_person: ({ question, to }) =>
      tool(Effect.gen(function*() {
        yield* look
        const held = yield* holding
        const { id } = yield* agent.ending(
          held,
          "ask",
          api.messages.send({
            query: {},
            payload: {
              task_id: held.task.id,
              from_actor: agent.name,
              type: "question",
              content: wellFormed(question),
              ...(to === undefined ? {} : { to_actor: wellFormed(to) }),
              hold: true,
              fencing_token: held.token
            }
          })
        )
        return {
          task_id: held.task.id,
          question_id: id,
          says:
            "You hold nothing now. The task waits for the reply, and nobody can claim it before. Call claim_task for another."
        }
      })),
    find_tasks: ({ content_from = 0, limit = MaxFound, project_id, queue, role, task_id, text }) =>
      tool(Effect.gen(function*() {
        yield* look
        if (task_id !== undefined) {
          const task = yield* within(
            "get",
            api.tasks.get({ query: {}, params: { id: yield* fitting(TaskId, task_id) } })
          )
          const content = task.content === null ? null : part(task.content, content_from)
          return {
            tasks: [found(task)],
            content,
            content_length: task.content?.length ?? null,
            more: (task.content?.length ?? 0) > content_from + MaxContent
          }
        }
        const page = yield* within(
          "list",
          api.tasks.list({
            query: given({
              limit,
              content: false,
              q: text === undefined || text === "" ? undefined : wellFormed(text),
              queue: queue === undefined ? undefined : [queue],
              role: role === undefined ? undefined : [role],
              project_id
            }) as {}
          })
        )
        return { tasks: page.tasks.map(found), content: null, content_length: null, more: page.next_cursor != null }
      })),
    create_task: ({ branch, content, depends_on, id, title, ...rest }) =>
      tool(Effect.gen(function*() {
        yield* look
        const name = id ?? `task-${crypto.randomUUID().slice(0, 13)}`
        const payload = yield* fitting(
          NewTask,
          wellFormed({
            id: name,
            file_path: `tasks/${name}.md`,
            title,
            content,
            // The branch of a project comes first anyway.
            branch: branch ?? agent.current()?.task.branch ?? DefaultBranch,
            created_by: agent.name,
            ...(depends_on === undefined ? {} : { depends_on }),
            ...rest
          })
        )
        const task = yield* within("create", api.tasks.create({ query: {}, payload }))
        return { task_id: task.id, queue: task.queue, existing: "existing" in task }
      }))
  })
}
