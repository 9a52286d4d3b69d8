/** Why a tool did nothing, as the sentences that the agent reads: what is true now, and what to do next. */
import * as Schema from "effect/Schema"
import { short, textOf } from "../client/call/NoUsableAnswer.ts"

/** The longest text of an error: enough for a sentence of the server and for what to do next. */
const MaxSaid = 2000

/** The error of every tool. An MCP client gets its sentences as the text of a failed call. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", { error: Schema.String }) {
  override get message(): string {
    return this.error
  }
}

export const refuse = (...sentences: ReadonlyArray<string>): Refused =>
  new Refused({ error: short(sentences.join(" "), MaxSaid) })

/** What to do about an answer whose own sentence does not say it. */
const next: Readonly<Record<string, string>> = {
  Unauthorized: "Tell the person: OCTOPOID_API_KEY of this process has to be a key of the server.",
  ScopeMismatch: "Tell the person: the key belongs to another scope than --scope names.",
  RankTooLow: "Tell the person. Do not try again.",
  HostNotAllowed: "Tell the person: OCTOPOID_URL has to name the server by an address that it answers.",
  OrchestratorTaken: "Tell the person: choose another --machine.",
  ScopeRequired: "Tell the person: name the scope with OCTOPOID_SCOPE, or use a key of the scope.",
  AtCapacity: "Claim again when another task of the machine has ended.",
  TooManyFailures: "Tell the person."
}

/** The error of a call, with what to do next. */
export const refusalOf = (error: unknown): Refused => {
  if (error instanceof Refused) return error
  const tag = String((error as { readonly _tag?: unknown } | null)?._tag)
  const advice = next[tag]
  return refuse(textOf(error), ...(advice === undefined ? [] : [advice]))
}
