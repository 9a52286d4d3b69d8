/**
 * Asks a question that holds its task: one batch stores it, ends the lease and takes the task out of reach of claims.
 */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { MessageId, messageId, type ScopeName, TaskId } from "../../domain/Identifier.ts"
import { holdingId, InvalidQuestion } from "../../domain/lease/Question.ts"
import { MessageRow, type NewMessage } from "../../domain/record/Message.ts"
import { moves } from "../../domain/task/Moves.ts"
import * as Idempotency from "../../sql/Idempotency.ts"
import { columnsOf } from "../../sql/JsonRow.ts"
import * as Questions from "../../sql/record/Questions.ts"
import { moving } from "../task/change/move.ts"

const kept = Idempotency.keeping({ row: columnsOf(MessageRow), from: "messages", where: "id = :message" })

export const make = Effect.gen(function*() {
  const move = yield* moving
  const random = yield* SecureRandom.SecureRandom

  /** Answers the row of the message. */
  return Effect.fn("Messages.ask")(function*(scope: ScopeName, question: NewMessage) {
    const { content, fencing_token, from_actor, task_id, type } = question
    if (type !== "question") return yield* InvalidQuestion.type(type)
    if (question.parent_message_id) return yield* InvalidQuestion.parent()
    if (fencing_token == null) return yield* InvalidQuestion.token()
    const message = MessageId.make(
      holdingId(yield* Effect.provideService(messageId, SecureRandom.SecureRandom, random))
    )
    const to_actor = question.to_actor || null
    const { answers, replay } = yield* move({
      verb: "ask about",
      move: moves.ask,
      id: TaskId.make(task_id),
      scope,
      expected: { fencing_token },
      now: yield* Clock.currentTimeMillis,
      actor: from_actor,
      reason: content,
      details: JSON.stringify({ message_id: message, to_actor }),
      values: { message, to_actor, type, content },
      besides: (values) => ({ sent: Questions.sent(values), sentCounted: Questions.sentCounted(values) }),
      keep: { step: "sent", answer: kept }
    }).pipe(
      // The task was open, so its external key is taken by no other.
      Effect.catchTag("TaskExists", Effect.die)
    )
    return replay?.rows ?? answers.sent
  })
})
