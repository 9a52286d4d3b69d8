/** The error of a call whose answer settles nothing: none came, or one that this server does not give. */
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../../domain/Encoding.ts"
import { TaggedError } from "../../domain/TaggedError.ts"

/** The longest that is waited because an answer says so, whoever gave it: no answer can stop a client for hours. */
export const MaxRetryAfterSeconds = 60

/** How many seconds to wait where an answer says `said`. */
export const secondsToWait = (said: number | null | undefined): number =>
  Math.min(MaxRetryAfterSeconds, Math.max(0, said ?? 0))

const MaxDetail = 300

/** Bounded and well-formed, whatever it is made of. */
export const short = (text: string, most = MaxDetail): string =>
  (text.length <= most ? text : `${text.slice(0, most - 1)}…`).toWellFormed()

/** The text of an error that may be anything, also something that cannot be turned into text. */
export const textOf = (error: unknown): string => {
  try {
    const text = error instanceof Error ? error.message || error.name : String(error)
    return short(String(text))
  } catch {
    return "an error that has no text"
  }
}

/**
 * No answer came, or one that the server does not give: a page of a proxy, JSON that broke off, a status without one of the
 * API's errors. Whether the server acted is not known: repeat the call under the same idempotency key, or read first.
 */
export class NoUsableAnswer extends TaggedError<NoUsableAnswer>()(
  "NoUsableAnswer",
  {
    error: ErrorText,
    status: Schema.NullOr(Schema.Int).pipe(describe("The status of the answer; null when none came.")),
    retry_after_seconds: Schema.NullOr(Schema.Finite).pipe(
      describe("When its `Retry-After` says to ask again, at most 60; null when it does not say.")
    )
  },
  { description: "No answer came, or one that the server does not give. Whether the server acted is not known." }
) {
  static readonly none = (call: string, why: string) =>
    new NoUsableAnswer({ error: `No answer to ${call}: ${why}.`, status: null, retry_after_seconds: null })

  static readonly of = (call: string, response: HttpClientResponse.HttpClientResponse, why: string) =>
    new NoUsableAnswer({
      error: `The answer to ${call} is not one of the server: ${response.status} ${
        short(response.headers["content-type"] ?? "without a content type", 80)
      }, ${why}.`,
      status: response.status,
      retry_after_seconds: retryAfterSeconds(response.headers)
    })
}

/**
 * The seconds that a `Retry-After` names, at most `MaxRetryAfterSeconds`. An instant is compared with the `Date` of the same
 * answer, since this machine's clock may be wrong.
 */
export const retryAfterSeconds = (headers: Readonly<Record<string, string | undefined>>): number | null => {
  const text = headers["retry-after"]?.trim()
  if (text === undefined || text === "") return null
  const seconds = /^\d+(\.\d+)?$/.test(text)
    ? Number(text)
    : (Date.parse(text) - Date.parse(headers.date ?? "")) / 1000
  return Number.isNaN(seconds) ? null : secondsToWait(seconds)
}
