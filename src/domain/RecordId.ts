/** The ids the server gives: what the record is, when it came about, and six random characters of base 36. */
import * as Clock from "effect/Clock"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { ActionId, MessageId } from "./Identifier.ts"

const generated = Effect.fnUntraced(function*(prefix: string) {
  const now = yield* Clock.currentTimeMillis
  const random = yield* (yield* SecureRandom.SecureRandom).intBetween(0, 36 ** 6, { halfOpen: true })
  return `${prefix}-${now}-${random.toString(36).padStart(6, "0")}`
})

export const messageId = Effect.map(generated("msg"), (id) => MessageId.make(id))
export const actionId = Effect.map(generated("act"), (id) => ActionId.make(id))
