/** The error of a call without a usable answer: none came, or one that this server does not give. */
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "../../domain/Encoding.ts"
import { TaggedError } from "../../domain/TaggedError.ts"

/** The longest wait that an answer can demand, so that no answer stops a client for hours. */
export const MaxRetryAfterSeconds = 60

/** How many seconds to wait if an answer demands `said`. */
export const secondsToWait = (said: number | null | undefined): number =>
  Math.min(MaxRetryAfterSeconds, Math.max(0, said ?? 0))

const MaxDetail = 300

/** The text, well-formed and shortened. */
export const short = (text: string, most = MaxDetail): string =>
  (text.length <= most ? text : `${text.slice(0, most - 1)}…`).toWellFormed()

/** The text of any error, even of one that cannot be converted to text. */
export const textOf = (error: unknown): string => {
  try {
    const text = error instanceof Error ? error.message || error.name : String(error)
    return short(String(text))
  } catch {
    return "an error that has no text"
  }
}

/**
 * No answer came, or one that the server does not give: a page of a proxy, incomplete JSON, a status without an error
 * of the API. It is unknown whether the request had an effect. Repeat the call under the same idempotency key, or read
 * first.
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
 * The seconds that a `Retry-After` names, at most `MaxRetryAfterSeconds`. A date is compared with the `Date` of the
 * same answer, because the clock of this machine may be wrong.
 */
export const retryAfterSeconds = (headers: Readonly<Record<string, string | undefined>>): number | null => {
  const text = headers["retry-after"]?.trim()
  if (text === undefined || text === "") return null
  const seconds = /^\d+(\.\d+)?$/.test(text)
    ? Number(text)
    : (Date.parse(text) - Date.parse(headers.date ?? "")) / 1000
  return Number.isNaN(seconds) ? null : secondsToWait(seconds)
}
