/** The answer when the database fails for a moment: the client may send the request again. */
import * as Schema from "effect/Schema"
import { describe, ErrorText } from "./Encoding.ts"
import { TaggedError } from "./TaggedError.ts"

export class DatabaseUnavailable extends TaggedError<DatabaseUnavailable>()(
  "DatabaseUnavailable",
  {
    error: ErrorText,
    retry_after_seconds: Schema.Int.pipe(describe("When to try again; also the `Retry-After` header."))
  },
  {
    httpApiStatus: 503,
    description:
      "The database cannot be used for the moment. It is unknown whether a change was made; it was made completely or not at all. Repeat the request under the same `Idempotency-Key`, or read first."
  }
) {
  /**
   * `request` says whether it only reads, changes something under an idempotency key, or changes something without one.
   */
  static readonly of = (request: "reads" | "under a key" | "changes", retry_after_seconds: number) =>
    new DatabaseUnavailable({
      error: `The database did not answer${
        request === "reads"
          ? "; nothing was changed. Ask again"
          : `, and whether the change was made is not known. ${
            request === "changes"
              ? "Read what is there before you send the request again"
              : "Repeat the request under the same Idempotency-Key"
          }`
      } in ${retry_after_seconds} s.`,
      retry_after_seconds
    })

  /** A server on Durable Objects reads only so many long bodies at once, in all and for each scope. */
  static readonly busy = () =>
    new DatabaseUnavailable({
      error:
        "The server reads as many long bodies at once as its memory allows. Nothing was changed. Ask again in 1 s.",
      retry_after_seconds: 1
    })

  /** It does not wait longer for the rest of a body. */
  static readonly slow = (seconds: number) =>
    new DatabaseUnavailable({
      error: `The body of the request did not arrive within ${seconds} s. Nothing was changed. Send it again.`,
      retry_after_seconds: 1
    })

  /** A deployment may reach the Worker before its migrations have reached the database. */
  static readonly unmigrated = () =>
    new DatabaseUnavailable({
      error:
        "The database lacks a migration that this release of the server needs. Nothing was changed. Ask again in 10 s; /api/health says when the database is ready.",
      retry_after_seconds: 10
    })
}
