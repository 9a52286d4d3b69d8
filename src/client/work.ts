/** One attempt: runs the handler, and hands in its result under the token of the lease. */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as R from "effect/Result"
import * as Schema from "effect/Schema"
import { Checkpoint, CheckpointTooLarge, MaxCheckpointBytes, NewMessage, Parking, Usage } from "../client.ts"
import { checkpointText } from "../domain/lease/Handoff.ts"
import { type Session, session } from "../domain/lease/Session.ts"
import { Unreachable } from "./call/Ask.ts"
import type { Attempt, Limit, Question, Result } from "./call/Attempt.ts"
import { textOf } from "./call/NoUsableAnswer.ts"
import { put } from "./call/report.ts"
import { wellFormed } from "./call/wellFormed.ts"
import { type Held, keyOf, stop, type Worker } from "./Held.ts"
import type { Outbox } from "./Outbox.ts"
import { isReview, type make as makeSettle, reasonOf, Refusal } from "./settle.ts"
import type { WorkerOptions } from "./WorkerOptions.ts"

const AfterFailedReview = "15 seconds"

const checkShape = Schema.encodeEffect(Checkpoint)
const checkUsage = Schema.encodeEffect(Usage)
const checkQuestion = Schema.encodeEffect(Schema.Struct({
  content: NewMessage.fields.content,
  to_actor: NewMessage.fields.to_actor
}))
const checkLimit = Schema.encodeEffect(Schema.Struct({
  account: Parking.fields.account,
  until: Parking.fields.until,
  reason: Parking.fields.reason
}))
const checkSession = Schema.encodeEffect(Schema.Struct(session))

const NoAccount = "park: name an account, because the worker has none (its option `account`)."

/**
 * Stops the handler, which ends its attempt in this way. A handler that has to stop already, or has ended, does not.
 */
const leave = (held: Held, verb: "ask" | "park", body: object): Effect.Effect<never> =>
  Effect.suspend(() => {
    held.leaving ??= { verb, body }
    stop(held, { why: verb })
    return held.settling ? Effect.interrupt : Effect.interruptible(Effect.never)
  })

const attemptOf = (worker: Worker, held: Held, ofWorker: string | undefined): Attempt => ({
  task: held.task,
  fencing_token: held.token,
  handoff: held.task.handoff,
  checkpoint: Effect.fnUntraced(function*(checkpoint: Checkpoint) {
    // The check is here and not at the heartbeat, which carries checkpoints of other tasks too.
    yield* Effect.orDie(checkShape(checkpoint))
    const bytes = new TextEncoder().encode(checkpointText(checkpoint)).length
    if (bytes > MaxCheckpointBytes) return yield* CheckpointTooLarge.of(held.task.id, bytes)
    held.checkpoint = wellFormed(checkpoint)
  }),
  session: Effect.fnUntraced(function*(session: Session) {
    yield* Effect.orDie(checkSession(session))
    held.session = wellFormed({
      session_url: session.session_url ?? held.session.session_url ?? null,
      resume_command: session.resume_command ?? held.session.resume_command ?? null
    })
  }),
  use: Effect.fnUntraced(function*(usage: Usage) {
    yield* Effect.orDie(checkUsage(usage))
    if (!put(held, usage)) yield* Effect.logWarning("too many reports of usage wait: this one is not counted")
  }),
  ask: Effect.fnUntraced(function*({ content, to_actor = null }: Question) {
    const question = yield* Effect.orDie(checkQuestion({ content, to_actor }))
    return yield* leave(held, "ask", { ...question, type: "question", hold: true })
  }),
  park: Effect.fnUntraced(function*(limit: Limit) {
    const { account = ofWorker, reason = null, until } = limit
    if (account === undefined) return yield* Effect.die(new TypeError(NoAccount))
    const body = yield* Effect.orDie(checkLimit({ account, until, reason }))
    return yield* leave(held, "park", body)
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
  readonly outbox: Outbox
}

/** Gives the task up as the options say, after its handler failed or its result was refused. */
const giveUp = Effect.fnUntraced(function*<E, R>(
  { options, settle }: Work<E, R>,
  held: Held,
  attempt: Attempt,
  cause: Cause.Cause<E>,
  reason: string
) {
  const how = yield* Effect.sync(() => options.onFailure?.(cause, attempt) ?? "fail").pipe(
    Effect.catchDefect((defect) =>
      Effect.as(Effect.annotateLogs(Effect.logError("onFailure failed"), { why: textOf(defect) }), "fail" as const)
    )
  )
  return yield* settle.giveUp(held, how === "retry" || how === "terminal" ? how : "fail", reason)
})

/** Ends the attempt. Answers the refusal if the result could not be handed in, or that it waits in the outbox. */
const conclude = Effect.fnUntraced(function*<E, R>(
  work: Work<E, R>,
  held: Held,
  attempt: Attempt,
  exit: Exit.Exit<Result, E>
) {
  const { options, outbox, settle } = work
  const { stop } = held
  if (stop?.why === "lost") {
    yield* Effect.logWarning("stopped; nothing is submitted")
    // The handler finished although it was stopped. Its result may be useful, so it is logged.
    if (Exit.isSuccess(exit)) {
      yield* settle.record(held, exit.value).pipe(
        Effect.flatMap((place) => {
          place.underWay = false
          return outbox.refuse(place, stop.error)
        }),
        Effect.catch((refusal) => Effect.logError(refusal.message))
      )
    }
    yield* options.onLost?.(stop, attempt) ?? Effect.void
    return undefined
  }
  if (Exit.isSuccess(exit)) {
    const place = yield* Effect.result(settle.record(held, exit.value))
    const handIn = R.isSuccess(place) ? settle.handIn(place.success) : Effect.succeed(place.failure)
    const refusal = yield* Effect.andThen(settle.flush(held), handIn).pipe(
      // An attempt that is interrupted before this leaves its result to the last round of the outbox.
      Effect.ensuring(Effect.sync(() => {
        if (R.isSuccess(place)) place.success.underWay = false
      }))
    )
    if (refusal instanceof Unreachable && R.isSuccess(place)) {
      yield* Effect.annotateLogs(
        Effect.logError("finished but not handed in: it stays in the outbox, and the task is given back"),
        { why: refusal.message }
      )
      return yield* settle.letGo(held, place.success)
    }
    if (!(refusal instanceof Refusal)) return refusal
    yield* Effect.logError(refusal.message)
    return yield* giveUp(work, held, attempt, Cause.die(refusal), refusal.message)
  }
  yield* settle.flush(held)
  if (stop?.why === "ask" || stop?.why === "park") {
    const refusal = yield* settle.leave(held, held.leaving!)
    if (!(refusal instanceof Refusal)) return refusal
    yield* Effect.logError(refusal.message)
    // The handler could not leave in this way, so the work is given up. It is no fault of the task.
    held.stop = undefined
    return yield* settle.giveUp(held, "retry", refusal.message)
  }
  if (stop !== undefined) {
    const reason = stop.why === "cancel" ? stop.reason ?? "It is to be cancelled." : "The worker stops."
    return yield* settle.giveBack(held, reason)
  }
  const reason = reasonOf(exit.cause)
  yield* Effect.annotateLogs(Effect.logWarning("the handler failed"), { reason })
  return yield* giveUp(work, held, attempt, exit.cause, reason)
})

/** The same. A defect gives the task up too, so that no task stays claimed. */
const concluded = <E, R>(work: Work<E, R>, held: Held, attempt: Attempt, exit: Exit.Exit<Result, E>) =>
  Effect.catchDefect(conclude(work, held, attempt, exit), (defect) => {
    const reason = `The worker could not end the attempt: ${textOf(defect)}`
    return Effect.andThen(
      Effect.logError(reason),
      held.stop?.why === "lost" ? Effect.undefined : work.settle.giveUp(held, "fail", reason)
    )
  })

/** Runs the handler and ends the attempt. If that fails, the lease expires. */
export const work = <E, R>(worker: Worker, parts: Work<E, R>, held: Held) => {
  const { task, token } = held
  const attempt = attemptOf(worker, held, parts.options.account)
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
    // A task that arrives after the worker was stopped is released unchanged.
    if (worker.stopping) stop(held, { why: "drain" })
    const kept = held.stop === undefined ? yield* parts.settle.kept(held) : undefined
    if (kept !== undefined) {
      yield* Effect.logInfo("finished under an earlier lease: the result is handed in again")
      held.finished = true
      worker.claimNow.openUnsafe()
    }
    const exit = kept !== undefined ? Exit.succeed(kept) : held.stop === undefined ? yield* run : unbegun
    held.settling = true
    const left = yield* concluded(parts, held, attempt, exit)
    if (left !== undefined) yield* Effect.logError(`${left.message} The lease is left to run out.`)
    // No budget counts failed reviews, and the review could be claimed again at once.
    if (isReview(held) && held.stop === undefined && Exit.isFailure(exit)) {
      yield* Effect.timeoutOption(Deferred.await(worker.halted), AfterFailedReview)
    }
  }).pipe(
    Effect.catch((error) => Effect.asVoid(Deferred.fail(worker.fatal, error))),
    Effect.catchDefect((defect) =>
      Effect.annotateLogs(Effect.logError("the attempt could not be ended"), { why: textOf(defect) })
    ),
    Effect.ensuring(Effect.sync(() => {
      // However the attempt ended, its work stops.
      held.controller.abort(held.stop)
      held.handler?.interruptUnsafe()
      worker.held.delete(keyOf(task.id, token))
      worker.claimNow.openUnsafe()
      worker.beatNow.openUnsafe()
      worker.deliverNow.openUnsafe()
    })),
    Effect.annotateLogs(annotations)
  )
}
