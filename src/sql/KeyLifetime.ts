/** How long idempotency keys are remembered, in milliseconds: a day, or longer where the server is configured so. */
import * as Context from "effect/Context"
import { KeyLifetime } from "../domain/IdempotencyKey.ts"

export const CurrentKeyLifetime = Context.Reference<number>("octopoid-server/sql/CurrentKeyLifetime", {
  defaultValue: () => KeyLifetime
})
