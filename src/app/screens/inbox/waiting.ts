/** What waits for a person: results to review, and questions, the oldest first. */
import { createMemo } from "solid-js"
import type { Message, Task } from "../../api/Contract.ts"
import { overview } from "../../api/live.ts"
import { createQuery } from "../../api/query.ts"

/** How many of each are read. The server has no more than 500 in a page. */
export const MaxRead = 500

export type Waiting =
  | { readonly kind: "task"; readonly id: string; readonly at: string; readonly task: Task }
  | { readonly kind: "message"; readonly id: string; readonly at: string; readonly message: Message }

export const keyOf = ({ id, kind }: Waiting) => `${kind}/${id}`

/**
 * The types of messages that somebody has to answer, as in `domain/feed/Overview.ts`. The overview also has questions
 * that hold a task.
 */
const questionTypes = ["question", "intervention_request"] as const
const forPerson = ({ id, status, to_actor }: Message) =>
  ((to_actor === null || to_actor === "human" || to_actor === "") && status !== "done") ||
  overview()?.questions.items.some((question) => question.id === id) === true

export const createWaiting = () => {
  const results = createQuery(
    "GET /api/v1/tasks",
    () => ({ query: { queue: "provisional", content: "false" as const, limit: String(MaxRead) } })
  )
  const [questions, requests] = questionTypes.map((type) =>
    createQuery("GET /api/v1/messages", () => ({ query: { type, unreplied: "true" as const, limit: String(MaxRead) } }))
  ) as [ReturnType<typeof createQuery<"GET /api/v1/messages">>, ReturnType<typeof createQuery<"GET /api/v1/messages">>]
  const all = createMemo((): ReadonlyArray<Waiting> | undefined => {
    const [tasks, ...messages] = [results.data(), questions.data(), requests.data()] as const
    if (tasks === undefined || messages.some((page) => page === undefined)) return undefined
    return [
      ...tasks.tasks.map((task): Waiting => ({
        kind: "task",
        id: task.id,
        at: task.submitted_at ?? task.updated_at,
        task
      })),
      ...messages.flatMap((page) => page!.messages).filter(forPerson).map((message): Waiting => ({
        kind: "message",
        id: message.id,
        at: message.created_at,
        message
      }))
    ].sort((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id))
  })
  return {
    all,
    refusal: () => results.refusal() ?? questions.refusal() ?? requests.refusal(),
    hasMore: () => [results.data(), questions.data(), requests.data()].some((page) => page?.next_cursor != null)
  }
}
