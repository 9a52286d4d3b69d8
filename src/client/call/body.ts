/** The result of a handler, as the body of the request that hands it in. */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { NewMessage } from "../../domain/record/Message.ts"
import { bytesOf, cut, excessesOf } from "../../domain/Size.ts"
import { Acceptance, Failure, Parking, Rejection, Requeue, Submission } from "../../domain/task/MoveInput.ts"
import type { Finished } from "../Outbox.ts"
import { wellFormed } from "./wellFormed.ts"

export const bodies = {
  submit: Schema.toCodecJson(Submission),
  accept: Schema.toCodecJson(Acceptance),
  reject: Schema.toCodecJson(Rejection),
  requeue: Schema.toCodecJson(Requeue),
  fail: Schema.toCodecJson(Failure),
  ask: Schema.toCodecJson(NewMessage),
  park: Schema.toCodecJson(Parking)
}

export type Body = Finished["payload"]

/**
 * A value as JSON. Half of a surrogate pair becomes U+FFFD, as in a text that was cut within an emoji: the server would
 * refuse it, and the result is worth more than half a character.
 */
export const jsonOf = (value: unknown): Body => {
  const text = JSON.stringify(value)
  return JSON.parse(text.replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (match) => match === "\\\\" ? match : "\ufffd"))
}

const issueOf = (verb: Finished["verb"], body: Body): SchemaIssue.Issue | undefined => {
  const decoded = Schema.decodeUnknownResult(bodies[verb])(body, { errors: "all" })
  return Result.isFailure(decoded) ? decoded.failure.issue : undefined
}

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const sentenceOf = ({ message, path }: ReturnType<typeof format>["issues"][number]): string => {
  const field = (path ?? []).map(String).join(".") || "the result"
  return message === "Missing key"
    ? `${field} is missing.`
    : `${field} has a wrong value: ${message.replace(/^Expected /, "expected ")}.`
}

export interface Fitted {
  readonly body: Body
  /** The fields whose texts were shortened. */
  readonly shortened: ReadonlyArray<string>
  /** Why the server would refuse the body, in sentences, or undefined. */
  readonly problem: string | undefined
}

const MaxPasses = 3

/** The list, with one text of an item shortened, or without its last items. */
const fittingList = (
  items: ReadonlyArray<Schema.Json>,
  limit: number,
  [place, field]: ReadonlyArray<string>
): Schema.Json => {
  if (place !== undefined && field !== undefined) {
    return items.map((item, n) =>
      String(n) === place && Predicate.isObject(item)
        ? { ...(item as Record<string, Schema.Json>), [field]: wellFormed(cut(String(item[field]), limit)) }
        : item
    )
  }
  let kept = items
  while (kept.length > 0 && bytesOf(JSON.stringify(kept)) > limit) kept = kept.slice(0, -1)
  return kept
}

/** The body, with its texts shortened to their limits: a shortened text is better than no result. */
export const fit = (verb: Finished["verb"], body: Body): Fitted => {
  const shortened = new Set<string>()
  let fitted = body
  let issue = issueOf(verb, fitted)
  // A list may still be too large when its texts have been shortened.
  for (let pass = 0; issue !== undefined && pass < MaxPasses; pass++) {
    const next = { ...fitted }
    for (const { limit, path } of excessesOf(issue)) {
      const field = String(path[0])
      const value = next[field]
      shortened.add(field)
      next[field] = Array.isArray(value)
        ? fittingList(value, limit, path.slice(1).map(String))
        // A cut through an escape in JSON text may leave half a character.
        : wellFormed(cut(typeof value === "string" ? value : JSON.stringify(value), limit))
    }
    fitted = next
    issue = issueOf(verb, fitted)
  }
  return issue === undefined
    ? { body: fitted, shortened: Array.from(shortened), problem: undefined }
    : { body, shortened: [], problem: format(issue).issues.map(sentenceOf).join(" ") }
}
