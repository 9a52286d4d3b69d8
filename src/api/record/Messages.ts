/** `/api/v1/messages`, and the messages of a task */
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as HttpApiSchema from "effect/http-api/HttpApiSchema"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Schema from "effect/Schema"
import { describe } from "../../domain/Encoding.ts"
import { MessageId, TaskId } from "../../domain/Identifier.ts"
import { InvalidQuestion } from "../../domain/lease/Question.ts"
import { InvalidCursor, pageEnvelope } from "../../domain/Page.ts"
import {
  InvalidParentMessage,
  Message,
  messageContent,
  messageFilters,
  MessageNotFound,
  MessagePatch,
  MessageStatusConflict,
  NewMessage,
  taskMessageFilters
} from "../../domain/record/Message.ts"
import { InvalidTransition, LeaseLost, TaskNotFound, VersionConflict } from "../../domain/task/TaskErrors.ts"
import { Authorization, NeededRank } from "../access/Authorization.ts"
import { conditional } from "../Conditional.ts"
import { Required, ScopeRequired } from "../InvalidRequest.ts"
import { scoped, scopeParameter } from "../Scoped.ts"

const params = { id: MessageId }

const page = Schema.Struct({
  messages: Schema.Array(Message).pipe(describe("The messages of this page, in the order they arrived.")),
  ...pageEnvelope
})

export class MessagesApi extends HttpApiGroup.make("messages")
  .add(
    conditional(
      HttpApiEndpoint.get("list", "/messages", {
        query: { ...messageFilters, ...scopeParameter },
        success: page,
        error: [ScopeRequired, InvalidCursor]
      }).annotateMerge(OpenApi.annotations({
        summary: "List messages",
        description:
          "A page of the messages of the scope, oldest first. Without `offset` it is the newest page; with it, pages count from the oldest message. `next_cursor` continues in the same direction: from the newest page to older ones, from `offset=0` to newer ones. Every filter narrows it."
      }))
    ),
    HttpApiEndpoint.post("send", "/messages", {
      query: scopeParameter,
      payload: scoped(NewMessage),
      success: Message.pipe(HttpApiSchema.status(201)),
      error: [
        InvalidParentMessage,
        InvalidQuestion,
        LeaseLost,
        TaskNotFound,
        InvalidTransition,
        VersionConflict,
        ScopeRequired
      ]
    }).annotate(Required, [{
      fields: ["task_id", "from_actor", "type", "content"],
      error: "Missing required fields: task_id, from_actor, type, content"
    }]).annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
      summary: "Send a message",
      description:
        "Sends a message to an actor, or a reply. Its task need not exist. A `question` with `hold` and the `fencing_token` of the holder holds its task: the lease ends without an attempt, the task goes back to where it was claimed from, and nobody may claim it until someone replies (`parent_message_id`). The next claim has question and answer in its handoff."
    })),
    HttpApiEndpoint.get("get", "/messages/:id", {
      params,
      query: { ...messageContent, ...scopeParameter },
      success: Message,
      error: MessageNotFound
    }).annotateMerge(OpenApi.annotations({ summary: "Read a message", description: "The message as it is now." })),
    HttpApiEndpoint.patch("patch", "/messages/:id", {
      params,
      query: scopeParameter,
      payload: scoped(MessagePatch),
      success: Message,
      error: [MessageNotFound, MessageStatusConflict]
    }).annotate(Required, [{ fields: ["status"], error: "Missing field: status" }])
      .annotate(NeededRank, "work").annotateMerge(OpenApi.annotations({
        summary: "Take up or finish a message",
        description:
          "Sets the status. With `expected_status` it is a compare-and-set: before you carry a command out, send `processing` and expect `pending`, so that nobody else carries it out too."
      })),
    conditional(
      HttpApiEndpoint.get("listOfTask", "/tasks/:id/messages", {
        params: { id: TaskId },
        query: { ...taskMessageFilters, ...scopeParameter },
        success: page,
        error: [ScopeRequired, InvalidCursor]
      }).annotateMerge(OpenApi.annotations({
        summary: "List the messages about a task",
        description: "The messages of one task. The list is empty for a task that does not exist."
      }))
    )
  )
  .prefix("/api/v1")
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ title: "Messages", description: "Mail between actors." }))
{}
