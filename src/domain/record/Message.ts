/** A message: mail between actors, about a task or something else. Only its status changes. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, FlagParameter, maybe, text, Time, TimeColumn } from "../Encoding.ts"
import { MessageId, ScopeName } from "../Identifier.ts"
import { contentParameter, pageParameters } from "../Page.ts"
import { filled, Label, MaxContent, MaxLabel, SizedId } from "../Size.ts"
import { TaggedError } from "../TaggedError.ts"

/** The longest thread that an answer holds. */
export const MaxThread = 1000

export const MessageStatus = Schema.Literals(["pending", "processing", "done"])
export type MessageStatus = typeof MessageStatus.Type

const status = MessageStatus.pipe(
  describe("`pending`: nobody has taken it. `processing`: an actor works on it. `done`: nothing is left to do.")
)
const about = "The subject: the id of a task, or any other text, because clients also write about drafts and projects."
const kind = "The kind of message, such as `comment`, `question`, `action_command` or `intervention_request`."

const fields = <T extends Schema.Top>(time: T) => ({
  id: MessageId,
  task_id: Schema.String.pipe(describe(about)),
  from_actor: Schema.String.pipe(describe("Who wrote it.")),
  to_actor: text("The receiver; null means every reader."),
  type: Schema.String.pipe(describe(kind)),
  content: Schema.String.pipe(describe("What it says.")),
  status,
  created_at: time.pipe(describe("When it arrived.")),
  scope: ScopeName,
  parent_message_id: text("The message that it replies to.")
})

export const Message = Schema.Struct(fields(Time)).annotate({ identifier: "Message" })
export type Message = typeof Message.Type

export const MessageRow = Schema.Struct(fields(TimeColumn))

const given = (description: string, most = MaxLabel) => filled(most).pipe(describe(description))

export const NewMessage = Schema.Struct({
  task_id: SizedId.pipe(describe(about)),
  from_actor: given("Who writes it."),
  type: given(kind),
  content: given("What it says.", MaxContent),
  to_actor: maybe(Label, "Whom it is for."),
  parent_message_id: maybe(
    Label,
    "The message that it replies to, which must have the same subject. A question with `hold` is no reply."
  ),
  hold: maybe(
    Schema.Boolean,
    "For a `question` of the holder of the task: whether the task waits for a reply. Its lease ends without an attempt, and nobody may claim it until then."
  ),
  fencing_token: maybe(Schema.Int, "With `hold`: the token of the lease.")
}).annotate({ identifier: "NewMessage" })
export type NewMessage = typeof NewMessage.Type

export const MessagePatch = Schema.Struct({
  status,
  expected_status: maybe(
    MessageStatus,
    "The status that you expect the message to have. If it has another one, nothing is changed and the answer is 409: of several actors that take a message, one gets it."
  )
}).annotate({ identifier: "MessagePatch" })
export type MessagePatch = typeof MessagePatch.Type

const parameter = (description: string) => Schema.optionalKey(Schema.String).pipe(describe(description))

/** Whether a read returns the content of a message. */
export const messageContent = contentParameter("`content`, which is empty text then")

/** The query parameters of the messages of one task. Each narrows the list; an empty one does not. */
export const taskMessageFilters = {
  type: parameter("The kind of message."),
  to_actor: parameter("Whom it is for."),
  from_actor: parameter("Who wrote it."),
  status: Schema.optionalKey(Schema.Literals([...MessageStatus.literals, ""])).pipe(describe("Exactly this status.")),
  unreplied: Schema.optionalKey(FlagParameter).pipe(describe("`true`: only messages that nobody replied to.")),
  ...messageContent,
  ...pageParameters,
  offset: pageParameters.offset.pipe(
    describe("How many of the oldest to skip. Without it the page is the newest messages, and states its offset.")
  )
}

/** The query parameters of the message list. */
export const messageFilters = {
  task_id: parameter("What it is about."),
  thread_id: parameter(
    `A message: only it, the replies to it, the replies to these and so on, up to ${MaxThread}. All of them are one page unless \`limit\` says otherwise.`
  ),
  ...taskMessageFilters
}
const MessageFilter = Schema.Struct(messageFilters)
export type MessageFilter = typeof MessageFilter.Type

export class MessageNotFound extends TaggedError<MessageNotFound>()(
  "MessageNotFound",
  { error: ErrorText, message_id: Schema.String.pipe(describe("The id asked for.")) },
  { httpApiStatus: 404, description: "No message with this id is in reach: it does not exist, or is in another scope." }
) {
  static readonly of = (message_id: string) =>
    new MessageNotFound({ error: `Message not found: ${message_id}`, message_id })
}

export class InvalidParentMessage extends TaggedError<InvalidParentMessage>()(
  "InvalidParentMessage",
  { error: ErrorText, parent_message_id: Schema.String.pipe(describe("The message that was to get a reply.")) },
  { httpApiStatus: 400, description: "The parent is not in this scope, or has another subject." }
) {
  static readonly unknown = (parent_message_id: string) =>
    new InvalidParentMessage({ error: `Parent message not found: ${parent_message_id}`, parent_message_id })
  static readonly ofOtherTask = (parent_message_id: string) =>
    new InvalidParentMessage({ error: "Parent message belongs to a different task", parent_message_id })
}

export class MessageStatusConflict extends TaggedError<MessageStatusConflict>()(
  "MessageStatusConflict",
  {
    error: ErrorText,
    message_id: MessageId,
    expected: MessageStatus.pipe(describe("The status the caller stated.")),
    status
  },
  { httpApiStatus: 409, description: "The message does not have the status the caller expects. Nothing was changed." }
) {
  static readonly of = (message_id: MessageId, expected: MessageStatus, status: MessageStatus) =>
    new MessageStatusConflict({
      error: `Message ${message_id} is ${status}, not ${expected}: somebody else has changed it. Take up another one.`,
      message_id,
      expected,
      status
    })
}
