/** Questions that hold a task: nobody may claim it until someone replies. */
import * as Schema from "effect/Schema"
import { describe, ErrorText, jsonColumn, Time, TimeColumn } from "../Encoding.ts"
import { TaggedError } from "../TaggedError.ts"

/**
 * The `available_at` of a task that waits for a reply: the last millisecond that ISO 8601 can write with four digits of
 * the year. The schema has it too (`tasks.waiting_for_reply`).
 */
export const Never = 253_402_300_799_999

/** How many answers a task keeps, and how many characters of a question and of its answer. */
export const MaxAnswers = 3
export const MaxQuestion = 1000
export const MaxAnswer = 4000

const fields = <T extends Schema.Top>(time: T) => ({
  question_id: Schema.String.pipe(describe("The message with the question.")),
  question: Schema.String.pipe(describe(`The question: its first ${MaxQuestion} characters.`)),
  asked_by: Schema.String.pipe(describe("Who asked.")),
  reply_id: Schema.String.pipe(describe("The message with the answer.")),
  answer: Schema.String.pipe(describe(`The answer: its first ${MaxAnswer} characters.`)),
  answered_by: Schema.String.pipe(describe("Who answered.")),
  at: time
})

export const Answer = Schema.Struct(fields(Time)).annotate({ identifier: "Answer" })
export const AnswersColumn = jsonColumn(Schema.Array(Schema.Struct(fields(TimeColumn))))

// Only a reply to such a message may free a task, so other replies need not look.
const prefix = "ask-"
export const isHolding = (id: string | null): boolean => id !== null && id.startsWith(prefix)
export const holdingId = (id: string): string => id.replace(/^msg-/, prefix)

export class InvalidQuestion extends TaggedError<InvalidQuestion>()(
  "InvalidQuestion",
  { error: ErrorText, field: Schema.String.pipe(describe("The field that does not fit.")) },
  {
    httpApiStatus: 400,
    description: "A message with `hold` is no question, is a reply, or names no lease. Nothing was sent."
  }
) {
  static readonly type = (type: string) =>
    new InvalidQuestion({
      error:
        `type: only a question holds its task, and this is a ${type}. Send the type "question", or leave out hold.`,
      field: "type"
    })
  static readonly token = () =>
    new InvalidQuestion({
      error: "fencing_token: only the holder of a task may hold it with a question. Send the token of your lease.",
      field: "fencing_token"
    })
  static readonly parent = () =>
    new InvalidQuestion({
      error:
        "parent_message_id: a question that holds its task is no reply. Send it without a parent, or leave out hold.",
      field: "parent_message_id"
    })
}
