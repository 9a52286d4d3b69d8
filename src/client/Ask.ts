/** Asking the server: what is worth asking again is told apart from what is settled, and said once and not each time. */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type { DatabaseUnavailable, InternalError, TooManyFailures } from "../client.ts"

/** How long an answer is waited for. */
const Patience = Duration.seconds(30)

const FirstPause = 500
const LongestPause = 30_000

/** No usable answer came. Whether the server acted is not known. */
export class Unreachable extends Data.TaggedError("Unreachable")<{
  readonly why: string
  /** How long to wait before asking again, in milliseconds. */
  readonly pause: number
}> {
  override get message(): string {
    return this.why
  }
}

type Passing = DatabaseUnavailable | InternalError | TooManyFailures | Cause.TimeoutError

/** What the server settles: these errors say that asking again would be answered alike. */
export type Settled<E> = Exclude<E, Passing>

const busy = (status: number): boolean => status >= 500 || status === 408 || status === 425 || status === 429

const passes = (error: unknown): error is Passing | HttpClientError => {
  const { _tag, reason } = error as {
    readonly _tag?: string
    readonly reason?: { readonly _tag?: string; readonly response?: { readonly status: number } }
  }
  switch (_tag) {
    case "TimeoutError":
    case "DatabaseUnavailable":
    case "InternalError":
    case "TooManyFailures":
      return true
    case "HttpClientError":
      // A page in place of an answer comes from something on the way.
      return reason?._tag === "TransportError" || reason?._tag === "DecodeError" || reason?._tag === "EmptyBodyError" ||
        (reason?._tag === "StatusCodeError" && busy(reason.response?.status ?? 0))
    default:
      return false
  }
}

/** A time that many machines do not share: between four fifths of it and all of it. */
export const jittered = (millis: number): Effect.Effect<number> =>
  Effect.map(Random.nextBetween(0.8, 1), (factor) => Math.ceil(millis * factor))

export interface Ask {
  /** Asks once. Fails with `Unreachable` where it is worth asking again. */
  readonly once: <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, Settled<E> | Unreachable, R>
  /** Asks until the server settles it. */
  readonly persistently: <A, E, R>(call: Effect.Effect<A, E, R>) => Effect.Effect<A, Settled<E>, R>
}

export const make = (): Ask => {
  let failures = 0

  const once = <A, E, R>(call: Effect.Effect<A, E, R>): Effect.Effect<A, Settled<E> | Unreachable, R> =>
    call.pipe(
      Effect.timeout(Patience),
      Effect.catchCause((cause): Effect.Effect<never, Settled<E> | Unreachable> => {
        const error = Cause.squash(cause)
        if (!passes(error)) return Effect.failCause(cause as Cause.Cause<Settled<E>>)
        return Effect.gen(function*() {
          const pause = yield* jittered(Math.min(LongestPause, FirstPause * 2 ** failures))
          const said = "retry_after_seconds" in error ? error.retry_after_seconds * 1000 : 0
          failures += 1
          const why = error._tag === "TimeoutError" ? `no answer within ${Duration.format(Patience)}` : error.message
          if (failures === 1) {
            yield* Effect.logWarning("the server does not answer; asking again").pipe(Effect.annotateLogs({ why }))
          }
          return yield* new Unreachable({ why, pause: Math.max(pause, said) })
        })
      }),
      Effect.tap(() => {
        if (failures === 0) return Effect.void
        const asked = failures
        failures = 0
        return Effect.annotateLogs(Effect.logInfo("the server answers again"), { failures: asked })
      })
    )

  const persistently = Effect.fnUntraced(
    function*<A, E, R>(call: Effect.Effect<A, E, R>): Effect.fn.Return<A, Settled<E>, R> {
      for (;;) {
        const answer = yield* Effect.result(once(call))
        if (Result.isSuccess(answer)) return answer.success
        const { failure } = answer
        if (!(failure instanceof Unreachable)) return yield* Effect.fail(failure)
        yield* Effect.sleep(failure.pause)
      }
    }
  )

  return { once, persistently }
}
