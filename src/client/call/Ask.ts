/** Repeats a call until the server settles it, with a backoff for each call. */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type DatabaseUnavailable, type InternalError, NoUsableAnswer, type TooManyFailures } from "../../client.ts"
import { Retries } from "./Call.ts"
import { secondsToWait } from "./NoUsableAnswer.ts"
import { jittered, now } from "./Time.ts"

/** How long to wait for an answer. */
const Patience = Duration.seconds(30)

const FirstPause = 500
const LongestPause = 30_000

/** The server did not settle the call. It is unknown whether it had an effect. */
export class Unreachable extends Data.TaggedError("Unreachable")<{
  readonly why: string
  /** How long to wait before the next try, in milliseconds. */
  readonly pause: number
}> {
  override get message(): string {
    return this.why
  }
}

type Passing = DatabaseUnavailable | InternalError | NoUsableAnswer | TooManyFailures

/** The final errors: another try would get the same. */
export type Settled<E> = Exclude<E, Passing>

const passing = new Set(["DatabaseUnavailable", "InternalError", "NoUsableAnswer", "TooManyFailures"])
const passes = (error: unknown): error is Passing =>
  passing.has(String((error as { readonly _tag?: unknown } | null)?._tag))

/** A call that is repeated. It remembers how often it failed, and since when. */
export interface Ask {
  /** Tries once. Fails with `Unreachable` if another try makes sense. */
  readonly once: <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, Settled<E> | Unreachable, R>
  /** Tries until the server settles the call. */
  readonly persistently: <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, Settled<E>, R>
  /** Tries until the server settles the call or `isEnough` holds. `isEnough` gets the time of the first failure. */
  readonly patiently: <A, E, R>(
    call: Effect.Effect<A, E, R>,
    isEnough: (failingSince: number) => boolean
  ) => Effect.Effect<A, Settled<E> | Unreachable, R>
}

/** `what` names the call in the log. */
export const make = (what: string): Ask => {
  let failures = 0
  let since = 0

  const answered = Effect.suspend(() => {
    if (failures === 0) return Effect.void
    const asked = failures
    failures = 0
    return Effect.annotateLogs(Effect.logInfo("the server answers again"), { call: what, failures: asked })
  })

  const once = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, Settled<E> | Unreachable, R> =>
    call.pipe(
      Effect.provideService(Retries, 0),
      Effect.timeoutOrElse({
        duration: Patience,
        orElse: () => Effect.fail(NoUsableAnswer.none(what, `it was not there within ${Duration.format(Patience)}`))
      }),
      Effect.catch((error: E | NoUsableAnswer): Effect.Effect<never, Settled<E> | Unreachable> => {
        if (!passes(error)) return Effect.fail(error as Settled<E>)
        return Effect.gen(function*() {
          const pause = yield* jittered(Math.min(LongestPause, FirstPause * 2 ** failures))
          const said = secondsToWait("retry_after_seconds" in error ? error.retry_after_seconds : 0)
          if (failures === 0) since = yield* now
          failures += 1
          if (failures === 1) {
            yield* Effect.logWarning("the server does not answer; asking again").pipe(
              Effect.annotateLogs({ call: what, why: error.message })
            )
          }
          return yield* new Unreachable({ why: error.message, pause: Math.max(pause, said * 1000) })
        })
      }),
      // A refusal is an answer too.
      Effect.tapError((error) => error instanceof Unreachable ? Effect.void : answered),
      Effect.tap(() => answered)
    )

  const patiently = Effect.fnUntraced(
    function*<A, E, R>(
      call: Effect.Effect<A, E, R>,
      isEnough: (failingSince: number) => boolean
    ): Effect.fn.Return<A, Settled<E> | Unreachable, R> {
      for (;;) {
        const answer = yield* Effect.result(once(call))
        if (Result.isSuccess(answer)) return answer.success
        const { failure } = answer
        if (!(failure instanceof Unreachable) || isEnough(since)) return yield* Effect.fail(failure)
        yield* Effect.sleep(failure.pause)
      }
    }
  )

  const persistently = <A, E, R>(call: Effect.Effect<A, E, R>) =>
    patiently(call, () => false) as Effect.Effect<A, Settled<E>, R>

  return { once, patiently, persistently }
}
