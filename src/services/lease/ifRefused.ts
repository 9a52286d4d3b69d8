/** Going on after a batch that was refused. Of any other failure nobody knows what became of it, so it stays a defect. */
import * as Effect from "effect/Effect"
import { isRefusal } from "../../sql/Refusal.ts"

/** Logs why, and does the other thing. */
export const ifRefused =
  <A, E, R>(message: string, other: Effect.Effect<A, E, R>) =>
  <B, F, S>(batch: Effect.Effect<B, F, S>): Effect.Effect<A | B, E | F, R | S> =>
    Effect.catchDefect(
      batch,
      (defect) => isRefusal(defect) ? Effect.andThen(Effect.logError(message, defect), other) : Effect.die(defect)
    )
