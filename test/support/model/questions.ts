/** Questions that hold a task, and replies. */
import * as Effect from "effect/Effect"
import { type MessageId, ScopeName } from "../../../src/domain/Identifier.ts"
import { Never } from "../../../src/domain/lease/Question.ts"
import { type Bench, idOf, type Steps } from "./Bench.ts"
import { isEnd, leave, record } from "./Task.ts"

export const make = (
  { aside, database: { batch, sql }, messages, posting, world: { free, tasks } }: Bench
): Steps<"Ask" | "Answer"> => ({
  Ask: (command) => {
    const id = idOf(command)
    const task = tasks.get(id)
    // Half of the questions are to one person. The overview has those as long as a task waits for them.
    const to_actor = [...id].at(-1)!.charCodeAt(0) % 2 === 0 ? "eve" : null
    const question = { task_id: id, from_actor: "asker", to_actor, type: "question", content: "Which?", hold: true }
    return posting(
      task !== undefined && task.holder !== null && command.off === 0,
      messages.send(ScopeName.make(task?.scope ?? "red"), {
        ...question,
        fencing_token: (task?.grants ?? 0) + command.off
      }),
      id,
      () => {
        const to = task!.queue === "claimed" ? task!.origin! : task!.queue
        leave(task!, { event: "asked", actor: "asker", to, yields: true, terminal: task!.terminal })
        if (!isEnd(task!.queue)) task!.availableAt = Never
        free(task!)
      }
    )
  },
  // Replies to the last question, whether or not the task still waits.
  Answer: Effect.fnUntraced(function*(command) {
    const id = idOf(command)
    const task = tasks.get(id)
    if (task === undefined) return
    const [rows] = yield* aside(batch([sql`SELECT question_id FROM tasks WHERE id = ${id}`]))
    const question = rows![0]!.question_id as MessageId | null
    if (question === null) return
    const reply = { task_id: id, from_actor: "eve", type: "comment", content: "This.", parent_message_id: question }
    yield* posting(true, messages.send(ScopeName.make(task.scope), reply), id, () => {
      if (task.availableAt !== Never) return
      record(task, "answered", "eve")
      task.availableAt = null
      task.answers = Math.min(task.answers + 1, 3)
    })
  })
})
