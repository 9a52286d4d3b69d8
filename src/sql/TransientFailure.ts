/**
 * Failures of D1 that pass by themselves, told by their texts: D1 has no codes for them. From its documentation,
 * https://developers.cloudflare.com/d1/observability/debug-d1/#error-list and
 * https://developers.cloudflare.com/d1/best-practices/retry-queries/, and what its binding throws when something on the
 * way answers in its place. A statement that is wrong, or costs too much, fails each time: it is not among them.
 */
import * as Data from "effect/Data"

const overloaded = /overloaded|too many requests queued|queued for too long/i
const passing =
  /connection lost|transient issue|exceeded timeout|no answer within|object to be reset|code was updated|internal error|failed to parse body as json/i

/** Whether the batch had its effect is not known. */
export class TransientFailure extends Data.TaggedError("TransientFailure")<{
  readonly cause: unknown
  readonly retryAfterSeconds: number
}> {}

/** What D1 failed with, if it passes. What SQLite says of a statement has its code in the text, and does not. */
export const of = (cause: unknown): TransientFailure | undefined => {
  const text = String(cause)
  if (text.includes("SQLITE_")) return undefined
  return overloaded.test(text)
    ? new TransientFailure({ cause, retryAfterSeconds: 5 })
    : passing.test(text)
    ? new TransientFailure({ cause, retryAfterSeconds: 1 })
    : undefined
}
