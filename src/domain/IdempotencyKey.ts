/** The key under which a POST may be repeated: it has one effect, and the repetition gets the same answer. */
import { ErrorText } from "./Encoding.ts"
import { TaggedError } from "./TaggedError.ts"

/** The shortest time for which a key is remembered, in milliseconds: a day. */
export const KeyLifetime = 86_400_000

/** Whether the text can be a key: 1 to 255 printable ASCII characters. */
export const isIdempotencyKey = (text: string): boolean => /^[\x20-\x7e]{1,255}$/.test(text)

export class IdempotencyKeyReused extends TaggedError<IdempotencyKeyReused>()(
  "IdempotencyKeyReused",
  { error: ErrorText },
  {
    httpApiStatus: 422,
    description:
      "Another request was sent under this `Idempotency-Key` within the last 24 hours: another path, query or body. Nothing was changed."
  }
) {
  static readonly of = () =>
    new IdempotencyKeyReused({
      error:
        "This Idempotency-Key belongs to another request of yours. Nothing was changed. Send each request with a key of its own, and only its repetitions with the same."
    })
}
