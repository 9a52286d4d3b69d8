/** One attempt: the handler runs, and what it comes to is handed in under the token of the lease. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import { Checkpoint, CheckpointTooLarge, MaxCheckpointBytes } from "../client.ts"
import { checkpointText } from "../domain/Handoff.ts"
import type { Attempt, Result } from "./Attempt.ts"
import { type Held, keyOf, stop, type Worker } from "./Held.ts"
import { isReview, type make as makeSettle, reasonOf } from "./settle.ts"
import { wellFormed } from "./wellFormed.ts"
import type { WorkerOptions } from "./WorkerOptions.ts"

const AfterFailedReview = "15 seconds"

const checkShape = Schema.encodeEffect(Checkpoint)

const attemptOf = (worker: Worker, held: Held): Attempt => ({
  task: held.task,
  fencing_token: held.token,
  handoff: held.task.handoff,
  checkpoint: Effect.fnUntraced(function*(checkpoint: Checkpoint) {
    // Here, and not with the heartbeat, which carries what others wrote as well.
    yield* Effect.orDie(checkShape(checkpoint))
    const bytes = new TextEncoder().encode(checkpointText(checkpoint)).length
    if (bytes > MaxCheckpointBytes) return yield* CheckpointTooLarge.of(held.task.id, bytes)
    held.checkpoint = wellFormed(checkpoint)
  }),
  renew: Effect.gen(function*() {
    const answered = yield* Deferred.make<void>()
    worker.awaiting.add(answered)
    worker.beatNow.openUnsafe()
    yield* Deferred.await(answered)
  }),
  directive: held.directive,
  signal: held.controller.signal
})

export interface Work<E, R> {
  readonly options: WorkerOptions<E>
  readonly handler: (attempt: Attempt) => Effect.Effect<Result, E, R>
  readonly settle: ReturnType<typeof makeSettle>
}

const conclude = Effect.fnUntraced(function*<E, R>(
  { options, settle }: Work<E, R>,
  held: Held,
  attempt: Attempt,
  exit: Exit.Exit<Result, E>
) {
  const { stop } = held
  if (stop?.why === "lost") {
    yield* Effect.logWarning("stopped; nothing is submitted")
    return yield* options.onLost?.(stop, attempt) ?? Effect.void
  }
  yield* settle.flush(held)
  if (Exit.isSuccess(exit)) {
    const refusal = yield* settle.submit(held, exit.value)
    if (refusal === undefined) return
    yield* Effect.logError(refusal.message)
    return yield* settle.giveUp(held, "fail", refusal.message)
  }
  if (stop !== undefined) {
    const reason = stop.why === "cancel" ? stop.reason ?? "It is to be cancelled." : "The worker stops."
    return yield* settle.giveBack(held, reason)
  }
  const reason = reasonOf(exit.cause)
  const how = yield* Effect.sync(() => options.onFailure?.(exit.cause, attempt) ?? "fail").pipe(
    Effect.catchDefect((defect) => Effect.as(Effect.logError("onFailure failed", Cause.die(defect)), "fail" as const))
  )
  yield* Effect.annotateLogs(Effect.logWarning("the handler failed"), { reason })
  return yield* settle.giveUp(held, how, reason)
})

/** Runs the handler and ends the attempt. What cannot be ended is left to run out. */
export const work = <E, R>(worker: Worker, parts: Work<E, R>, held: Held) => {
  const { task, token } = held
  const attempt = attemptOf(worker, held)
  const unbegun: Exit.Exit<Result, E> = Exit.interrupt()
  const annotations = { task_id: task.id, fencing_token: token }
  const run = Effect.gen(function*() {
    const handler = yield* Effect.forkDetach(
      Effect.map(Effect.suspend(() => parts.handler(attempt)), wellFormed).pipe(
        Effect.withSpan("octopoid.attempt", { attributes: annotations })
      ),
      { uninterruptible: false }
    )
    held.handler = handler
    return yield* Effect.raceFirst(Fiber.await(handler), Effect.as(Deferred.await(held.abandoned), unbegun))
  })
  return Effect.gen(function*() {
    // What a claim brings after the worker was told to stop is given back as it came.
    if (worker.stopping) stop(held, { why: "drain" })
    const exit = held.stop === undefined ? yield* run : unbegun
    held.settling = true
    const refusal = yield* conclude(parts, held, attempt, exit)
    if (refusal !== undefined) yield* Effect.logError(`${refusal.message} The lease is left to run out.`)
    // Nothing counts how often a review fails, and it could be claimed again at once.
    if (isReview(held) && held.stop === undefined && Exit.isFailure(exit)) {
      yield* Effect.timeoutOption(Deferred.await(worker.halted), AfterFailedReview)
    }
  }).pipe(
    Effect.catch((error) => Effect.asVoid(Deferred.fail(worker.fatal, error))),
    Effect.catchDefect((defect) => Effect.logError("the attempt could not be ended", Cause.die(defect))),
    Effect.ensuring(Effect.sync(() => {
      // However it ended, nothing of the attempt goes on.
      held.controller.abort(held.stop)
      held.handler?.interruptUnsafe()
      worker.held.delete(keyOf(task.id, token))
      worker.claimNow.openUnsafe()
      worker.beatNow.openUnsafe()
    })),
    Effect.annotateLogs(annotations)
  )
}
