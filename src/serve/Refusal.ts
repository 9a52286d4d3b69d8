/** Why a server does not start, in a sentence that says what to do. */
import * as Data from "effect/Data"

export class Refusal extends Data.TaggedError("Refusal")<{ readonly message: string }> {}

/** What Node says about a file or a socket. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === "object" && error !== null && "code" in error ? String(error.code) : undefined

export const sentenceOf = (error: unknown): string => error instanceof Error ? error.message : String(error)
